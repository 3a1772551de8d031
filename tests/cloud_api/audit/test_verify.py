"""An exported chain: intact it is found intact, and whatever was done to it is found, and where."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cloud_api.audit import verify
from cloud_api.audit.verify import Broken

KEY = b"a key of thirty-two characters..."
ANOTHER = b"another of thirty-two characters"

TRIED = settings(max_examples=300, deadline=None, derandomize=True, database=None, print_blob=True)


def export(count: int, *, first: int = 1, key: bytes = KEY) -> list[str]:
    """The lines of a chain's stretch."""
    digest, lines = verify.FIRST, []
    for sequence in range(1, first + count):
        entry = {"id": f"e{sequence}", "action": "noted", "new": {"figure": 0.1 * sequence}, "note": "é\u2028\n"}
        before, digest = digest, verify.seal(key, sequence=sequence, previous=digest, entry=entry)
        if sequence == first:
            previous = before
        if sequence >= first:
            lines.append({"sequence": sequence, "digest": digest, "entry": entry})
    opening = {
        "format": verify.FORMAT,
        "organization_id": "o",
        "from_sequence": first,
        "to_sequence": first + count - 1,
        "previous": previous if count else verify.FIRST,
        "head": digest,
    }
    closing = {
        "count": count,
        "digest": digest,
        "hmac": verify.close(key, opening=opening, count=count, digest=digest),
    }
    return [verify.canonical(line) + "\n" for line in (opening, *lines, closing)]


def broken(lines: Sequence[str], key: bytes = KEY) -> str:
    with pytest.raises(Broken) as found:
        verify.verify(lines, key)
    return str(found.value)


@pytest.mark.parametrize(("count", "first"), [(0, 1), (1, 1), (5, 1), (3, 4)])
def test_an_intact_export_is_found_intact(count: int, first: int) -> None:
    found = verify.verify(export(count, first=first), KEY)
    assert (found.count, found.from_sequence, found.to_sequence) == (count, first, first + count - 1)


def test_an_edited_entry_is_named() -> None:
    lines = export(5)
    lines[3] = lines[3].replace('"noted"', '"noned"')
    assert broken(lines) == 'line 4: entry 3 is edited (id "e3", action "noned"), or another key sealed it'


def test_a_deleted_entry_is_named() -> None:
    lines = export(5)
    del lines[3]
    assert broken(lines) == "line 4: entry 3 is deleted: entry 4 stands in its place"


def test_the_first_entry_is_missed_too() -> None:
    lines = export(5)
    del lines[1]
    assert broken(lines).startswith("line 2: entry 1 is deleted")


def test_reordered_entries_are_named() -> None:
    lines = export(5)
    lines[2], lines[4] = lines[4], lines[2]
    assert broken(lines).startswith("line 3: entry 2 is deleted: entry 4 stands")
    lines = export(5)
    lines.insert(3, lines[1])
    assert broken(lines).startswith("line 4: entry 3 is reordered or repeated: entry 1 stands")


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (0, "cut off: the file is empty"),
        (1, "cut off: entry 1 was to follow"),
        (4, "cut off: entry 4 was to follow"),
        (6, "cut off: no closing line"),
    ],
)
def test_a_cut_off_export_says_what_was_to_follow(kept: int, said: str) -> None:
    assert broken(export(5)[:kept]) == said


def test_the_end_cannot_be_cut_off_under_the_closing_line() -> None:
    lines = export(5)
    del lines[5]
    assert broken(lines) == "line 6: cut off: entry 5 was to follow"


def test_a_shorter_chain_cannot_be_closed_without_the_key() -> None:
    lines, shorter = export(5), export(4, key=ANOTHER)
    assert broken([shorter[0], *lines[1:5], shorter[-1]]).startswith("line 6: the closing line does not name")
    opening = json.loads(lines[0]) | {"to_sequence": 4, "head": json.loads(lines[4])["digest"]}
    closing = json.loads(lines[-1]) | {"count": 4, "digest": opening["head"]}
    forged = [verify.canonical(opening) + "\n", *lines[1:5], verify.canonical(closing) + "\n"]
    assert broken(forged) == "line 1 or the closing line is edited, or another key closed the export"


