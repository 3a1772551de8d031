"""The demonstration is told to its end; then each page of the console is looked at, at a desk, on a phone, in the dark.

`python -m tests.screenshots FOLDER` writes JPEG files into the folder.
"""

import asyncio
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from coldfleet.demo.api import ADMIN, PASSWORD, Api
from coldfleet.demo.story import run_once, set_up
from tests.cloud_api.console.screens import PHONE, Screen, chromium, screen_of

#: slow enough that the sign-in's hour outlasts a page
SPEED = 60.0
_AT_A_DESK: Mapping[str, str] = {
    "overview": "/console",
    "first-steps": "/console/first-steps",
    "cold-rooms": "/console/cold-rooms",
    "cold-rooms-board": "/console/cold-rooms/board",
    "cold-room": "/console/cold-rooms/{room}",
    "cold-rooms-compared": "/console/cold-rooms/compare?{rooms}",
    "excursions": "/console/excursions",
    "excursion": "/console/excursions/{excursion}",
    "alerts": "/console/excursions/alerts",
    "rules": "/console/rules",
    "new-rule": "/console/rules/new",
    "policies": "/console/rules/policies",
    "gateways": "/console/gateways",
    "gateway": "/console/gateways/{gateway}",
    "gateway-configuration": "/console/gateways/{gateway}/config",
    "gateway-commands": "/console/gateways/{gateway}/commands",
    "gateway-devices": "/console/gateways/{gateway}/devices",
    "sensors": "/console/gateways/sensors",
    "stock": "/console/stock",
    "stock-by-product": "/console/stock/by-product",
    "stock-low": "/console/stock/low",
    "stock-holds": "/console/stock/holds",
    "stock-reservations": "/console/stock/reservations",
    "stock-on-the-way": "/console/stock/on-the-way",
    "stock-adjust": "/console/stock/adjust",
    "lots": "/console/lots",
    "lot": "/console/lots/{lot}",
    "recalls": "/console/lots/recalls",
    "warehouses": "/console/warehouses",
    "warehouse": "/console/warehouses/{warehouse}",
    "place": "/console/places/{room}",
    "movements": "/console/movements",
    "receiving": "/console/receiving",
    "transfers": "/console/transfers",
    "new-transfer": "/console/transfers/new",
    "counts": "/console/counts",
    "labels": "/console/labels",
    "assets": "/console/assets",
    "sightings": "/console/sightings",
    "tags": "/console/sightings/bindings",
    "products": "/console/products",
    "product": "/console/products/{product}",
    "categories": "/console/products/categories",
    "keywords": "/console/products/keywords",
    "orders": "/console/orders",
    "order": "/console/orders/{order}",
    "new-order": "/console/orders/new",
    "customers": "/console/customers",
    "customer": "/console/customers/{customer}",
    "messages": "/console/customers/messages",
    "cash": "/console/orders/cash",
    "delivery-windows": "/console/orders/slots?warehouse_id={warehouse}&day={day}",
    "picking": "/console/picking",
    "returns": "/console/returns",
    "dispatch": "/console/dispatch?warehouse_id={warehouse}&date={day}",
    "dispatch-rules": "/console/dispatch/constraints",
    "dispatch-history": "/console/dispatch/history",
    "deliveries": "/console/deliveries",
    "deliveries-earlier": "/console/deliveries/earlier",
    "delivery": "/console/deliveries/{delivery}",
    "proof": "/console/deliveries/{delivery}/proof",
    "routes": "/console/routes",
    "route": "/console/routes/{route}",
    "fleet": "/console/fleet",
    "fleet-shifts": "/console/fleet/shifts",
    "fleet-use": "/console/fleet/use",
    "fleet-due": "/console/fleet/due",
    "geofences": "/console/geofences",
    "performance": "/console/performance",
    "management": "/console/management",
    "people": "/console/people",
    "roles": "/console/roles",
    "teams": "/console/teams",
    "security": "/console/security",
    "audit": "/console/audit",
    "imports": "/console/imports",
    "settings": "/console/settings",
    "settings-look": "/console/settings/look",
    "settings-keys": "/console/settings/machines",
    "settings-providers": "/console/settings/providers",
    "settings-privacy": "/console/settings/privacy",
    "settings-retention": "/console/settings/retention",
    "settings-messages": "/console/settings/messages",
    "settings-message": "/console/settings/messages/order.packed?channel=mail&locale=en",
    "gateways-gaps": "/console/gateways/gaps",
    "notifications": "/console/notifications",
    "me": "/console/me",
}
#: how they are looked at -> what is added to the file's name, and which
_LOOKS: Sequence[tuple[str, Mapping[str, Any], Collection[str]]] = (
    ("", {}, _AT_A_DESK),
    ("-phone", {"viewport": PHONE}, ("overview", "cold-room", "stock", "order", "picking", "deliveries")),
    ("-dark", {"color_scheme": "dark"}, ("cold-room", "cold-rooms-board", "dispatch", "orders", "performance")),
)


def places_of(api: Api) -> dict[str, str]:
    """What stands in the addresses of pages that are about one thing."""

    def first(path: str) -> dict[str, Any]:
        found: dict[str, Any] = api.get(path)[0]
        return found

    excursion, order, delivery = first("/excursions"), first("/orders"), first("/warehouse/deliveries")
    return {
        "room": excursion["location_id"],
        "rooms": "&".join(f"id={one['id']}" for one in api.get("/warehouse/storage/locations", measured="true")[:4]),
        "excursion": excursion["id"],
        "gateway": first("/edge/gateways")["id"],
        "lot": first("/warehouse/batches")["id"],
        "order": order["id"],
        "warehouse": order["warehouse_id"],
        "day": order["delivery_date"],
        "delivery": delivery["id"],
        "route": delivery["route_id"],
        "customer": order["customer_id"],
        "product": first("/warehouse/products")["id"],
    }


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
    for ending, look, names in _LOOKS:
        async with screen_of(browser_url, address, **look) as screen:
            await come_in(screen)
            for name in names:
                await screen.open(_AT_A_DESK[name].format_map(places))
                await screen.page.wait_for_load_state("networkidle")
                await screen.page.screenshot(path=folder / f"{name}{ending}.jpg", type="jpeg", quality=70)


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
