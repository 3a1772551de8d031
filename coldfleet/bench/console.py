"""What the console weighs and how long its pages take: `coldfleet bench console`.

A day of 30 vans with 17 doors each is under way, among 100,000 orders; another organisation has 10 million readings.
`weight`: what a browser that has nothing loads before it shows the overview. `pages`: the time of a page by HTTP on
loopback, one after the other, from the first byte sent to the last received; what the page then asks for itself is
measured as a page of its own. `drag`: a stop of a day that has not begun goes to another van.
"""

import asyncio
import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2
from sqlalchemy import Table, select

from cloud_api.devices.models import Sensor
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.roles.catalogue import ADMIN
from cloud_api.inventory.ledger.models import Lot
from cloud_api.kernel import logs
from cloud_api.kernel.db import Database
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.permissions import BROWSER_COOKIE
from cloud_api.kernel.settings import Settings
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.states import OrderStatus
from cloud_api.telemetry.stores.sealing import ReadingSealer
from coldfleet.bench import cloud, dragging, timeseries_fill
from coldfleet.bench.alerts_site import Engine
from coldfleet.bench.delivery_site import Day, Person, Site, all_heard, hire, plan_day, running_day
from coldfleet.bench.gateway import Figure, at_most

VANS, STOPS = 30, 17
MOST_KB, SLOW_MS, DRAG_MS = 500.0, 100.0, 200.0
_MOST_DRAGS = 20
_ROWS_AT_ONCE = 2_000
_ORDERS_A_DAY = 300
_ASSET = re.compile(r'(?:src|href)="(/console/static/[^"#]+)')
_WARM = 3


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    folder: Path
    engine: Engine
    readings: int
    orders: int
    #: of each page
    calls: int


@dataclass(frozen=True)
class Seat:
    """Somebody at a screen, and what they open."""

    person: Person
    pages: Mapping[str, str]


@dataclass(frozen=True)
class Filled:
    """What there is to be looked at."""

    office: Seat
    store: Seat
    #: its vans have not left
    planned: Day


def measure(wanted: Wanted) -> Iterator[Figure]:
    """All figures, as they come."""
    logs.configure(level="warning", for_people=True)
    folder = wanted.folder / "console"
    with running_day(folder, drivers=VANS, stops=STOPS, dispatchers=1, engine=wanted.engine) as site:
        filled = asyncio.run(_fill(site, wanted))
        asyncio.run(all_heard(site.database_url))
        asyncio.run(_all_sealed(site.database_url))
        asyncio.run(site.kept.settle())
        office, store = filled.office, filled.store
        yield at_most("weight: the overview, all it loads, compressed", "kB", [_weight(site, office.person)], MOST_KB)
        for seat in (office, store):
            for name, path in seat.pages.items():
                took_ms = _timed(site, seat.person, path, wanted.calls)
                yield at_most(f"pages: {name}, p95", "ms", [_p95(took_ms)], SLOW_MS)
        yield from _dragging(site, filled.planned, folder, wanted.calls)


async def _all_sealed(database_url: str) -> None:
    """Past days of readings are sealed, as a platform has them that took in a month day by day."""
    database = Database(database_url)
    try:
        sealer = ReadingSealer(database, after_days=Settings.model_fields["seal_readings_after_days"].default, rest=0)
        while await sealer.seal_due():
            pass
    finally:
        await database.close()


def _dragging(site: Site, day: Day, folder: Path, calls: int) -> Iterator[Figure]:
    """Of a day that has not begun."""
    name = f"drag: a stop moved to another of {VANS} vans, until the schedule is shown, p95"
    [dispatcher] = day.dispatchers
    with _client(site, dispatcher) as client:
        client.headers["Sec-Fetch-Site"] = "same-origin"
        yield at_most(f"{name}: the answer", "ms", [_p95(dragging.by_http(client, day, calls))], DRAG_MS)
    cookies = {BROWSER_COOKIE: dispatcher.authorization.removeprefix("Bearer ")}
    shown = dragging.in_chromium(folder, f"http://127.0.0.1:{site.server.port}", cookies, day, min(calls, _MOST_DRAGS))
    if shown is None:
        yield Figure(f"{name}: not measured, there is no Chromium here", "ms", [0.0])
    else:
        yield at_most(f"{name}: in Chromium", "ms", [_p95(shown)], DRAG_MS)


def _p95(took_ms: Sequence[float]) -> float:
    return took_ms[math.ceil(len(took_ms) * 0.95) - 1]


