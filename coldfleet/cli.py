"""The command `coldfleet`: each package brings its own part, loaded only when it is asked for."""

import gc
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import typer


@dataclass(frozen=True)
class Part:
    """One package's part of the command."""

    #: has a Typer called `app`
    module: str
    #: the extra of the distribution that brings what it needs
    extra: str
    summary: str


PARTS = {
    "demo": Part("coldfleet.demo.cli", "all", "Show the whole chain running, in one terminal."),
    "gateway": Part("gateway.cli", "gateway", "The box in a cold store: run it, look into it."),
    "cloud": Part("cloud_api.cli", "cloud", "The platform: API, worker, migrations."),
    "plan": Part("route_optimizer.cli", "optimizer", "Plan routes: VRPLIB, Solomon, VROOM or a problem of your own."),
    "bench": Part("coldfleet.bench.cli", "all", "Measure what docs/benchmarks.md reports."),
    "sim": Part("device_sims.cli", "sims", "Simulated cold rooms and sensors; doubles of outside services."),
}


def build(wanted: str | None) -> typer.Typer:
    """The command with the part `wanted` in full, and the others named only.

    Raises:
        typer.TyperException: when packages that the part needs are not installed.
    """
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback(help="Coldfleet: from a sensor's reading to the proof of delivery.")(_nothing)
    for name, part in PARTS.items():
        if name == wanted:
            app.add_typer(_load(name, part), name=name, help=part.summary)
        else:
            app.command(name, help=part.summary)(_nothing)
    return app


def _load(name: str, part: Part) -> typer.Typer:
    gc.disable()  # what is loaded stays: looking for garbage in it costs a third of the time
    try:
        module = importlib.import_module(part.module)
    except ModuleNotFoundError as error:
        raise typer.TyperException(
            f"`coldfleet {name}` needs the package {error.name}: pip install 'coldfleet[{part.extra}]'"
        ) from None
    finally:
        gc.freeze()
        gc.enable()
    app: typer.Typer = module.app
    return app


def _nothing() -> None:
    """A command that is named, not run."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; a problem a person can mend is one sentence on standard error, never a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        build(next((word for word in words if not word.startswith("-")), None))(args=words, prog_name="coldfleet")
    except typer.TyperException as error:
        typer.echo(error.message, err=True)
        sys.exit(error.exit_code)
