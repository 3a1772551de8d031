"""`coldfleet bench ...`."""

import asyncio
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from coldfleet.bench.gateway import Figure

app = typer.Typer(no_args_is_help=True)


def _collected(measured: "Iterable[Figure]") -> "list[Figure]":
    """The figures, each told as it comes."""
    from coldfleet.bench.processes import BenchProblem

    figures, console = [], Console(stderr=True)
    try:
        for figure in measured:
            figures.append(figure)
            console.print(f"{figure.name}: {figure.median:,.1f} {figure.unit}")
    except BenchProblem as problem:
        raise typer.TyperException(str(problem)) from None
    return figures


def _tell(figures: "Sequence[Figure]", machine: str, *, as_json: bool) -> None:
    """The report."""
    from coldfleet.bench import gateway as bench_gateway

    if as_json:
        typer.echo(json.dumps(bench_gateway.as_json(figures, machine), indent=2))
    else:
        width = None if sys.stdout.isatty() else 170  # whoever keeps it wants whole lines
        Console(width=width).print(bench_gateway.table(figures, machine))


@app.callback()
def measure() -> None:
    """Measure what docs/benchmarks.md reports."""


@app.command()
def access(
    calls: Annotated[int, typer.Option(min=40, help="Requests of each kind; a quarter of it sign-ins.")] = 2_000,
    database_url: Annotated[
        str, typer.Option(help="A migrated PostgreSQL to measure on; an own SQLite when empty.")
    ] = "",
) -> None:
    """Signing in, an authenticated request, and the walls between organisations, each beside a peer."""
    from coldfleet.bench import access as bench_access  # heavy: who measures routes needs no cloud

    Console().print(bench_access.table(asyncio.run(bench_access.measure(database_url, calls=calls))))


