"""Gaps to the best known, measured: what a search reaches on public instances in a given time."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from route_optimizer.formats.plan_json import gap_pct
from route_optimizer.formats.read import read
from route_optimizer.solve import solve

#: one of each family, narrow and wide windows
SAMPLE = ("C101", "C204", "R101", "R206", "RC103")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One instance, searched once."""

    name: str
    cost: float
    best_known: float | None
    #: percent above the best known; None when stops were left out
    gap_pct: float | None
    vehicles: int
    unserved: int
    elapsed_s: float


def measure(paths: Iterable[Path], *, budget_s: float, seed: int = 0) -> Iterator[Measurement]:
    """Solve one instance after the other."""
    for path in paths:
        instance = read(path)
        began = time.monotonic()
        plan = solve(instance.problem, budget_s=budget_s, seed=seed)
        yield Measurement(
            name=instance.name,
            cost=instance.in_file_units(plan.cost),
            best_known=instance.best_known,
            gap_pct=gap_pct(instance, plan),
            vehicles=len(plan.routes),
            unserved=len(plan.unserved),
            elapsed_s=time.monotonic() - began,
        )


def table(measured: Sequence[Measurement]) -> Table:
    """The measurements for a person, with the mean gap."""
    drawn = Table("instance", "cost", "best known", "gap %", "vehicles", "unserved", "s", title="gap to best known")
    for each in measured:
        drawn.add_row(
            each.name,
            f"{each.cost:.1f}",
            "?" if each.best_known is None else f"{each.best_known:.1f}",
            "?" if each.gap_pct is None else f"{each.gap_pct:.2f}",
            str(each.vehicles),
            str(each.unserved),
            f"{each.elapsed_s:.1f}",
        )
    gaps = [each.gap_pct for each in measured if each.gap_pct is not None]
    if gaps:
        drawn.add_section()
        drawn.add_row("mean", "", "", f"{sum(gaps) / len(gaps):.2f}", "", "", "")
    return drawn
