"""`coldfleet bench ...`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from route_optimizer import bench

app = typer.Typer(no_args_is_help=True)


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
def routes(
    folder: Annotated[Path, typer.Argument(help="Instances, each with its .sol beside it.", exists=True)],
    time_limit: Annotated[float, typer.Option(min=0.1, help="Seconds to search, an instance.")] = 10.0,
    everything: Annotated[bool, typer.Option("--all", help="Every instance of the folder, not the sample.")] = False,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Gap to the best known costs of Solomon's instances."""
    files = sorted(path for path in folder.iterdir() if path.suffix in {".txt", ".vrp"})
    chosen = [path for path in files if everything or path.stem in bench.SAMPLE]
    if not chosen:
        raise typer.TyperException(f"{folder} has none of {', '.join(bench.SAMPLE)}: name another folder, or --all")
    measured = track(bench.measure(chosen, budget_s=time_limit, seed=seed), "solving", total=len(chosen))
    Console().print(bench.table(list(measured)))
