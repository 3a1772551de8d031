"""The invariants, judged from two records that the gateway has no hand in: what its sensors had acknowledged
(`device_sims.load`) and what the cloud stored (`device_sims.cloud`), each kept by a process of its own.

- Nothing acknowledged is lost: every number of a sensor up to the last acknowledged one is stored, or its sequence is
  named by a gap.
- Nothing is stored twice: no sequence comes in two rows. A number may come twice only when its sensor sent it twice,
  because the first acknowledgement did not reach it.
- Nothing is reordered: in the order of sequences a sensor's numbers count up by one, and step back only where the
  sensor, or the broker that speaks for it, began again.
- Nothing is silently gone: the sequences of each epoch have no hole that no gap names.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

Report = Mapping[str, Any]
Run = tuple[int, int]


class Sensor(NamedTuple):
    """One sensor's own record."""

    name: str
    #: numbers from 0 to below this were sent, or acknowledged
    sent: int
    acknowledged: int
    #: where it began again after each loss of its connection
    resumed_at: Sequence[int]

    @classmethod
    def of(cls, report: Report) -> "list[Sensor]":
        """All sensors of a load's report."""
        return [
            cls(f"z2m:{told['sensor']}", told["sent"], told["acknowledged"], told["resumed_at"])
            for told in report["sensors"]
        ]


def complaints(
    load: Report, counts: Report, details: Report, *, repeats: int = 0, broker_loses: bool = False
) -> list[str]:
    """What does not hold, in words; empty when all is well.

    Args:
        load: the sensors' report.
        counts: the cloud's report.
        details: what the cloud has kept.
        repeats: how often a broker between them may have begun again to deliver.
        broker_loses: what the broker acknowledged may never have reached the gateway.
    """
    found = [f"the cloud: {complaint}" for complaint in counts["complaints"]]
    if counts["stored_twice"]:
        found.append(f"{counts['stored_twice']} rows were stored twice")
    found += [f"{told['sensor']}: a PUBACK out of turn" for told in load["sensors"] if told["surprises"]]
    excused = math.inf if broker_loses or ends_unknown(details) else unreadable_rows(details)
    found += silent_holes(details)
    for sensor in Sensor.of(load):
        runs = [(first, last) for first, last in details["series"].get(sensor.name, [])]
        found += misplaced(sensor, runs, repeats=repeats, may_jump=bool(excused))
        lost = sensor.acknowledged - covered(runs, sensor.acknowledged)
        excused -= lost
        if lost and excused < 0:
            found.append(f"{sensor.name}: {lost} of {sensor.acknowledged} acknowledged messages are lost")
    return found


def covered(runs: Iterable[Run], below: int) -> int:
    """How many numbers from 0 to below this are in any of the runs."""
    count, end = 0, 0
    for first, last in sorted(runs):
        first, last = max(first, end), min(last, below - 1)
        if last >= first:
            count += last - first + 1
            end = last + 1
    return count


def misplaced(sensor: Sensor, runs: Sequence[Run], *, repeats: int = 0, may_jump: bool = False) -> list[str]:
    """Steps that the sensor has not made itself. `may_jump`: numbers in between may be missing, and told to be."""
    found = []
    left = list(sensor.resumed_at)
    for (_, before), (after, _) in pairwise(runs):
        if after > before:
            if not may_jump:
                found.append(f"{sensor.name}: after {before} comes {after}")
        elif after in left:
            left = left[left.index(after) + 1 :]
        elif repeats:
            repeats -= 1
        elif not may_jump:
            found.append(f"{sensor.name}: steps back from {before} to {after}, which its sensor did not")
    if runs and max(last for _, last in runs) >= sensor.sent:
        found.append(f"{sensor.name}: has said what its sensor never sent")
    if runs and runs[0][0] and not may_jump:
        found.append(f"{sensor.name}: begins with {runs[0][0]}")
    return found


#: a gap of 0 rows: from its first sequence on, and nobody can tell how many
_NOBODY_KNOWS = 1 << 62


def silent_holes(details: Report) -> list[str]:
    """Sequences below the highest of their lane that neither came nor are named by a gap."""
    found = []
    for epoch, lane, runs in details["sequences"]:
        named = [
            (gap["first"], gap["last"] if gap["rows"] else _NOBODY_KNOWS)
            for gap in details["gaps"]
            if gap["epoch"] == epoch and ("readings" if gap["lane"] == "backlog" else gap["lane"]) == lane
        ]
        end = 0
        for first, last in sorted([*((first, last) for first, last in runs), *named]):
            if first > end + 1:
                found.append(f"{lane} of {epoch[:6]}: {end + 1} to {first - 1} never came and no gap names them")
            end = max(end, last)
    return found


def ends_unknown(details: Report) -> bool:
    """Whether a gap names readings at the end of a spoilt file, of which nobody can tell how many there were."""
    return any(not gap["rows"] and gap["lane"] in ("readings", "backlog") for gap in details["gaps"])


def unreadable_rows(details: Report) -> int:
    """Rows that gaps name, and that did not come before."""
    stored = {(epoch, lane): runs for epoch, lane, runs in details["sequences"]}
    total = 0
    for gap in details["gaps"]:
        runs = stored.get((gap["epoch"], "readings"), []) if gap["lane"] in ("readings", "backlog") else []
        if gap["lane"] in ("readings", "backlog"):
            gone = gap["last"] - gap["first"] + 1
            total += gone - sum(max(0, min(last, gap["last"]) - max(first, gap["first"]) + 1) for first, last in runs)
    return total
