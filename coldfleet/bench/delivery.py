"""From the order to the door under load: `coldfleet bench delivery`.

The platform's processes have one processor for themselves (PostgreSQL goes where it likes); who asks has another.
`load`: drivers' phones and dispatchers' screens, more and more of them, until 95 % of the answers take longer than
200 ms. `positions`: 1,000 phones that tell where they are every five seconds. `live`: from a driver's command, two a
second, to the screens that follow the route, and to the dispatcher's phone. `sync`: three days of commands that a
phone kept while it was offline. `confirm`: orders of five lines, promised, beside a plain program that locks rows.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx2
from websockets.asyncio.client import ClientConnection, connect

from cloud_api.kernel import logs
from coldfleet.bench import orders_confirmed, phone_replayed
from coldfleet.bench.alerts_site import Engine
from coldfleet.bench.delivery_site import Day, Drive, Person, Site, running_day
from coldfleet.bench.gateway import Figure, at_least, at_most
from coldfleet.bench.processes import BenchProblem, cores
from device_sims.crowd import Ask
from device_sims.own_process import Answer, OwnProcess

SLOW_MS = 200.0
_SETTLE_S = 20.0
#: what a thousand drivers with twenty-five stops a day each tell, about
_EVENT_EVERY_S = 0.5


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    folder: Path
    engine: Engine
    #: at once, at the most
    people: int
    #: how long each number of people is watched
    seconds: float
    #: that are followed to a screen and a phone
    events: int


def load(wanted: Wanted) -> Iterator[Figure]:
    """Nine drivers to a dispatcher, more and more of them, until answers are slow."""
    drivers, dispatchers = wanted.people * 9 // 10, wanted.people // 10
    site_of = running_day(
        wanted.folder / "load", drivers=drivers, stops=3, dispatchers=dispatchers, engine=wanted.engine
    )
    with site_of as site, _crowd() as crowd:
        crowd.ask("gather", host=site.address[0], port=site.address[1], people=_people(site.day), timeout_s=300)
        reached, answers = 0, 0.0
        for people in _steps(wanted.people):
            crowd.ask("let_ask", count=people)
            time.sleep(min(wanted.seconds, 10.0))
            crowd.ask("report")
            cpu_s, began_s = site.server.running.cpu_s(), time.monotonic()
            time.sleep(wanted.seconds)
            told = crowd.ask("report")
            busy = (site.server.running.cpu_s() - cpu_s) / (time.monotonic() - began_s)
            took_ms = sorted(value for values in told["took_ms"].values() for value in values)
            p95_ms = _share(took_ms, 0.95)
            answers = len(took_ms) / wanted.seconds
            yield Figure(f"load: {people:,} people, p50", "ms", [_share(took_ms, 0.5)])
            if people == 1_000:
                yield at_most(f"load: {people:,} people, p95", "ms", [p95_ms], SLOW_MS)
            else:
                yield Figure(f"load: {people:,} people, p95", "ms", [p95_ms])
            yield Figure(f"load: {people:,} people, answers", "a second", [answers])
            yield Figure(f"load: {people:,} people, the API's processor", "%", [100 * busy])
            yield at_most(f"load: {people:,} people, failed", "% of answers", [_failed(told)], 0.1)
            if p95_ms > SLOW_MS:
                break
            reached = people
    yield at_least(f"load: people at once with p95 below {SLOW_MS:g} ms", "people", [reached], 1_000)


def _steps(most: int) -> list[int]:
    return [count for count in (100, 250, 500, 750, 1_000, 1_500, 2_000, 3_000) if count < most] + [most]


def _people(day: Day) -> list[Answer]:
    """Drivers and dispatchers, mixed as they come."""
    drivers = [_who(drive.driver, _driver_asks(drive), 15.0) for drive in day.drives]
    watching = [
        _who(person, _dispatcher_asks(day, day.drives[number % len(day.drives)]), 8.0)
        for number, person in enumerate(day.dispatchers)
    ]
    share = max(1, len(drivers) // max(1, len(watching)))
    mixed: list[Answer] = []
    for number, driver in enumerate(drivers):
        mixed.append(driver)
        if number % share == share - 1 and watching:
            mixed.append(watching.pop())
    return mixed + watching


def _who(person: Person, asks: Sequence[Ask], thinks_s: float) -> Answer:
    return {"authorization": person.authorization, "asks": [asdict(ask) for ask in asks], "thinks_s": thinks_s}


def _driver_asks(drive: Drive) -> list[Ask]:
    first = drive.delivery_ids[0]
    arrived = json.dumps({"status": "arrived"})
    return [
        Ask("positions", 10, "POST", "/api/v1/mobile/positions", _position(drive)),
        Ask("today's route", 4, "GET", "/api/v1/mobile/routes/current"),
        Ask("what is new", 4, "GET", "/api/v1/mobile/sync"),
        Ask("one stop", 2, "GET", f"/api/v1/mobile/deliveries/{first}"),
        Ask("arrived", 1, "PUT", f"/api/v1/mobile/deliveries/{first}/status", arrived),
    ]


def _position(drive: Drive) -> str:
    at = {"recorded_at": "$now", "latitude": 12.93, "longitude": 77.61, "speed_kmh": 25}
    return json.dumps({"route_id": str(drive.route_id), "positions": [at]})


def _dispatcher_asks(day: Day, drive: Drive) -> list[Ask]:
    line = {"product_id": str(day.product_ids[0]), "quantity": "1.000", "unit_price": "40.0000"}
    order = {
        "customer_id": str(day.customer_ids[0]),
        "warehouse_id": str(day.warehouse_id),
        "delivery_date": day.on.isoformat(),
        "lines": [line],
    }
    board = f"/api/v1/dispatch/board?warehouse_id={day.warehouse_id}&delivery_date={day.on}"
    return [
        Ask("board", 2, "GET", board),
        Ask("on the road", 2, "GET", "/api/v1/warehouse/deliveries/active?limit=50"),
        Ask("orders", 3, "GET", "/api/v1/orders?limit=50"),
        Ask("one route", 3, "GET", f"/api/v1/warehouse/routes/{drive.route_id}"),
        Ask("tracking", 3, "GET", f"/api/v1/warehouse/deliveries/tracking/{drive.route_id}"),
        Ask("stock", 2, "GET", "/api/v1/warehouse/stock/levels?limit=50"),
        Ask("new order", 1, "POST", "/api/v1/orders", json.dumps(order)),
    ]


def positions(wanted: Wanted) -> Iterator[Figure]:
    """As many phones as people are asked for, one position every five seconds each."""
    site_of = running_day(
        wanted.folder / "positions", drivers=wanted.people, stops=1, dispatchers=1, engine=wanted.engine
    )
    with site_of as site, _crowd() as crowd:
        told_of = [
            _who(drive.driver, [Ask("positions", 1, "POST", "/api/v1/mobile/positions", _position(drive))], 5.0)
            for drive in site.day.drives
        ]
        crowd.ask("gather", host=site.address[0], port=site.address[1], people=told_of, timeout_s=300)
        crowd.ask("let_ask", count=wanted.people)
        time.sleep(10.0)
        crowd.ask("report")
        cpu_s, began_s = site.server.running.cpu_s(), time.monotonic()
        time.sleep(wanted.seconds)
        told = crowd.ask("report")
        used_s, watched_s = site.server.running.cpu_s() - cpu_s, time.monotonic() - began_s
    took_ms = sorted(told["took_ms"].get("positions", []))
    name = f"positions: {wanted.people:,} phones every 5 s"
    yield Figure(f"{name}, p50", "ms", [_share(took_ms, 0.5)])
    yield at_most(f"{name}, p95", "ms", [_share(took_ms, 0.95)], SLOW_MS)
    yield Figure(f"{name}, taken", "a second", [len(took_ms) / wanted.seconds])
    yield Figure(f"{name}, the API's processor", "%", [100 * used_s / watched_s])
    yield Figure(f"{name}, the API's processor a position", "ms", [1_000 * used_s / max(1, len(took_ms))])
    yield at_most(f"{name}, failed", "% of answers", [_failed(told)], 0.1)


def live(wanted: Wanted) -> Iterator[Figure]:
    """Each event is a stop that fails, two a second: until a screen that follows its route shows it, and until its push
    is handed over."""
    stops = 10
    site_of = running_day(
        wanted.folder / "live",
        drivers=-(-wanted.events // stops),
        stops=stops,
        dispatchers=1,
        engine=wanted.engine,
    )
    with site_of as site:
        shown_ms, pushed_ms = asyncio.run(_follow(site, wanted.events))
    yield from _spread("live: command sent → screen", shown_ms, 100.0)
    yield from _spread("live: command sent → push handed over", pushed_ms, 1_000.0)


async def _follow(site: Site, events: int) -> tuple[list[float], list[float]]:
    [dispatcher] = site.day.dispatchers
    shown_ms: list[float] = []
    sent_ms: dict[str, float] = {}
    async with httpx2.AsyncClient(base_url=site.url, timeout=30) as client:
        phone = {"platform": "fcm", "registration": site.phones.mint_phone().fid}
        headers = {"Authorization": dispatcher.authorization}
        (await client.post("/mobile/devices", json=phone, headers=headers)).raise_for_status()
        for drive in site.day.drives:
            path = f"ws://127.0.0.1:{site.server.port}/ws/tracking/{drive.route_id}"
            token = dispatcher.authorization.removeprefix("Bearer ")
            async with connect(path, subprotocols=["bearer", token], max_size=None) as screen:  # type: ignore[list-item]
                await screen.recv()
                for delivery_id in drive.delivery_ids[: events - len(sent_ms)]:
                    began_s = time.monotonic()
                    sent_ms[str(delivery_id)] = time.time() * 1000
                    answer = await client.put(
                        f"/mobile/deliveries/{delivery_id}/status",
                        json={"status": "failed", "failure_reason": "customer_absent"},
                        headers={"Authorization": drive.driver.authorization},
                    )
                    answer.raise_for_status()
                    await _shows(screen, str(delivery_id))
                    shown_ms.append((time.monotonic() - began_s) * 1000)
                    await asyncio.sleep(_EVENT_EVERY_S)
    return shown_ms, await _pushed(site, sent_ms)


async def _shows(screen: ClientConnection, delivery_id: str) -> None:
    """Wait until the screen has shown that this stop has failed."""
    async with asyncio.timeout(_SETTLE_S):
        while True:
            text = str(await screen.recv())
            if delivery_id in text and '"failed"' in text:
                return


async def _pushed(site: Site, sent_ms: Mapping[str, float]) -> list[float]:
    """From each command to its push, in ms.

    Raises:
        BenchProblem: one was never pushed.
    """
    deadline_s = time.monotonic() + _SETTLE_S
    while time.monotonic() < deadline_s:
        took_ms: dict[str, float] = {}
        for delivery in site.phones.deliveries():
            text = json.dumps(delivery.message)
            for delivery_id in sent_ms:
                if delivery_id in text and delivery_id not in took_ms:
                    took_ms[delivery_id] = delivery.received_at_ms - sent_ms[delivery_id]
        if len(took_ms) == len(sent_ms):
            return list(took_ms.values())
        await asyncio.sleep(0.5)
    raise BenchProblem(f"{len(sent_ms) - len(took_ms)} of {len(sent_ms)} failed stops were pushed to nobody")


def sync(wanted: Wanted) -> Iterator[Figure]:
    """Three days of a driver whose phone was offline: three routes, each stop's commands, a position every 5 s."""
    yield from phone_replayed.measure(wanted.folder / "sync", wanted.engine)


