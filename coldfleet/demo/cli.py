"""`coldfleet demo`."""

import contextlib
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from coldfleet.demo import replay, screen
from coldfleet.demo.api import Api
from coldfleet.demo.story import Break, Stage, Tell, run_once, sell_and_deliver, set_up

app = typer.Typer(invoke_without_command=True)

ONCE_SPEED, LIVE_SPEED = 200.0, 60.0
LIVE_PORT = 8000


@app.callback()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Run to the end, check every link, exit 1 when one fails.")
    ] = False,
    speed: Annotated[
        float | None, typer.Option(help="Times real time; 60, or 200 with --once.", min=1, max=600)
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed, the same rooms.", min=0)] = 7,
    broken: Annotated[Break | None, typer.Option("--break", help="Break one link on purpose (with --once).")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the API; 8000, or a free one with --once.", min=0, max=65535)
    ] = None,
    replayed: Annotated[
        Path | None, typer.Option("--replay", help="Send every recorded message of this folder instead.", exists=True)
    ] = None,
    keep: Annotated[Path | None, typer.Option(help="Keep databases and logs in this empty folder.")] = None,
) -> None:
    """From a sensor's reading to a held lot, before your eyes: nothing to install, nothing kept."""
    if replayed is not None:
        _replay(replayed, seed, keep)
        return
    if broken is not None and not once:
        raise typer.BadParameter("--break goes with --once")
    console = Console()
    began = time.monotonic()

    def tell(what: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.1f} s[/]  {what}")

    with _folder(keep) as folder:
        chosen = (0 if once else LIVE_PORT) if port is None else port
        chosen_speed = speed or (ONCE_SPEED if once else LIVE_SPEED)
        with set_up(folder, speed=chosen_speed, seed=seed, port=chosen, broken=broken, tell=tell) as stage:
            if once:
                _once(stage, broken, console, tell)
            else:
                _watch(stage, console)


def _once(stage: Stage, broken: Break | None, console: Console, tell: Tell) -> None:
    links = run_once(stage, broken=broken, tell=tell)
    console.print(screen.verdict(links))
    for name in ("gateway", "cloud"):
        rss_mb = stage.world.processes[name].rss_mb
        if rss_mb is not None:
            tell(f"memory of the {name}: {rss_mb:.0f} MB")
    failed = [link.name for link in links if not link.holds]
    if failed:
        console.print(f"[bold red]the chain breaks at: {failed[0]}[/]")
        raise typer.Exit(1)
    tell("every link holds")


def _replay(folder: Path, seed: int, keep: Path | None) -> None:
    console = Console()
    messages = replay.load(folder)
    with (
        _folder(keep) as kept,
        set_up(kept, speed=1.0, seed=seed, port=0, broken=None, tell=console.print) as stage,
    ):
        outcomes = list(replay.replay(stage.world, messages))
        console.print(screen.replayed(outcomes, replay.arrived(stage.world, stage.api)))


def _watch(stage: Stage, console: Console) -> None:
    """Show the chain live; when the keeper's phone has rung, the shop opens."""
    stage.world.start_rooms(duration_s=None)
    opened = False
    with contextlib.suppress(KeyboardInterrupt), Live(screen.live(stage), console=console, auto_refresh=False) as view:
        while True:
            if not opened and stage.world.pushed(stage.farm):
                opened = True
                # its own connection: the screen goes on reading meanwhile
                selling = replace(stage, api=Api(stage.world.api_url))
                arguments = {"broken": None, "tell": lambda _what: None}
                threading.Thread(target=sell_and_deliver, args=(selling,), kwargs=arguments, daemon=True).start()
            view.update(screen.live(stage), refresh=True)
            time.sleep(0.5)
    console.print("stopping ...")


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        folder = Path(tempfile.mkdtemp(prefix="coldfleet-demo-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    if keep.exists() and any(keep.iterdir()):
        raise typer.BadParameter(f"{keep} is not empty: name a folder that is", param_hint="--keep")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep.resolve()
