"""The chain's links, each checked from outside: by what the simulator counted, what the files hold, what the phone got.

No check asks the process that it checks.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from coldfleet.demo.api import Api
from coldfleet.demo.farm import STOCK, Farm
from coldfleet.demo.shop import ORDERED_KG, Shop
from coldfleet.demo.world import World, numbered, query


@dataclass(frozen=True)
class Link:
    """What became of one link."""

    name: str
    holds: bool
    #: figures, for people
    found: str


def check_first_half(world: World, farm: Farm, api: Api) -> list[Link]:
    """From the reading to the stock status, in the chain's order."""
    return [
        _sensor(world),
        _spool(world),
        _uplink(world),
        _judge(world, farm, api),
        _hold(farm, api),
        _push(world, farm, api),
    ]


def check_second_half(world: World, api: Api, shop: Shop) -> list[Link]:
    """From the order to the proof."""
    return [_reserve(world, api, shop), _plan(api, shop), _drive(world, api, shop), _proof(world, api, shop)]


def expected_readings(world: World) -> Counter[tuple[str, str]]:
    """(sensor, quantity) -> readings in the messages that the gateway acknowledged, by the simulator's own count."""
    return Counter(
        {
            (f"z2m:{sensor}", quantity): count
            for sensor, counts in world.rooms_report().get("sensors", {}).items()
            for quantity, count in counts["readings"].items()
        }
    )


def stored_readings(world: World) -> Counter[tuple[str, str]]:
    """(sensor, quantity) -> readings in the platform's database."""
    rows = query(
        world.database,
        "SELECT s.code, s.quantity, count(*) FROM readings r JOIN sensor_series n ON n.number = r.series "
        "JOIN sensors s ON s.id = n.sensor_id GROUP BY s.code, s.quantity",
    )
    return Counter({(code, quantity): count for code, quantity, count in rows})


def spooled_readings(world: World) -> int:
    """How many readings the gateway's present spool has ever numbered."""
    return numbered(world, "readings")


def waiting_readings(world: World) -> int:
    """How many of them the cloud has not acknowledged."""
    return int(query(world.spool, "SELECT coalesce(sum(last - first + 1), 0) FROM readings")[0][0])


def settled_pushes(world: World) -> int:
    """How many pushes the push service has taken, or refused for good."""
    return int(query(world.database, "SELECT count(*) FROM push_deliveries")[0][0])


def _sensor(world: World) -> Link:
    report = world.rooms_report()
    counts = report.get("sensors", {}).values()
    messages = sum(count["acknowledged"] for count in counts)
    faults = {name: sum(count[name] for count in counts) for name in ("dropped", "duplicated", "stuck", "malformed")}
    holds = bool(report.get("finished")) and messages > 0 and report["outstanding"] == 0
    told = ", ".join(f"{count} {name}" for name, count in faults.items())
    return Link("sensor", holds, f"{messages} messages acknowledged by the gateway ({told} on purpose)")


def _spool(world: World) -> Link:
    report = world.rooms_report()
    malformed = sum(count["malformed_acknowledged"] for count in report["sensors"].values())
    expected, spooled = expected_readings(world).total(), spooled_readings(world)
    buried = int(query(world.spool, "SELECT count(*) FROM dead_letters")[0][0])
    again = sum(count["resends"] for count in report["sensors"].values())
    holds = spooled >= expected and buried >= malformed and (again > 0 or (spooled, buried) == (expected, malformed))
    return Link(
        "spool",
        holds,
        f"{spooled} readings on disk of {expected} acknowledged; {buried} dead letters for {malformed} malformed",
    )


def _uplink(world: World) -> Link:
    stored, spooled, waiting = stored_readings(world).total(), spooled_readings(world), waiting_readings(world)
    return Link(
        "uplink",
        stored == spooled > 0 and waiting == 0,
        f"{stored} readings in the cloud of {spooled} spooled, {waiting} still waiting, none twice",
    )


def _judge(world: World, farm: Farm, api: Api) -> Link:
    excursions = api.get("/excursions")
    here = [excursion for excursion in excursions if excursion["location_id"] == farm.rooms["Cold room 1"]]
    alarms = {row[0] for row in query(world.database, "SELECT incident FROM excursions")}
    if not here:
        return Link("judge", False, "no excursion in Cold room 1, though its door stood open")
    first = here[0]
    seen = f"peak {first['peak_value']:.1f} °C, first seen by the {first['raised_by']}"
    told = f"{first['number']}, {first['status']}, {seen}"
    return Link("judge", len(here) == len(excursions) == len(alarms) == 1, f"one excursion: {told}")


def _hold(farm: Farm, api: Api) -> Link:
    levels = api.get("/warehouse/stock/levels")
    kept = [level for level in levels if level["location_id"] in farm.rooms.values()]
    held = {(level["location_id"], level["lot_id"]) for level in kept if level["status"] == "on_hold"}
    free = [level for level in kept if level["status"] == "available"]
    warm = farm.rooms["Cold room 1"]
    expected = sum(room == "Cold room 1" for *_, room in STOCK)
    holds = len(held) == expected and all(place == warm for place, _ in held) and len(free) == len(STOCK) - expected
    return Link(
        "hold", holds, f"{len(held)} of {expected} lots in Cold room 1 on hold; {len(free)} lots elsewhere free"
    )