def confirm(wanted: Wanted) -> Iterator[Figure]:
    """Orders of five lines, and the same beside a plain program."""
    yield from orders_confirmed.measure(wanted.folder / "confirm")


PARTS: Mapping[str, Callable[[Wanted], Iterator[Figure]]] = {
    "load": load,
    "positions": positions,
    "live": live,
    "sync": sync,
    "confirm": confirm,
}


def measure(wanted: Wanted, parts: Sequence[str]) -> Iterator[Figure]:
    """The figures of the parts named, as they come."""
    logs.configure(level="warning", for_people=True)
    for part in parts:
        yield from PARTS[part](wanted)


def _crowd() -> OwnProcess:
    return OwnProcess("device_sims.crowd", cores={cores()[1]})


def _share(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def _failed(told: Answer) -> float:
    """Of the answers, in percent, what was no success."""
    statuses: dict[str, int] = told["statuses"]
    fine = sum(count for status, count in statuses.items() if status[0] in "23")
    return 100.0 * (1 - fine / max(1, sum(statuses.values())))


def _spread(name: str, took_ms: Sequence[float], p95_ms: float) -> Iterator[Figure]:
    ordered = sorted(took_ms)
    yield Figure(f"{name}, p50", "ms", [_share(ordered, 0.5)])
    yield at_most(f"{name}, p95", "ms", [_share(ordered, 0.95)], p95_ms)
    yield Figure(f"{name}, p99", "ms", [_share(ordered, 0.99)])
