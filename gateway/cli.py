"""`coldfleet gateway run | inspect | decode`."""

import os
import secrets
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from gateway.decoders.mapping import Mapping

app = typer.Typer(
    name="gateway", no_args_is_help=True, pretty_exceptions_enable=False, help="The edge box in a cold store."
)


@app.command()
def run(
    config: Annotated[Path, typer.Option(help="The settings, see deploy/gateway.example.toml.")],
    ready_file: Annotated[
        Path | None, typer.Option(help="Written when sensors can connect: {mqtt_port, gateway_id}.")
    ] = None,
    log_level: Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")] = "INFO",
) -> None:
    """Listen to the sensors, keep their readings, send them to the cloud."""
    arguments = ["--config", str(config), "--log-level", log_level]
    if ready_file is not None:
        arguments += ["--ready-file", str(ready_file)]
    sys.stdout.flush()
    # Same process id, a third of the memory: see gateway/__main__.py.
    os.execv(sys.executable, [sys.executable, "-m", "gateway", *arguments])  # noqa: S606


@app.command()
def inspect(data_dir: Annotated[Path, typer.Option(help="The gateway's data_dir; it may be running.")]) -> None:
    """Show what waits in the spool, what was refused, and why."""
    import sqlite_utils

    from gateway.errors import StateError
    from gateway.inspection import report
    from gateway.spool.store import FILE_NAME

    path = data_dir / FILE_NAME
    if not path.is_file():
        _fail(f"{path} does not exist: give the data_dir of a gateway that has run.")
    try:
        report(sqlite_utils.Database(sqlite3.connect(f"file:{path}?mode=ro", uri=True)), data_dir)
    except sqlite3.Error as error:
        _fail(f"{path} cannot be read ({error}): run this as the gateway's user.")
    except StateError as error:
        _fail(str(error))


@app.command()
def decode(
    files: Annotated[list[Path], typer.Argument(help="Case files, see tests/payloads/README.md.")],
    config: Annotated[Path | None, typer.Option(help="A gateway's settings, whose mappings are asked first.")] = None,
) -> None:
    """Print what decoders read from messages in files, a JSON object a file: {file, readings, error}.

    What one message teaches about later ones (Sparkplug's births, Homie's descriptions) is kept from file to file.
    """
    import msgspec

    from gateway import case_files, decoders

    decoder = decoders.with_mappings(_mappings(config) if config is not None else [])
    known, are_cases = decoders.NOTHING, True
    for file in files:
        readings: list[case_files.Reading] = []
        try:
            readings, problem, known = case_files.decode(case_files.read(file), decoder, known)
        except case_files.CaseError as error:
            problem, are_cases = f"{error}.", False
        typer.echo(msgspec.json.encode({"file": str(file), "readings": readings, "error": problem}))
    if not are_cases:
        raise typer.Exit(1)


def _mappings(config: Path) -> "list[Mapping]":
    from gateway.config import load
    from gateway.decoders import mapping
    from gateway.errors import ConfigError

    try:
        return mapping.compiled(load(config, os.environ).mappings)
    except ConfigError as error:
        _fail(str(error))


@app.command()
def password() -> None:
    """Print what may stand in listener.users instead of a password, so that nobody reads it there."""
    from gateway.sources.access import hash_password

    if sys.stdin.isatty():
        told = typer.prompt("Password (empty: draw one)", default="", show_default=False, hide_input=True)
    else:
        told = sys.stdin.readline().rstrip("\r\n")
    if not told:
        told = secrets.token_urlsafe(18)
        typer.echo(f"drawn: {told}", err=True)
    typer.echo(hash_password(told))


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)
