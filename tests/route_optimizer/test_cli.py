"""`coldfleet plan` as a person uses it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from route_optimizer.bench import measure, table
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
    assert "2 is not served: it takes 11 demand, 1 holds 10. What would help: a vehicle that holds 11 demand" in said
    assert "1 of 2 stops" in said


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["absent.txt"], 1, "absent.txt: cannot be read (No such file or directory); check the path"),
        (["tiny.txt", "--format", "vrplib"], 1, "tiny.txt, line 5: `2         10` stands outside any section"),
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


def test_a_bench_measures_the_gap_of_each_instance() -> None:
    measured = list(measure([DATA / "C101.txt", DATA / "X-n110-k13.vrp"], budget_s=0.6))
    assert [each.name for each in measured] == ["C101", "X-n110-k13"]
    assert all(each.gap_pct is not None and each.gap_pct >= 0 for each in measured)
    assert table(measured).row_count == 3
