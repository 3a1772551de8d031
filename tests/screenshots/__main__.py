"""The demonstration is told to its end; then each page of the console is looked at, at a desk, on a phone, in the dark.

`python -m tests.screenshots FOLDER` writes JPEG files into the folder.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coldfleet.demo.api import ADMIN, PASSWORD, Api
from coldfleet.demo.story import run_once, set_up
from tests.cloud_api.console.screens import PHONE, Screen, chromium, screen_of

#: slow enough that the sign-in's hour outlasts a page
SPEED = 60.0
_AT_A_DESK: Mapping[str, str] = {
    "overview": "/console",
    "cold-rooms": "/console/cold-rooms",
    "cold-room": "/console/cold-rooms/{room}",
    "excursions": "/console/excursions",
    "excursion": "/console/excursions/{excursion}",
    "gateways": "/console/gateways",
    "gateway": "/console/gateways/{gateway}",
    "stock": "/console/stock",
    "lots": "/console/lots",
    "lot": "/console/lots/{lot}",
    "movements": "/console/movements",
    "receiving": "/console/receiving",
    "transfers": "/console/transfers",
    "counts": "/console/counts",
    "labels": "/console/labels",
    "products": "/console/products",
    "orders": "/console/orders",
    "order": "/console/orders/{order}",
    "new-order": "/console/orders/new",
    "customers": "/console/customers",
    "picking": "/console/picking",
    "returns": "/console/returns",
    "dispatch": "/console/dispatch?warehouse_id={warehouse}&date={day}",
    "deliveries": "/console/deliveries",
    "delivery": "/console/deliveries/{delivery}",
    "fleet": "/console/fleet",
    "geofences": "/console/geofences",
    "people": "/console/people",
    "roles": "/console/roles",
    "security": "/console/security",
    "audit": "/console/audit",
    "settings": "/console/settings",
    "notifications": "/console/notifications",
    "me": "/console/me",
}
_ON_A_PHONE = ("overview", "cold-room", "stock", "order")
_IN_THE_DARK = ("cold-room", "dispatch", "orders")


def places_of(api: Api) -> dict[str, str]:
    """What stands in the addresses of pages that are about one thing."""

    def first(path: str) -> dict[str, Any]:
        found: dict[str, Any] = api.get(path)[0]
        return found

    excursion, order = first("/excursions"), first("/orders")
    return {
        "room": excursion["location_id"],
        "excursion": excursion["id"],
        "gateway": first("/edge/gateways")["id"],
        "lot": first("/warehouse/batches")["id"],
        "order": order["id"],
        "warehouse": order["warehouse_id"],
        "day": order["delivery_date"],
        "delivery": first("/warehouse/deliveries")["id"],
    }


def pictures() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(file's name, page, how it is looked at)."""
    for name in _AT_A_DESK:
        yield name, name, {}
    for name in _ON_A_PHONE:
        yield f"{name}-phone", name, {"viewport": PHONE}
    for name in _IN_THE_DARK:
        yield f"{name}-dark", name, {"color_scheme": "dark"}


async def come_in(screen: Screen) -> None:
    """Sign in by the form."""
    await screen.open("/console/sign-in")
    await screen.page.fill("#f-login", ADMIN)
    await screen.page.fill("#f-password", PASSWORD)
    await screen.page.click("button[type=submit]")
    await screen.page.wait_for_selector("nav", state="attached")


async def take(browser_url: str, address: str, places: Mapping[str, str], folder: Path) -> None:
    """Take every picture.

    Raises:
        AssertionError: when the browser complained of a page.
    """
    for name, page, options in pictures():
        async with screen_of(browser_url, address, **options) as screen:
            await come_in(screen)
            await screen.open(_AT_A_DESK[page].format_map(places))
            await screen.page.wait_for_load_state("networkidle")
            await screen.page.screenshot(path=folder / f"{name}.jpg", type="jpeg", quality=75)


def main(folder: Path) -> None:
    """Tell the story, take the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="coldfleet-screenshots-") as made:
        work = Path(made)
        for name in ("browser", "demo"):
            (work / name).mkdir()
        with (
            set_up(work / "demo", speed=SPEED, seed=7, port=0, broken=None, tell=print) as stage,
            chromium(work / "browser") as browser_url,
        ):
            run_once(stage, broken=None, tell=print)
            asyncio.run(take(browser_url, stage.world.api_url, places_of(stage.api), folder))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screenshots"))
