"""`coldfleet plan`."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from route_optimizer.apart import EngineDied
from route_optimizer.check import judge
from route_optimizer.engines.choice import choose
from route_optimizer.formats import exports, plan_json, problem_json
from route_optimizer.formats.instance import Convention, Instance
from route_optimizer.formats.read import Format, read
from route_optimizer.formats.source import FormatError
from route_optimizer.plan import EngineName, Plan
from route_optimizer.search import Progress as Incumbent
from route_optimizer.solve import RefusedPlan, solve
from route_optimizer.validation import ProblemError, validate

#: options may follow the file although this is a command that could have others below it
app = typer.Typer(invoke_without_command=True, context_settings={"allow_interspersed_args": True})

ROUTES_SHOWN = 30
LEFT_OUT_SHOWN = 30

#: a plan, even one that leaves stops out or was interrupted; an instance or a search that gives none; a wrong option
EXIT_NO_PLAN, EXIT_USAGE = 1, 2


class Engine(StrEnum):
    """Who searches."""

    AUTO = "auto"
    EXACT = "exact"
    ORTOOLS = "ortools"
    PYVRP = "pyvrp"
    DECOMPOSITION = "decomposition"
    HYBRID = "hybrid"


#: None leaves it to the problem
_ASKED: dict[Engine, EngineName | None] = {
    Engine.AUTO: None,
    Engine.EXACT: "exact",
    Engine.ORTOOLS: "ortools",
    Engine.PYVRP: "pyvrp",
    Engine.DECOMPOSITION: "decomposition",
    Engine.HYBRID: "hybrid",
}


@dataclass(frozen=True)
class _Job:
    """What the command line asks for."""

    file: Path
    output: Path | None
    plot: Path | None
    exports: list[Path]
    budget_s: float
    cores: int
    engine: Engine
    seed: int


def _schema(wanted: bool) -> None:
    if wanted:
        typer.echo(problem_json.schema().decode(), nl=False)
        raise typer.Exit


@app.callback()
def plan(
    file: Annotated[Path, typer.Argument(help="A VRPLIB, Solomon, Li and Lim, VROOM or native JSON instance.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the plan here, as JSON.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="What the file is in.")] = Format.AUTO,
    convention: Annotated[
        Convention | None,
        typer.Option(help="How distances become whole numbers; as the benchmark's best known costs are counted."),
    ] = None,
    time_limit: Annotated[float, typer.Option(help="Seconds to search at most.", min=0.1, max=86_400)] = 10.0,
    cores: Annotated[int, typer.Option(help="Processors that may work at once.", min=1, max=1_024)] = 1,
    engine: Annotated[Engine, typer.Option(help="Who searches; auto tells which rule decided.")] = Engine.AUTO,
    seed: Annotated[int, typer.Option(help="The same seed takes the same way through the search.", min=0)] = 0,
    plot: Annotated[Path | None, typer.Option(help="Draw the routes here: .png, or .html as one page.")] = None,
    export: Annotated[
        list[Path] | None,
        typer.Option(help=f"Write the plan here too, as the name ends: {', '.join(exports.WRITERS)}; again for more."),
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", callback=_schema, is_eager=True, help="Print the JSON Schema of native files.")
    ] = False,
) -> None:
    """Plan the routes of an instance: their cost, the gap to the best known, a reason for each stop left out.

    Ctrl-C ends the search with the best plan so far. The exit code is 0 when there is a plan, even one that leaves
    stops out, 1 when the instance or the search gives none, 2 when an option is wrong.
    """
    job = _Job(file, output, plot, export or [], time_limit, cores, engine, seed)
    if wrong := _wrong(job):
        typer.echo(wrong, err=True)
        raise typer.Exit(EXIT_USAGE)
    console = Console(highlight=False)
    try:
        _plan(console, job, read(file, format_, convention))
    except (FormatError, ProblemError, RefusedPlan, EngineDied, OSError, MemoryError) as error:
        typer.echo(" ".join(str(error).split()) or "there is not enough memory for this instance", err=True)
        raise typer.Exit(EXIT_NO_PLAN) from None


def _plan(console: Console, job: _Job, instance: Instance) -> None:
    began = time.monotonic()
    validate(instance.problem)
    _check_writers(job, instance)
    choice = choose(instance.problem, job.cores)
    with _interrupt() as interrupted, _line(console, instance, job.budget_s) as told:
        found = solve(
            instance.problem,
            budget_s=job.budget_s,
            seed=job.seed,
            engine=_ASKED[job.engine],
            cores=job.cores,
            start=instance.start or None,
            cancelled=interrupted,
            progress=told,
        )
    elapsed_s = time.monotonic() - began
    # stops that nobody can serve are no engine's business: without them the choice may be another
    why = choice.why if job.engine is Engine.AUTO and choice.engine == found.engine else ""
    if job.output is not None:
        violations = judge(instance.problem, found).violations
        text = plan_json.encode(instance, found, violations=violations, elapsed_s=elapsed_s, chosen_for=why)
        job.output.write_bytes(text)
    for path, write in _writers(job).items():
        path.write_bytes(write(instance, found))
    _summarise(console, instance, found, elapsed_s, why or ("" if job.engine is Engine.AUTO else "as asked for"))


def _wrong(job: _Job) -> str | None:
    """Which option is wrong; asked before the search, so that no search is lost."""
    wanted = [path for path in (job.output, job.plot, *job.exports) if path is not None]
    for path in wanted:
        # never the instance itself
        if not path.absolute().parent.is_dir() or path.is_dir() or path.resolve() == job.file.resolve():
            return f"cannot write {path}: name a new file in a folder that exists"
    if len({path.resolve() for path in wanted}) < len(wanted):
        return "one file is named twice: give each output its own name"
    if job.plot is not None and job.plot.suffix.lower() not in _PICTURES:
        return f"cannot draw {job.plot}: name a file that ends with {' or '.join(_PICTURES)}"
    for path in job.exports:
        if exports.writer(path) is None:
            return f"cannot write {path}: name a file that ends with {', '.join(exports.WRITERS)}"
    return None


_PICTURES = (".png", ".html")
_Writer = Callable[[Instance, Plan], bytes]


def _writers(job: _Job) -> dict[Path, _Writer]:
    writers = {path: write for path in job.exports if (write := exports.writer(path)) is not None}
    if job.plot is not None:
        from route_optimizer import drawing  # matplotlib takes its time to load

        writers[job.plot] = drawing.png if job.plot.suffix.lower() == ".png" else drawing.page
    return writers


def _check_writers(job: _Job, instance: Instance) -> None:
    """That a plan of this instance can be written as it is asked for, before it is searched."""
    for path, write in _writers(job).items():
        try:
            write(instance, Plan((), (), 0, "exact", "settled"))
        except ValueError as error:
            raise FormatError(job.file, None, f"cannot be written as {path.name}", str(error)) from None


@contextlib.contextmanager
def _interrupt() -> Iterator[Callable[[], bool]]:
    """Ctrl-C ends the search with the best plan so far, instead of losing it; a second one loses it."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def ask(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
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
    name = escape(instance.name)
    with Progress(*columns, console=console, transient=True) as line:
        task = line.add_task(f"{name}: building a first plan", total=budget_s)

        def told(best: Incumbent) -> None:
            cost = instance.in_file_units(instance.told(best.cost))
            left_out = f", {best.left_out} left out" if best.left_out else ""
            vehicles = f", {best.cost // instance.charge} vehicles" if instance.charge else ""
            gap = ""
            if instance.best_known and not best.left_out:
                gap = f" ({100 * (cost / instance.best_known - 1):+.2f} %)"
            line.update(
                task, description=f"{name}: cost {cost:,.10g}{gap}{vehicles}{left_out}", completed=best.elapsed_s
            )

        yield told


