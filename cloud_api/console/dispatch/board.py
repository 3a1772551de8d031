"""What the board shows, asked together: a day as it is, or what a job found for it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.pages import Visitor

#: jobs that were looked through for why an order was left out
_NEWEST_JOBS = 40
#: orders of made routes are among the newest of these states
_ON_ROUTES = ("packed", "out_for_delivery", "delivered")
_MOST_ORDERS = 600


async def day_of(desk: Desk, warehouse_id: str, day: str) -> Answer:
    """A warehouse's day as the API has it; today's, when no day is named."""
    return await desk.get("/dispatch/board", warehouse_id=warehouse_id, delivery_date=day)


async def warehouses(desk: Desk) -> list[Answer]:
    """Those that can be looked at, by name."""
    return sorted(await desk.every("/warehouse/warehouses"), key=lambda each: str(each["name"]))


async def drivers(desk: Desk, visitor: Visitor) -> dict[str, str]:
    """Driver -> name; of nobody, for who may not know people."""
    if not visitor.may("users:read"):
        return {}
    people = await desk.every("/admin/users", role="delivery_personnel", most=400)
    return {str(each["id"]): str(each["full_name"]) for each in people}


async def of_job(desk: Desk, visitor: Visitor, job_id: str) -> dict[str, Any]:
    """What a job found, for the board's script: as the API says it, with what is known of its orders and vans."""
    job, solution, names = await together(
        desk.get(f"/dispatch/jobs/{job_id}"),
        desk.get(f"/dispatch/jobs/{job_id}/solution"),
        drivers(desk, visitor),
    )
    warehouse_id, day = str(job["warehouse_id"]), str(job["delivery_date"])
    seen, places = await together(day_of(desk, warehouse_id, day), warehouses(desk))
    waiting = {str(each["id"]): each for each in seen["unplanned"]}
    known = {str(stop["order_id"]) for route in solution["routes"] for stop in route["stops"]}
    others = await _orders(desk, visitor) if known - waiting.keys() else []
    return {
        "mode": "job",
        "job": job,
        "version": solution["version"],
        **{name: solution[name] for name in ("routes", "violations", "total", "baseline", "saved", "served")},
        "unserved": solution["unserved"],
        "vans": [_van(each, names) for each in seen["vans"]],
        "orders": known_orders([*others, *seen["unplanned"]], day, visitor.writing.zone),
        "depot": _depot(places, warehouse_id),
        "can_edit": visitor.may("dispatch:write") and job["status"] == "succeeded",
        "names": names,
    }


async def of_day(desk: Desk, visitor: Visitor, warehouse_id: str, day: str) -> dict[str, Any]:
    """A day for the board's script: routes that were made with their stops, and whom no route takes and why."""
    seen, names, places = await together(day_of(desk, warehouse_id, day), drivers(desk, visitor), warehouses(desk))
    day = str(seen["delivery_date"])
    routes, why, others = await together(
        _routes(desk, visitor, seen),
        _reasons(desk, warehouse_id, day) if seen["unplanned"] else _nothing(),
        _orders(desk, visitor) if seen["routes"] else _nothing(),
    )
    return {
        "mode": "day",
        "job": None,
        "version": None,
        "routes": routes,
        "made": seen["routes"],
        "violations": [],
        "unserved": [
            why.get(
                str(each["id"]), {"order_id": each["id"], "order_number": each["number"], "reason": "", "remedy": ""}
            )
            for each in seen["unplanned"]
        ],
        "vans": [_van(each, names) for each in seen["vans"]],
        "orders": known_orders([*others, *seen["unplanned"]], day, visitor.writing.zone),
        "depot": _depot(places, warehouse_id),
        "can_edit": visitor.may("dispatch:write"),
        "can_follow": visitor.may("deliveries:read"),
        "names": names,
    }


def known_orders(orders: Sequence[Answer], day: str, zone: ZoneInfo) -> dict[str, dict[str, Any]]:
    """Order -> who, where, and between which instants; those of that day."""
    return {
        str(each["id"]): {
            "number": each["number"],
            "customer": each["customer_name"],
            "address": each["address"],
            "latitude": each["latitude"],
            "longitude": each["longitude"],
            "opens_at": _instant(day, each["window_from"], zone),
            "closes_at": _instant(day, each["window_until"], zone),
            "weight_g": each.get("weight_g", each.get("packed_weight_g")),
            "attempts": each.get("attempts", 0),
        }
        for each in orders
        if each.get("delivery_date", day) == day
    }


def _instant(day: str, said: str, zone: ZoneInfo) -> str:
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(said), zone).isoformat()


async def _nothing() -> Any:
    return {}