@app.command()
def gateway(
    seconds: Annotated[float, typer.Option(min=1.0, help="How long each run is watched.")] = 5.0,
    repeat: Annotated[int, typer.Option(min=1, help="Runs of each kind; the median counts.")] = 3,
    peers: Annotated[
        Path | None, typer.Option(help="Folder to install thingsboard-gateway into; without it, without that one.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="ingest, forwarding, quiet, latency, backlog or peers; again for more.")
    ] = None,
    backlog_rows: Annotated[int, typer.Option(min=100_000, help="Readings that wait for the cloud.")] = 13_000_000,
    folder: Annotated[
        Path | None, typer.Option(help="Where the data lie meanwhile: on a disk, not in memory.", exists=True)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of the table.")] = False,
) -> None:
    """The gateway: what it takes, what it costs, and the same of others."""
    from coldfleet.bench import gateway as bench_gateway
    from coldfleet.bench import processes

    parts = only or list(bench_gateway.PARTS)
    if unknown := set(parts) - set(bench_gateway.PARTS):
        raise typer.TyperException(f"{', '.join(unknown)}: choose from {', '.join(bench_gateway.PARTS)}")
    os.sched_setaffinity(0, {processes.cores()[1]})
    with processes.work_folder(folder) as made:
        machine = processes.machine(Path(made))
        wanted = bench_gateway.Wanted(Path(made), seconds, repeat, backlog_rows, peers)
        figures = _collected(bench_gateway.measure(wanted, parts))
    _tell(bench_gateway.compared(figures), machine, as_json=as_json)


@app.command()
def ingest(
    repeat: Annotated[int, typer.Option(min=1, help="Runs of each; the median counts.")] = 3,
    batches: Annotated[int, typer.Option(min=2, help="Batches of 1,000 of each of 32 gateways, a run.")] = 20,
    peers: Annotated[
        Path | None,
        typer.Option(help="Folder to unpack Debian's influxdb and victoria-metrics into; without it, without them."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where the peers' data lie meanwhile: on a disk, not in memory.", exists=True)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of the table.")] = False,
) -> None:
    """What the cloud takes in on PostgreSQL, by the processor time it costs, and the same of others."""
    from coldfleet.bench import ingest as bench_ingest
    from coldfleet.bench import processes

    os.sched_setaffinity(0, {processes.cores()[1]})
    with processes.work_folder(folder) as made:
        wanted = bench_ingest.Wanted(Path(made), repeat, batches, peers)
        machine, figures = processes.machine(Path(made)), _collected(bench_ingest.measure(wanted))
    _tell(figures, machine, as_json=as_json)


@app.command()
def alerts(
    excursions: Annotated[int, typer.Option(min=2, help="Breaches whose pushes are timed.")] = 200,
    readings_per_s: Annotated[int, typer.Option(min=4, help="Readings that flow beside them.")] = 400,
    screens: Annotated[int, typer.Option(min=1, help="Websockets on one room.")] = 1_000,
    rounds: Annotated[int, typer.Option(min=2, help="Readings that all of them are shown.")] = 100,
    minutes: Annotated[float, typer.Option(min=0.05, help="How long too much is offered.")] = 10.0,
    only: Annotated[list[str] | None, typer.Option(help="push, fanout, overload or crash; again for more.")] = None,
    database_url: Annotated[
        str, typer.Option(help="A migrated PostgreSQL, or `postgres` for an own one; an own SQLite when empty.")
    ] = "",
    folder: Annotated[
        Path | None, typer.Option(help="Where the data lie meanwhile: on a disk, not in memory.", exists=True)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of the table.")] = False,
) -> None:
    """From a reading to the phone and to the last of many screens; too much at once; and power cuts."""
    from coldfleet.bench import alerts as bench_alerts
    from coldfleet.bench import processes

    parts = only or list(bench_alerts.PARTS)
    if unknown := set(parts) - set(bench_alerts.PARTS):
        raise typer.TyperException(f"{', '.join(unknown)}: choose from {', '.join(bench_alerts.PARTS)}")
    os.sched_setaffinity(0, {processes.cores()[1]})
    with processes.work_folder(folder) as made:
        engine = database_url or "sqlite"
        wanted = bench_alerts.Wanted(Path(made), engine, excursions, readings_per_s, screens, rounds, minutes)
        machine, figures = processes.machine(Path(made)), _collected(bench_alerts.measure(wanted, parts))
    _tell(figures, machine, as_json=as_json)


@app.command()
def timeseries(
    rows: Annotated[int, typer.Option(min=10_000, help="Readings; 10,000 of a sensor.")] = 10_000_000,
    calls: Annotated[int, typer.Option(min=2, help="Requests of each kind.")] = 200,
    database_url: Annotated[
        str, typer.Option(help="A migrated PostgreSQL to measure on; an own SQLite when empty.")
    ] = "",
    folder: Annotated[
        Path | None, typer.Option(help="Where the data lie meanwhile: on a disk, not in memory.", exists=True)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of the table.")] = False,
) -> None:
    """How quickly questions about a month of readings are answered, and the same by a plain query."""
    from coldfleet.bench import processes
    from coldfleet.bench import timeseries as bench_timeseries

    with processes.work_folder(folder) as made:
        machine = processes.machine(Path(made))
        wanted = bench_timeseries.measure(Path(made), database_url, readings=rows, calls=calls)
        figures = asyncio.run(wanted)
    if as_json:
        typer.echo(json.dumps(bench_timeseries.as_json(figures, machine), indent=2))
    else:
        width = None if sys.stdout.isatty() else 170
        Console(width=width).print(bench_timeseries.table(figures, machine))


@app.command()
def stock(
    promises: Annotated[int, typer.Option(min=500, help="Asked for in a run of `reserve`.")] = 10_000,
    repeat: Annotated[int, typer.Option(min=1, help="Runs of `reserve`; the median counts.")] = 3,
    calls: Annotated[int, typer.Option(min=20, help="Requests of each kind.")] = 200,
    movements: Annotated[int, typer.Option(min=1_000, help="In the ledger that is asked.")] = 1_000_000,
    lots: Annotated[int, typer.Option(min=100, help="That these movements are of.")] = 100_000,
    many_lots: Annotated[int, typer.Option(min=1_000, help="Beside which a new lot is opened.")] = 1_000_000,
    many_movements: Annotated[int, typer.Option(min=1_000, help="Among which a lot is traced.")] = 10_000_000,
    engine: Annotated[list[str] | None, typer.Option(help="postgres or sqlite; both when not said.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="reserve, questions, lots or trace; again for more.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where SQLite's data lie meanwhile: on a disk, not in memory.", exists=True)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of the table.")] = False,
) -> None:
    """Promising stock beside SELECT ... FOR UPDATE, and how quickly a full warehouse answers."""
    from coldfleet.bench import processes
    from coldfleet.bench import stock as bench_stock
    from coldfleet.bench.stock_questions import Sizes

    parts, engines = only or list(bench_stock.PARTS), engine or list(bench_stock.ENGINES)
    for said, known in ((parts, bench_stock.PARTS), (engines, bench_stock.ENGINES)):
        if unknown := set(said) - set(known):
            raise typer.TyperException(f"{', '.join(unknown)}: choose from {', '.join(known)}")
    with processes.work_folder(folder) as made:
        sizes = Sizes(calls, movements, lots, many_lots, many_movements)
        wanted = bench_stock.Wanted(Path(made), engines, repeat, promises, sizes)
        machine, figures = processes.machine(Path(made)), _collected(bench_stock.measure(wanted, parts))
    _tell(figures, machine, as_json=as_json)


@app.command()
def routes(
    folder: Annotated[
        Path | None, typer.Argument(help="Instances, each with its .sol beside it; without it, ten of them.")
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds to search, an instance, in place of its class's own.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="The folder's own folders too.")] = False,
    seeds: Annotated[int, typer.Option(min=1, help="Searches of each; the median counts.")] = 3,
    engine: Annotated[
        list[str] | None, typer.Option(help="coldfleet, pyvrp, vroom or ortools; again for more; all when not said.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="gaps, rules or late; again for more.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of the table.")] = False,
) -> None:
    """Gaps to the best known costs of public instances, beside peers; what rules cost; a late order."""
    from coldfleet.bench import processes
    from coldfleet.bench import routes as bench_routes

    parts, engines = only or list(bench_routes.PARTS), engine or list(bench_routes.ENGINES)
    for said, known in ((parts, bench_routes.PARTS), (engines, bench_routes.ENGINES)):
        if unknown := set(said) - set(known):
            raise typer.TyperException(f"{', '.join(unknown)}: choose from {', '.join(known)}")
    with processes.work_folder(None) as made:
        where = folder or bench_routes.SAMPLE
        wanted = bench_routes.Wanted(Path(made), where, engines, seeds, time_limit, deep=everything)
        machine, figures = processes.machine(Path(made)), _collected(bench_routes.measure(wanted, parts))
    _tell(figures, machine, as_json=as_json)


@app.command()
def delivery(
    people: Annotated[int, typer.Option(min=20, help="At once, at the most; and phones that tell positions.")] = 1_000,
    seconds: Annotated[float, typer.Option(min=2.0, help="How long each number of people is watched.")] = 20.0,
    events: Annotated[int, typer.Option(min=10, help="Followed to a screen and a phone.")] = 200,
    only: Annotated[
        list[str] | None, typer.Option(help="load, positions, live, sync or confirm; again for more.")
    ] = None,
    database_url: Annotated[
        str, typer.Option(help="A migrated PostgreSQL, or `sqlite` for a file; an own PostgreSQL when not said.")
    ] = "postgres",
    folder: Annotated[
        Path | None, typer.Option(help="Where the data lie meanwhile: on a disk, not in memory.", exists=True)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of the table.")] = False,
) -> None:
    """Drivers and dispatchers at once; positions; what screens and phones learn; a phone that was offline; promises."""
    from coldfleet.bench import delivery as bench_delivery
    from coldfleet.bench import processes

    parts = only or list(bench_delivery.PARTS)
    if unknown := set(parts) - set(bench_delivery.PARTS):
        raise typer.TyperException(f"{', '.join(unknown)}: choose from {', '.join(bench_delivery.PARTS)}")
    os.sched_setaffinity(0, {processes.cores()[1]})
    with processes.work_folder(folder) as made:
        wanted = bench_delivery.Wanted(Path(made), database_url, people, seconds, events)
        machine, figures = processes.machine(Path(made)), _collected(bench_delivery.measure(wanted, parts))
    _tell(figures, machine, as_json=as_json)


@app.command()
def console(
    readings: Annotated[int, typer.Option(min=10_000, help="Of one farm's cold rooms.")] = 10_000_000,
    orders: Annotated[int, typer.Option(min=1_000, help="Of another's shop.")] = 100_000,
    calls: Annotated[int, typer.Option(min=20, help="Of each page.")] = 40,
    database_url: Annotated[
        str, typer.Option(help="A migrated PostgreSQL, or `sqlite` for a file; an own PostgreSQL when not said.")
    ] = "postgres",
    folder: Annotated[
        Path | None, typer.Option(help="Where the data lie meanwhile: on a disk, not in memory.", exists=True)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of the table.")] = False,
) -> None:
    """What the console's first page weighs, and how long its pages take among many orders and readings."""
    from coldfleet.bench import console as bench_console
    from coldfleet.bench import processes

    os.sched_setaffinity(0, {processes.cores()[1]})
    with processes.work_folder(folder) as made:
        wanted = bench_console.Wanted(Path(made), database_url, readings, orders, calls)
        machine, figures = processes.machine(Path(made)), _collected(bench_console.measure(wanted))
    _tell(figures, machine, as_json=as_json)