def test_nothing_may_stand_after_the_closing_line() -> None:
    lines = export(2)
    assert broken([*lines, lines[1]]) == "line 5: something was added after the closing line"


def test_another_key_verifies_nothing() -> None:
    assert "entry 1 is edited" in broken(export(3), ANOTHER)
    assert "another key closed" in broken(export(0), ANOTHER)


def test_a_number_of_another_type_is_an_edit() -> None:
    lines = export(1)
    assert "closing line" in broken([*lines[:-1], lines[-1].replace('"count":1', '"count":1.0')])
    assert "edited" in broken([lines[0], lines[1].replace('"sequence":1', '"sequence":true'), lines[2]])


TEXT = "".join(export(4))


@TRIED
@given(
    at=st.integers(0, len(TEXT) - 1),
    put=st.text(st.characters(max_codepoint=0x2FFF), max_size=3),
    take=st.integers(0, 40),
)
def test_any_single_edit_is_found(at: int, put: str, take: int) -> None:
    edited = TEXT[:at] + put + TEXT[at + take :]
    assume(edited != TEXT)
    broken([*io.StringIO(edited, newline="\n")])


@TRIED
@given(data=st.data())
def test_any_exchanged_value_is_found(data: st.DataObject) -> None:
    lines = [json.loads(line) for line in export(4)]
    line = data.draw(st.sampled_from(lines))
    key = data.draw(st.sampled_from(sorted(line)))
    values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    value = data.draw(values | st.dictionaries(st.text(), values) | st.lists(values))
    assume(verify.canonical(value) != verify.canonical(line[key]))
    line[key] = value
    broken([verify.canonical(line) + "\n" for line in lines])


@TRIED
@given(data=st.data(), count=st.integers(1, 12), first=st.integers(1, 5))
def test_any_deletion_swap_repetition_or_truncation_is_found(data: st.DataObject, count: int, first: int) -> None:
    lines = export(count, first=first)
    intact = list(lines)
    places = st.integers(0, len(lines) - 1)
    one, other = data.draw(places), data.draw(places)
    match data.draw(st.sampled_from(["delete", "swap", "repeat", "cut"])):
        case "delete":
            del lines[one]
        case "swap":
            lines[one], lines[other] = lines[other], lines[one]
        case "repeat":
            lines.insert(one, lines[other])
        case "cut":
            whole = "".join(lines)
            lines = whole[: data.draw(st.integers(0, len(whole) - 1))].splitlines(keepends=True)
    assume(lines != intact)
    broken(lines)


def alone(path: Path, key: bytes | None) -> subprocess.CompletedProcess[str]:
    """`verify.py` by itself, in a Python that sees no package of ours and no other."""
    environment = {**os.environ, "COLDFLEET_AUDIT_KEY": "" if key is None else key.decode()}
    command = [sys.executable, "-I", "-S", verify.__file__, str(path)]
    return subprocess.run(command, env=environment, cwd=path.parent, capture_output=True, text=True, check=False)


def test_it_runs_alone(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text("".join(export(3)), newline="\n")
    found = alone(path, KEY)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("intact: 3 entries, 1 to 3, of organisation o; head ")
    path.write_text("".join(export(3)[:-1]), newline="\n")
    found = alone(path, KEY)
    assert (found.returncode, found.stdout) == (1, "BROKEN: cut off: no closing line\n")
    assert alone(path, None).returncode == 2
    assert alone(tmp_path / "nowhere", KEY).returncode == 2
    path.write_bytes(b"\xff\n")
    assert alone(path, KEY).stdout == "BROKEN: edited, an export is ASCII\n"