def _van(van: Answer, names: Mapping[str, str]) -> dict[str, Any]:
    return {**van, "driver": names.get(str(van["driver_id"]), "")}


def _depot(places: Sequence[Answer], warehouse_id: str) -> dict[str, Any] | None:
    found = next((each for each in places if str(each["id"]) == warehouse_id), None)
    if found is None or found["latitude"] is None:
        return None
    return {name: found[name] for name in ("name", "latitude", "longitude")}


async def _orders(desk: Desk, visitor: Visitor) -> list[Answer]:
    """Orders that may stand on routes, the newest; the API has no list of a day's."""
    if not visitor.may("orders:read"):
        return []
    lists = await together(*(desk.every("/orders", status=each, most=_MOST_ORDERS) for each in _ON_ROUTES))
    return [order for found in lists for order in found]


async def _reasons(desk: Desk, warehouse_id: str, day: str) -> dict[str, Answer]:
    """Order -> why the newest plan of the day left it out."""
    jobs = (await desk.page("/dispatch/jobs", limit=_NEWEST_JOBS)).items
    over = (
        job
        for job in jobs
        if (str(job["warehouse_id"]), str(job["delivery_date"]), job["status"]) == (warehouse_id, day, "applied")
        and job["unserved"]
    )
    newest = next(over, None)
    if newest is None:
        return {}
    found = {str(each["order_id"]): {"remedy": "", **each} for each in newest["unserved"]}
    solution = await desk.get(f"/dispatch/jobs/{newest['id']}/solution")
    return found | {str(each["order_id"]): each for each in solution["unserved"]}


async def _routes(desk: Desk, visitor: Visitor, seen: Answer) -> list[Answer]:
    """Each route with its stops: those that wait to leave as a plan has them, the others as they are driven."""
    made = {str(each["vehicle_id"]): each for each in seen["routes"] if each["status"] == "planned"}
    planned = await _as_planned(desk, visitor, seen, next(iter(made), ""))
    known = {str(each["route_id"]) for each in planned}
    rest = [each for each in seen["routes"] if str(each["id"]) not in known]
    details = await together(*(desk.get(f"/warehouse/routes/{each['id']}") for each in rest))
    numbers = {str(each["vehicle_id"]): str(each["number"]) for each in seen["vans"]}
    by_id = {str(each["id"]): each for each in seen["routes"]}
    status = {route_id: each["status"] for route_id, each in by_id.items()}
    return [
        *({**each, "status": status.get(str(each["route_id"]), "planned")} for each in planned),
        *(_as_driven(detail, numbers) for detail in details),
    ]


async def _as_planned(desk: Desk, visitor: Visitor, seen: Answer, van_id: str) -> list[Answer]:
    """The day's schedule, by an edit that changes nothing and is not kept: a van that swaps with itself."""
    if not van_id or not visitor.may("dispatch:write"):
        return []
    move = {"action": "swap", "vehicle_id": van_id, "with_vehicle_id": van_id}
    wanted = {
        "warehouse_id": seen["warehouse_id"],
        "delivery_date": seen["delivery_date"],
        "moves": [move],
        "dry_run": True,
    }
    try:
        draft = await desk.do("POST", "/dispatch/assignments", wanted)
    except Refused:
        # its times are those of its deliveries then
        return []
    return [each for each in draft["routes"] if each["route_id"] is not None]


def _as_driven(route: Answer, numbers: Mapping[str, str]) -> dict[str, Any]:
    """A route in the shape of a plan's."""
    stops = [each for each in route["deliveries"] if each["status"] != "cancelled"]
    return {
        "route_id": route["id"],
        "status": route["status"],
        "vehicle_id": route["vehicle_id"],
        "vehicle_number": numbers.get(str(route["vehicle_id"]), route["number"]),
        "driver_id": route["driver_id"],
        "departs_at": route["started_at"] or route["departs_at"],
        "returns_at": route["completed_at"],
        "distance_m": route["distance_m"],
        "duration_s": route["duration_s"],
        "late_s": 0,
        "loads": [],
        "load_g": route["load_g"],
        "rests": [],
        "stops": [_stop(each, place) for place, each in enumerate(stops, start=1)],
    }


def _stop(delivery: Answer, place: int) -> dict[str, Any]:
    at = delivery["arrived_at"] or delivery["delivered_at"] or delivery["planned_arrival_at"]
    return {
        "order_id": delivery["order_id"],
        "order_number": delivery["number"],
        "sequence": delivery["sequence"] or place,
        "arrives_at": at,
        "starts_at": at,
        "leaves_at": delivery["delivered_at"] or at,
        "waits_s": 0,
        "late_s": 0,
        "load_g": None,
        "latitude": None,
        "longitude": None,
        "locked": False,
        "status": delivery["status"],
    }
