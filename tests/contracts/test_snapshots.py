"""A promise changes only on purpose: `make snapshots` writes it anew, and the diff is read before it is committed."""

import difflib
import json
import os
from pathlib import Path

import pytest

from tests.contracts.contracts import SNAPSHOTS, Document, written

FOLDER = Path(__file__).parent
WRITE = os.environ.get("COLDFLEET_WRITE_SNAPSHOTS") == "1"
SHOWN_LINES = 60


def complaint(name: str, kept: str, now: Document) -> str:
    """What is wrong with the snapshot, and what to do; empty when nothing is."""
    lines = [*difflib.unified_diff(kept.splitlines(), written(now).splitlines(), "snapshot", "now", lineterm="", n=2)]
    if not lines:
        return ""
    advice = "if that is meant: make snapshots"
    if name == "wire.json" and json.loads(kept)["version"] == now["version"]:
        advice = (
            f"the wire has changed and WIRE_VERSION is still {now['version']}: raise it in gateway/contract.py, or "
            "older peers will misread this; only if every older peer can live with it: make snapshots"
        )
    return "\n".join([f"{name} is no longer what was promised; {advice}", *lines[:SHOWN_LINES]])


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_what_was_promised_still_holds(name: str) -> None:
    path, now = FOLDER / name, SNAPSHOTS[name]()
    if WRITE:
        path.write_text(written(now), encoding="utf-8")
    found = complaint(name, path.read_text(encoding="utf-8"), now)
    assert not found, found


def test_a_change_of_the_wire_without_a_new_version_is_called_by_its_name() -> None:
    now = SNAPSHOTS["wire.json"]()
    changed = {**now, "max_rows": now["max_rows"] + 1}
    assert f"the wire has changed and WIRE_VERSION is still {now['version']}" in complaint(
        "wire.json", written(now), changed
    )
    told = complaint("wire.json", written(now), {**changed, "version": now["version"] + 1})
    assert "if that is meant: make snapshots" in told
    assert "WIRE_VERSION is still" not in told
    assert complaint("wire.json", written(now), now) == ""


def test_a_snapshot_is_the_same_however_often_it_is_made() -> None:
    for name in ("wire.json", "events.json"):
        assert written(SNAPSHOTS[name]()) == written(SNAPSHOTS[name]())


def test_no_snapshot_is_left_behind() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} <= set(SNAPSHOTS)