def _summarise(console: Console, instance: Instance, found: Plan, elapsed_s: float, why: str) -> None:
    if found.routes:
        console.print(_table(instance, found))
    if len(found.routes) > ROUTES_SHOWN:
        console.print(f"... and {len(found.routes) - ROUTES_SHOWN} more")
    for unserved in found.unserved[:LEFT_OUT_SHOWN]:
        for reason in unserved.reasons:
            words = f"{reason.words}. What would help: {reason.remedy}."
            console.print(f"[yellow]{escape(unserved.stop)} is not served[/]: {escape(words)}", soft_wrap=True)
    if len(found.unserved) > LEFT_OUT_SHOWN:
        console.print(f"... and {len(found.unserved) - LEFT_OUT_SHOWN} more are not served")
    served = sum(len(route.visits) for route in found.routes)
    counted = instance.convention or "metres and seconds"
    console.print(
        f"[bold]{escape(instance.name)}[/]: cost [bold]{plan_json.cost(instance, found):,.10g}[/] ({counted}), "
        f"{len(found.routes)} of {len(instance.problem.vehicles)} vehicles, "
        f"{served} of {len(instance.problem.stops)} stops, {found.engine} in {elapsed_s:.1f} s ({found.ending})",
        soft_wrap=True,
    )
    if why:
        console.print(f"engine {found.engine}: {escape(why)}", soft_wrap=True)
    if instance.best_known is not None:
        vehicles = "" if instance.best_vehicles is None else f" with {instance.best_vehicles} vehicles"
        gap = plan_json.gap_pct(instance, found)
        compared = ", which this plan cannot be compared with" if gap is None else f": gap [bold]{gap:.2f} %[/]"
        console.print(f"best known {instance.best_known:,.10g}{vehicles}{compared}")


def _table(instance: Instance, found: Plan) -> Table:
    late = any(route.late_s for route in found.routes)
    drawn = Table("vehicle", "stops", "leaves", "is back", "distance", *(["late"] if late else []), "order")
    for route in found.routes[:ROUTES_SHOWN]:
        figures = [instance.time(route.start_s), instance.time(route.end_s), instance.length(instance.distance(route))]
        figures += [f"{instance.in_file_units(route.late_s):,.10g}"] if late else []
        order = " ".join("(reload)" if name is None else name for name in route.order)
        drawn.add_row(escape(route.vehicle), str(len(route.visits)), *figures, escape(order))
    return drawn