async def _fill(site: Site, wanted: Wanted) -> Filled:
    """Add the orders, a farm with its readings and a day that has not begun; who looks at which pages."""
    database = Database(site.database_url)
    day = site.day
    try:
        await _copy_orders(database, day.organization, day.drives[0].order_ids[0], wanted.orders)
        [manager] = await hire(database, day.organization, 1, role=ADMIN)
        scope = await cloud.found_organization(database)
        [keeper] = await hire(database, scope, 1, role=ADMIN)
        async with database.unit_of_work(SystemScope("benchmark"), read_only=True) as db:
            its = select(Organization.slug).where(Organization.id == scope.organization_id)
            slug = (await db.scalars(its)).one()
        await timeseries_fill.fill(database, slug, readings=wanted.readings)
        async with database.unit_of_work(scope, read_only=True) as db:
            room_id = (await db.scalars(select(Sensor.location_id).limit(1))).one()
        async with database.unit_of_work(day.organization, read_only=True) as db:
            lot_id = (await db.scalars(select(Lot.id).limit(1))).one()
        planned = await plan_day(database, drivers=VANS, stops=STOPS, dispatchers=1, begins=False)
    finally:
        await database.close()
    board = dragging.board_of(day)
    first = day.drives[0]
    office = {
        "overview": "/console",
        "overview, what is open": "/console/home/now",
        "overview, goods": "/console/home/goods",
        f"orders ({wanted.orders:,})": "/console/orders",
        "an order": f"/console/orders/{first.order_ids[0]}",
        "a customer": f"/console/customers/{day.customer_ids[0]}",
        "stock": "/console/stock",
        "a lot": f"/console/lots/{lot_id}",
        "movements": "/console/movements",
        f"dispatch board ({VANS * STOPS} stops, {VANS} vans)": board,
        "dispatch board, its parts": board.replace("/dispatch?", "/dispatch/board.json?"),
        "on the road": "/console/deliveries",
        "on the road, the map": "/console/deliveries/map.json",
        "on the road, who is late": "/console/deliveries/part?show=late",
        "a delivery": f"/console/deliveries/{first.delivery_ids[0]}",
        "a route": f"/console/routes/{first.route_id}",
        "fleet": "/console/fleet",
        "audit trail": "/console/audit",
    }
    store = {
        f"cold rooms ({wanted.readings:,} readings)": "/console/cold-rooms",
        "a cold room": f"/console/cold-rooms/{room_id}",
        "a cold room's month": f"/console/cold-rooms/{room_id}/chart.json?span=month",
        "excursions": "/console/excursions",
    }
    return Filled(Seat(manager, office), Seat(keeper, store), planned)


async def _copy_orders(database: Database, scope: OrganizationScope, order_id: object, count: int) -> None:
    """As many orders like this one, delivered on the days before; they have no lines: lists do not show them."""
    orders: Table = CustomerOrder.__table__  # type: ignore[assignment]
    async with database.unit_of_work(scope) as db:
        connection = await db.connection()
        row = (await connection.execute(select(orders).where(orders.c.id == order_id))).mappings().one()
        for begin in range(0, count, _ROWS_AT_ONCE):
            rows: list[dict[str, Any]] = [
                {**row, **_delivered(row["delivery_date"], number), "id": new_id(), "number": f"ORD-BENCH-{number:06d}"}
                for number in range(begin, min(count, begin + _ROWS_AT_ONCE))
            ]
            await connection.execute(orders.insert(), rows)


def _delivered(last: date, number: int) -> dict[str, object]:
    day = last - timedelta(days=1 + number // _ORDERS_A_DAY)
    handed_over_at = datetime.combine(day, time_of_day(10), UTC)
    return {"status": OrderStatus.DELIVERED, "delivery_date": day, "delivered_at": handed_over_at}


def _client(site: Site, person: Person) -> httpx2.Client:
    cookies = {BROWSER_COOKIE: person.authorization.removeprefix("Bearer ")}
    return httpx2.Client(base_url=f"http://127.0.0.1:{site.server.port}", cookies=cookies, timeout=60)


def _weight(site: Site, person: Person) -> float:
    """What the overview's page and everything that it names weigh on the wire, in kB."""
    with _client(site, person) as client:
        page = _got(client, "/console")
        names = sorted(set(_ASSET.findall(page.text)))
        parts = [page, *(_got(client, urljoin("/console", name)) for name in names)]
        return sum(_on_the_wire(part) for part in parts) / 1000


def _got(client: httpx2.Client, path: str) -> httpx2.Response:
    answer = client.get(path, headers={"Accept-Encoding": "gzip"})
    answer.raise_for_status()
    return answer


def _on_the_wire(answer: httpx2.Response) -> int:
    return answer.num_bytes_downloaded


def _timed(site: Site, person: Person, path: str, calls: int) -> Sequence[float]:
    """Milliseconds of each call, ordered; the first ones are not counted."""
    took_ms = []
    with _client(site, person) as client:
        for call in range(_WARM + calls):
            began_s = time.perf_counter()
            _got(client, path)
            if call >= _WARM:
                took_ms.append((time.perf_counter() - began_s) * 1000)
    return sorted(took_ms)