def _push(world: World, farm: Farm, api: Api) -> Link:
    """Told, and told again: nobody answers. What concerns one alert replaces what the phone showed of it before."""
    pushes = [message["message"] for message in world.pushed(farm)]
    subjects = {push["data"]["subject"] for push in pushes}
    shown = {push["android"]["collapse_key"] for push in pushes}
    wanted = {f"excursion:{excursion['id']}" for excursion in api.get("/excursions")}
    return Link(
        "push",
        bool(wanted) and subjects == wanted and len(shown) == len(wanted),
        f"{len(pushes)} pushes reached the phone, which shows {len(shown)}; {len(wanted)} excursions to tell of",
    )


def _reserve(world: World, api: Api, shop: Shop) -> Link:
    """Every order has its lots, none of them on hold; what levels say is promised is what orders were promised."""
    orders = [api.get(f"/orders/{order_id}") for order_id in shop.order_ids]
    met = [order for order in orders if all(line["allocations"] for line in order["lines"])]
    warm = {row[0] for row in query(world.database, "SELECT location_id FROM stock_holds")}
    sold = [lot for order in met for line in order["lines"] for lot in line["allocations"]]
    from_warm = sum(lot["location_id"].replace("-", "") in warm for lot in sold)
    wrong = query(
        world.database,
        "SELECT count(*) FROM stock_levels s WHERE s.reserved <> (SELECT coalesce(sum(r.quantity), 0) "
        "FROM stock_reservations r WHERE r.stock_level_id = s.id AND r.status = 'active')",
    )[0][0]
    told = f"{len(met)} of {len(orders)} orders met, {from_warm} lots of them from the warm room, {wrong} levels wrong"
    return Link("reserve", len(met) == len(orders) and from_warm == 0 and wrong == 0, told)


def _plan(api: Api, shop: Shop) -> Link:
    """Every order is on exactly one route, and no van carries more than it may."""
    if shop.job is None:
        return Link("plan", False, "nothing was packed to plan")
    vans = {van["id"]: van["capacity_g"] for van in api.get("/warehouse/fleet/vehicles")}
    routes = api.get("/warehouse/routes", planning_job_id=shop.job["id"])
    stops = [stop for route in routes for stop in api.get(f"/warehouse/routes/{route['id']}")["deliveries"]]
    overloaded = sum(route["load_g"] > vans[route["vehicle_id"]] for route in routes)
    planned = Counter(stop["order_id"] for stop in stops)
    left_out = "; ".join(sorted({order["reason"] for order in shop.job["unserved"]}))
    told = f"{len(stops)} stops on {len(routes)} routes, {overloaded} vans overloaded"
    holds = planned == Counter(shop.order_ids) and overloaded == 0
    return Link("plan", holds, f"{told}; left out because {left_out}" if left_out else told)


def _drive(world: World, api: Api, shop: Shop) -> Link:
    """Every route was driven to its end; the platform has each position that the phones sent, once."""
    routes = [] if shop.job is None else api.get("/warehouse/routes", planning_job_id=shop.job["id"])
    started = sum(route["started_at"] is not None for route in routes)
    sent = sum(report["positions"] for report in world.phone_reports().values())
    kept = query(world.database, "SELECT count(*) FROM vehicle_positions")[0][0]
    told = f"{started} of {len(routes)} routes driven, {kept} positions kept of {sent} sent"
    return Link("drive", bool(routes) and started == len(routes) and kept == sent > 0, told)


def _proof(world: World, api: Api, shop: Shop) -> Link:
    """Each delivery's photo, as its phone took it, lies on disk; what was ordered has left the books, once."""
    taken = {number: photo for report in world.phone_reports().values() for number, photo in report["proofs"].items()}
    kept = {path.name for path in (world.folder / "media").rglob("*") if path.is_file() and _is_whole(path)}
    deliveries = [stop for order_id in shop.order_ids for stop in api.get("/warehouse/deliveries", order_id=order_id)]
    proved = [
        stop
        for stop in deliveries
        if stop["status"] == "delivered" and taken.get(stop["number"]) == stop["photo_sha256"] in kept
    ]
    left = query(world.database, "SELECT -sum(quantity) FROM stock_movements WHERE movement_type = 'outbound'")[0][0]
    ordered = sum(int(Decimal(ORDERED_KG) * 1000) for _ in shop.order_ids)
    warmest = max((stop["cargo_temperature_c"] for stop in proved), default=0.0)
    told = f"{len(proved)} of {len(shop.order_ids)} orders delivered with their photo, product at most {warmest:.1f} °C"
    return Link("proof", len(proved) == len(shop.order_ids) and left == ordered, told)


def _is_whole(path: Path) -> bool:
    return hashlib.sha256(path.read_bytes()).hexdigest() == path.name
