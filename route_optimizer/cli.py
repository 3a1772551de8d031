"""`coldfleet plan`."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from route_optimizer.check import judge
from route_optimizer.formats import plan_json
from route_optimizer.formats.instance import Convention, FormatError, Instance
from route_optimizer.formats.read import Format, read
from route_optimizer.plan import Plan
from route_optimizer.search import Progress as Incumbent
from route_optimizer.solve import RefusedPlan, solve
from route_optimizer.validation import ProblemError

#: options may follow the file although this is a command that could have others below it
app = typer.Typer(invoke_without_command=True, context_settings={"allow_interspersed_args": True})

ROUTES_SHOWN = 30


@app.callback()
def plan(
    file: Annotated[Path, typer.Argument(help="A Solomon or VRPLIB instance.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the plan here, as JSON.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="What the file is in.")] = Format.AUTO,
    convention: Annotated[
        Convention | None,
        typer.Option(help="How distances become whole numbers; as the benchmark's best known costs are counted."),
    ] = None,
    time_limit: Annotated[float, typer.Option(help="Seconds to search at most.", min=0.1, max=86_400)] = 10.0,
    seed: Annotated[int, typer.Option(help="The same seed takes the same way through the search.", min=0)] = 0,
) -> None:
    """Plan the routes of an instance: their cost, the gap to the best known, a reason for each stop left out."""
    console = Console()
    if output is not None and not _is_writable(output, file):
        typer.echo(f"cannot write {output}: name a new file in a folder that exists", err=True)
        raise typer.Exit(2)
    began = time.monotonic()
    try:
        instance = read(file, format_, convention)
        with _interrupt() as interrupted, _line(console, instance, time_limit) as told:
            found = solve(instance.problem, budget_s=time_limit, seed=seed, cancelled=interrupted, progress=told)
        elapsed_s = time.monotonic() - began
        if output is not None:
            violations = judge(instance.problem, found).violations
            output.write_bytes(plan_json.encode(instance, found, violations=violations, elapsed_s=elapsed_s))
    except (FormatError, ProblemError, RefusedPlan, OSError) as error:
        typer.echo(f"{error}", err=True)
        raise typer.Exit(1) from None
    _summarise(console, instance, found, elapsed_s)


def _is_writable(output: Path, file: Path) -> bool:
    """Asked before the search, so that no search is lost; never the instance itself."""
    return output.absolute().parent.is_dir() and not output.is_dir() and output.resolve() != file.resolve()


@contextlib.contextmanager
def _interrupt() -> Iterator[Callable[[], bool]]:
    """Ctrl-C ends the search with the best plan so far, instead of losing it."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _line(console: Console, instance: Instance, budget_s: float) -> Iterator[Callable[[Incumbent], None]]:
    """One line that moves while the search goes on: time, and the cost of the best plan so far."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as line:
        task = line.add_task(f"{instance.name}: building a first plan", total=budget_s)

        def told(best: Incumbent) -> None:
            left_out = f", {best.left_out} left out" if best.left_out else ""
            gap = ""
            if instance.best_known and not best.left_out:
                gap = f" ({100 * (instance.in_file_units(best.cost) / instance.best_known - 1):+.2f} %)"
            words = f"{instance.name}: cost {instance.in_file_units(best.cost):,.10g}{gap}{left_out}"
            line.update(task, description=words, completed=best.elapsed_s)

        yield told


def _summarise(console: Console, instance: Instance, found: Plan, elapsed_s: float) -> None:
    units = instance.in_file_units
    if found.routes:
        drawn = Table("vehicle", "stops", "leaves", "is back", "distance", "order")
        for route in found.routes[:ROUTES_SHOWN]:
            figures = (f"{units(number):,.10g}" for number in (route.start_s, route.end_s, route.distance_m))
            drawn.add_row(
                route.vehicle, str(len(route.visits)), *figures, " ".join(visit.stop for visit in route.visits)
            )
        console.print(drawn)
    if len(found.routes) > ROUTES_SHOWN:
        console.print(f"... and {len(found.routes) - ROUTES_SHOWN} more")
    for unserved in found.unserved:
        for reason in unserved.reasons:
            console.print(
                f"[yellow]{unserved.stop} is not served[/]: {reason.words}. What would help: {reason.remedy}."
            )
    served = sum(len(route.visits) for route in found.routes)
    console.print(
        f"[bold]{instance.name}[/]: cost [bold]{units(found.cost):,.10g}[/] ({instance.convention}), "
        f"{len(found.routes)} of {len(instance.problem.vehicles)} vehicles, "
        f"{served} of {len(instance.problem.stops)} stops, {found.engine} in {elapsed_s:.1f} s ({found.ending})"
    )
    gap = plan_json.gap_pct(instance, found)
    if gap is not None:
        console.print(f"best known {instance.best_known:,.10g}: gap [bold]{gap:.2f} %[/]")
