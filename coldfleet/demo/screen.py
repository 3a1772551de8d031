"""What one sees: the chain from left to right, live."""

from collections.abc import Sequence
from typing import Any

import httpx2
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from coldfleet.demo.api import ADMIN, PASSWORD
from coldfleet.demo.farm import LIMIT_C
from coldfleet.demo.links import Link, spooled_readings, waiting_readings
from coldfleet.demo.replay import LANES, Outcome
from coldfleet.demo.story import Stage


def live(stage: Stage) -> Group:
    """The chain as it is now."""
    world, api = stage.world, stage.api
    report = world.rooms_report()
    excursions = api.get("/excursions")
    return Group(
        Text(f"World time {world.world_time():%H:%M:%S} UTC, {world.speed:g} times real time", style="bold"),
        _rooms(report),
        _gateway(stage, report),
        _excursions(excursions),
        _stock(stage),
        _phone(stage),
        _deliveries(stage),
        Text(f"Console: {world.api_url}/console   sign in as {ADMIN} / {PASSWORD}   Ctrl-C ends", style="bold"),
        Text(f"API documentation: {world.api_url}/docs", style="dim"),
    )


def verdict(links: Sequence[Link]) -> Table:
    """The links and what was found."""
    table = Table(title="The chain, checked from outside", title_justify="left")
    table.add_column("link")
    table.add_column("holds")
    table.add_column("found", overflow="fold")
    for link in links:
        table.add_row(link.name, "[green]yes[/]" if link.holds else "[bold red]NO[/]", link.found)
    return table


def replayed(outcomes: Sequence[Outcome], accepted: dict[str, int]) -> Group:
    """What became of recorded messages, by maker, and why some were refused."""
    table = Table(title="Recorded messages, through gateway and cloud", title_justify="left")
    for column in ("maker", "messages", *LANES, "refused"):
        table.add_column(column, justify="left" if column == "maker" else "right")
    for maker in sorted({outcome.message.maker for outcome in outcomes}):
        its = [outcome for outcome in outcomes if outcome.message.maker == maker]
        rows = [str(sum(outcome.rows[lane] for outcome in its)) for lane in LANES]
        table.add_row(maker, str(len(its)), *rows, str(sum(bool(outcome.reasons) for outcome in its)))
    made = sum(any(outcome.rows[lane] for lane in LANES) for outcome in outcomes)
    refused = [outcome for outcome in outcomes if outcome.reasons]
    stored = ", ".join(f"{accepted.get(lane, 0)} {lane}" for lane in LANES)
    return Group(
        table,
        *(Text(f"{o.message.maker}/{o.message.name}: {_short(o)}", style="dim") for o in refused),
        Text(
            f"{made} of {len(outcomes)} messages became rows, {len(refused)} were refused, whole or in part, "
            f"{len(outcomes) - made - len(refused)} say nothing to keep. In the cloud: {stored}."
        ),
    )


def _short(outcome: Outcome) -> str:
    """Why a message was refused; what is understood instead stands in the gateway's own dead letters."""
    return "; ".join(reason.split("; topics begin with")[0] for reason in outcome.reasons)


def _rooms(report: dict[str, Any]) -> Table:
    table = Table(title="1  Cold rooms (simulated)", title_justify="left", expand=True)
    for column in ("room", "air", "product core", "door", "compressor"):
        table.add_column(column)
    for name, room in report.get("rooms", {}).items():
        air = room["air_temperature_c"]
        colour = "red" if air > LIMIT_C else "green"
        door = "[bold red]open[/]" if room["door"] == "open" else "closed"
        table.add_row(name, f"[{colour}]{air:.1f} °C[/]", f"{room['product_core_c']:.1f} °C", door, room["compressor"])
    return table


def _gateway(stage: Stage, report: dict[str, Any]) -> Panel:
    world = stage.world
    messages = sum(sensor["acknowledged"] for sensor in report.get("sensors", {}).values())
    spooled = spooled_readings(world) if world.spool.exists() else 0
    waiting = waiting_readings(world) if world.spool.exists() else 0
    lanes = stage.api.get("/telemetry/stats")
    stored = sum(lane["accepted"] for lane in lanes if lane["lane"] == "readings")
    line = f"{messages} messages acknowledged → {spooled} readings on disk, {waiting} waiting → {stored} in the cloud"
    return Panel(line, title="2  Gateway", title_align="left")


def _excursions(excursions: list[dict[str, Any]]) -> Panel:
    lines = [
        f"{excursion['number']} [bold]{excursion['status']}[/], above {excursion['set_at']:g} °C, "
        f"peak {excursion['peak_value']:.1f} °C, first seen by the {excursion['raised_by']}"
        for excursion in excursions
    ]
    return Panel(
        "\n".join(lines) or "none yet: the door opens at five minutes", title="3  Excursions", title_align="left"
    )


def _stock(stage: Stage) -> Table:
    table = Table(title="4  Stock", title_justify="left", expand=True)
    for column in ("lot", "room", "on hand", "may be sold", "status"):
        table.add_column(column)
    lots = {lot["id"]: lot["lot_number"] for lot in stage.api.get("/warehouse/batches")}
    rooms = {room_id: name for name, room_id in stage.farm.rooms.items()}
    levels = [level for level in stage.api.get("/warehouse/stock/levels") if level["location_id"] in rooms]
    for level in sorted(levels, key=lambda level: str(level["id"])):
        status = "[bold red]on hold[/]" if level["status"] == "on_hold" else "[green]available[/]"
        table.add_row(lots[level["lot_id"]], rooms[level["location_id"]], level["on_hand"], level["available"], status)
    return table


def _phone(stage: Stage) -> Panel:
    try:
        messages = [message["message"]["notification"] for message in stage.world.pushed(stage.farm)]
    except httpx2.HTTPError:
        messages = []
    lines = [f"[bold]{message['title']}[/]\n{message['body']}" for message in messages]
    return Panel("\n".join(lines) or "silent", title="5  The keeper's phone", title_align="left")


def _deliveries(stage: Stage) -> Table:
    """Each order, and how far its van is."""
    table = Table(title="6  Orders and deliveries", title_justify="left", expand=True)
    for column in ("order", "for", "status", "route", "stop", "delivery", "product"):
        table.add_column(column)
    stops = {stop["order_id"]: stop for stop in stage.api.get("/warehouse/deliveries")}
    routes = {route["id"]: route["number"] for route in stage.api.get("/warehouse/routes")}
    for order in reversed(stage.api.get("/orders")):
        stop = stops.get(order["id"])
        if stop is None:
            table.add_row(order["number"], order["customer_name"], order["status"], "", "", "", "")
            continue
        measured = stop["cargo_temperature_c"]
        product = "" if measured is None else f"{measured:.1f} °C"
        way = [routes[stop["route_id"]], str(stop["sequence"]), stop["status"], product]
        table.add_row(order["number"], order["customer_name"], order["status"], *way)
    return table
