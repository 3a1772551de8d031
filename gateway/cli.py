"""`coldfleet gateway run | inspect | decode`."""

import os
import sqlite3
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

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

    from gateway.inspection import report
    from gateway.spool import FILE_NAME

    path = data_dir / FILE_NAME
    if not path.is_file():
        _fail(f"{path} does not exist: give the data_dir of a gateway that has run.")
    try:
        report(sqlite_utils.Database(sqlite3.connect(f"file:{path}?mode=ro", uri=True)))
    except sqlite3.Error as error:
        _fail(f"{path} cannot be read ({error}): run this as the gateway's user.")


@app.command()
def decode(
    topic: Annotated[str, typer.Argument(help="The MQTT topic of the message.")],
    file: Annotated[Path, typer.Argument(help="The file with the message's bytes.")],
) -> None:
    """Print the readings, tag reads and weights that one message holds, a JSON object a line."""
    import msgspec

    from gateway import decoders
    from gateway.clock import Clock
    from gateway.decoders.decoded import DecodeError

    try:
        decoded = decoders.decode(topic, file.read_bytes(), Clock().wall_ms())
    except OSError as error:
        _fail(f"{file} cannot be read ({error.strerror}): name the file that holds the message.")
    except DecodeError as error:
        _fail(f"{error}.")
    for row in (*decoded.measurements, *(seen.read for seen in decoded.sightings), *decoded.weighings):
        typer.echo(msgspec.json.encode(row))
    for problem in decoded.problems:
        typer.echo(f"not used: {problem}", err=True)


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)
