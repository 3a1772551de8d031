"""`coldfleet plan` as a person uses it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from route_optimizer.cli import app
from tests.route_optimizer.test_formats import TINY_SOLOMON, written

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parents[2]


def test_an_instance_is_planned_written_and_summarised(tmp_path: Path) -> None:
    output = tmp_path / "PLAN.json"
    answer = CliRunner().invoke(app, [str(DATA / "C101.txt"), "-o", str(output), "--time-limit", "1", "--seed", "3"])
    assert answer.exit_code == 0, answer.output
    document = json.loads(output.read_text())
    assert document["instance"] == "C101"
    assert sorted(stop for route in document["routes"] for stop in route["stops"]) == list(range(1, 101))
    assert document["cost"] >= document["best_known"] == 827.3
    for told in ("cost", "100 of 100 stops", "of 25 vehicles", "best known 827.3: gap"):
        assert told in " ".join(answer.output.split())


def test_a_client_left_out_is_told_with_its_reason(tmp_path: Path) -> None:
    file = written(tmp_path, TINY_SOLOMON.replace("3         10", "3         11"))
    answer = CliRunner().invoke(app, [str(file), "--convention", "exact"])
    assert answer.exit_code == 0
    said = " ".join(answer.output.split())
    assert "2 is not served: it takes 11 demand, " in said
    assert "What would help: a vehicle that holds 11 demand" in said
    assert "1 of 2 stops" in said


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["absent.txt"], 1, "absent.txt: cannot be read (No such file or directory); check the path"),
        (["tiny.txt", "--format", "vrplib"], 1, "tiny.txt, line 1: `Tiny` states something that this reader"),
        (["tiny.txt", "-o", "nowhere/PLAN.json"], 2, "cannot write nowhere/PLAN.json: name a new file"),
        (["tiny.txt", "-o", "tiny.txt"], 2, "cannot write tiny.txt: name a new file"),
    ],
)
def test_a_mistake_is_answered_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, told: str
) -> None:
    written(tmp_path, TINY_SOLOMON)
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == code
    assert answer.stderr.startswith(told)
    assert len(answer.stderr.splitlines()) == 1
    assert (tmp_path / "tiny.txt").read_text() == TINY_SOLOMON


def test_ctrl_c_ends_the_search_with_the_best_plan_so_far(tmp_path: Path) -> None:
    output = tmp_path / "PLAN.json"
    command = [
        sys.executable,
        "-c",
        "from route_optimizer.cli import app; app()",
        str(DATA / "R101.txt"),
        "-o",
        str(output),
    ]
    environment = os.environ | {"FORCE_COLOR": "1", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*command, "--time-limit", "3600"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    ) as running:
        assert running.stdout is not None
        seen = b""
        while b"%)" not in seen:
            seen += os.read(running.stdout.fileno(), 4_096)
        running.send_signal(signal.SIGINT)
        rest = running.stdout.read()
    assert running.returncode == 0, rest.decode()
    assert json.loads(output.read_text())["ending"] == "cancelled"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_summary_says_which_engine_was_chosen_and_why(tmp_path: Path) -> None:
    output = tmp_path / "PLAN.json"
    answer = run(written(tmp_path, TINY_SOLOMON), "-o", output)
    assert "engine exact: 2 stops: every order can be tried" in " ".join(answer.output.split())
    document = json.loads(output.read_text())
    assert (document["engine"], document["violations"]) == ("exact", [])
    assert document["engine_chosen_for"].startswith("2 stops")
    assert document["numbering"].startswith("clients as the file numbers them")
    answer = run(written(tmp_path, TINY_SOLOMON), "-o", output, "--engine", "exact")
    assert "engine exact: as asked for" in answer.output
    assert json.loads(output.read_text())["engine_chosen_for"] == ""


def test_one_search_writes_every_file_that_is_asked_for(tmp_path: Path) -> None:
    wanted = [tmp_path / name for name in ("a.geojson", "a.csv", "a.sol", "a.vroom.json")]
    options = [word for path in wanted for word in ("--export", path)]
    answer = run(written(tmp_path, TINY_SOLOMON), "--plot", tmp_path / "a.png", *options)
    assert answer.exit_code == 0, answer.output
    assert all(path.stat().st_size for path in (*wanted, tmp_path / "a.png"))
    assert (tmp_path / "a.sol").read_text().endswith("Cost 8.8\n")
    assert run(tmp_path / "tiny.txt", "--plot", tmp_path / "a.html").exit_code == 0
    assert "<svg" in (tmp_path / "a.html").read_text()


def test_a_vroom_file_is_planned_and_answered_in_its_own_format(tmp_path: Path) -> None:
    file = tmp_path / "input.json"
    vehicle = {"id": 1, "start": [24.9, 60.2], "end": [24.9, 60.2]}
    file.write_text(json.dumps({"vehicles": [vehicle], "jobs": [{"id": 5, "location": [25.0, 60.2]}]}))
    answer = run(file, "-o", tmp_path / "PLAN.json", "--export", tmp_path / "out.vroom.json")
    assert answer.exit_code == 0, answer.output
    assert json.loads((tmp_path / "PLAN.json").read_text())["routes"][0]["stops"] == [5]
    steps = json.loads((tmp_path / "out.vroom.json").read_text())["routes"][0]["steps"]
    assert [step["type"] for step in steps] == ["start", "job", "end"]


def test_the_schema_of_native_files_is_printed_without_any_file() -> None:
    answer = run("--schema")
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["$ref"] == "#/$defs/ProblemJson"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--plot", "a.svg"], "cannot draw a.svg: name a file that ends with .png or .html"),
        (["--export", "a.xlsx"], "cannot write a.xlsx: name a file that ends with .geojson"),
        (["--export", "a.csv", "--export", "./a.csv"], "one file is named twice"),
        (["--export", "nowhere/a.csv"], "cannot write nowhere/a.csv"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], told: str
) -> None:
    written(tmp_path, TINY_SOLOMON)
    monkeypatch.chdir(tmp_path)
    answer = run("tiny.txt", *options)
    assert (answer.exit_code, answer.stderr.startswith(told)) == (2, True), answer.stderr
    assert list(tmp_path.iterdir()) == [tmp_path / "tiny.txt"]


def test_a_plan_that_cannot_be_drawn_is_not_searched(tmp_path: Path) -> None:
    file = tmp_path / "problem.json"
    matrix = {"distance_m": [[0, 1], [1, 0]], "duration_s": [[0, 1], [1, 0]]}
    van = {"id": "van", "start": 0, "end": 0}
    file.write_text(json.dumps({"matrix": matrix, "stops": [{"id": "A", "location": 1}], "vehicles": [van]}))
    for option in (["--plot", tmp_path / "a.png"], ["--export", tmp_path / "a.gpx"]):
        answer = run(file, *map(str, option))
        assert answer.exit_code == 1
        assert "it says nowhere where its places are" in answer.stderr
    assert run(file).exit_code == 0


NONSENSE: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b" \n\t\n",
    "a picture": b"\x89PNG\r\n\x1a\n\x00\xff",
    "zero bytes": b"VEHICLE\x00",
    "half a surrogate": b'{"vehicles": [], "name": "\xed\xa0\x80"}',
    "an array": b"[1, 2]",
    "an empty object": b"{}",
    "brackets": b"[" * 200_000,
    "braces": b'{"a":' * 200_000,
    "no vehicles": b'{"stops": [], "vehicles": [], "places": [{"longitude": 0, "latitude": 0}]}',
    "NaN": b'{"stops": [], "vehicles": [], "places": [{"longitude": NaN, "latitude": 0}]}',
    "a large number": b'{"stops": [{"id": "A", "location": 1e400}], "vehicles": []}',
    "a far place": TINY_SOLOMON.replace("1         1          4", "1e308     1e308      4").encode(),
    "a huge demand": TINY_SOLOMON.replace("          4  ", " 4" + "0" * 300 + " ").encode(),
    "a late window": TINY_SOLOMON.replace("10        20", "1e300   1e301").encode(),
    "endless digits": TINY_SOLOMON.replace("          4  ", " 4" + "0" * 5_000 + " ").encode(),
    "a huge fleet": TINY_SOLOMON.replace("  2         10\n", "  999999999 10\n").encode(),
    "a huge capacity": TINY_SOLOMON.replace("  2         10\n", "  2 1e300\n").encode(),
    "a line of prose": b"VEHICLE\nis what we have none of\n",
    "two vehicles of one id": json.dumps(
        {
            "places": [{"longitude": 0, "latitude": 0}],
            "stops": [],
            "vehicles": [{"id": "A", "start": 0, "end": 0}, {"id": "A", "start": 0, "end": 0}],
        }
    ).encode(),
    "two jobs of one id": json.dumps(
        {
            "vehicles": [{"id": 1, "start": [0, 0]}],
            "jobs": [{"id": 1, "location": [0, 0]}, {"id": 1, "location": [0, 0]}],
        }
    ).encode(),
    "a place that does not exist": json.dumps(
        {
            "places": [{"longitude": 0, "latitude": 0}],
            "stops": [{"id": "A", "location": 7}],
            "vehicles": [{"id": "A", "start": 0, "end": 0}],
        }
    ).encode(),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    file = tmp_path / "nonsense.txt"
    file.write_bytes(NONSENSE[name])
    answer = run(file)
    assert answer.exit_code == 1, answer.output
    assert isinstance(answer.exception, SystemExit), answer.exception
    assert len(answer.stderr.splitlines()) == 1, answer.stderr
    assert len(answer.stderr) < 600
    assert ": " in answer.stderr


@pytest.mark.parametrize("format_", ["vrplib", "solomon", "lilim", "vroom", "json"])
@pytest.mark.parametrize("name", ["nothing", "blanks", "a picture", "brackets", "an empty object", "a line of prose"])
def test_nonsense_is_refused_by_each_reader(tmp_path: Path, format_: str, name: str) -> None:
    file = tmp_path / "nonsense.txt"
    file.write_bytes(NONSENSE[name])
    answer = run(file, "--format", format_)
    assert answer.exit_code == 1, answer.output
    assert isinstance(answer.exception, SystemExit), answer.exception
    assert len(answer.stderr.splitlines()) == 1, answer.stderr
