"""What the board shows, asked together: a day as it is, or what a job found for it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor

#: jobs that were looked through for why an order was left out
_NEWEST_JOBS = 40
_MOST_STOPS = 1_000


async def day_of(desk: Desk, warehouse_id: str, day: str) -> Answer:
    """A warehouse's day as the API has it; today's, when no day is named."""
    return await desk.get("/dispatch/board", warehouse_id=warehouse_id, delivery_date=day)


async def of_job(desk: Desk, visitor: Visitor, job_id: str) -> dict[str, Any]:
    """What a job found, for the board's script: as the API says it, with what is known of its orders and vans."""
    job, solution = await together(desk.get(f"/dispatch/jobs/{job_id}"), desk.get(f"/dispatch/jobs/{job_id}/solution"))
    warehouse_id, day = str(job["warehouse_id"]), str(job["delivery_date"])
    seen, place = await together(day_of(desk, warehouse_id, day), _warehouse(visitor, warehouse_id))
    waiting = {str(each["id"]) for each in seen["unplanned"]}
    known = {str(stop["order_id"]) for route in solution["routes"] for stop in route["stops"]}
    stops = await _deliveries(desk, visitor, warehouse_id, day) if known - waiting else []
    return {
        "mode": "job",
        "job": job,
        "version": solution["version"],
        **{name: solution[name] for name in ("routes", "violations", "total", "baseline", "saved", "served")},
        "unserved": solution["unserved"],
        "vans": seen["vans"],
        "orders": known_orders([*map(_as_order, stops), *seen["unplanned"]], day, visitor.writing.zone),
        "depot": _depot(place),
        "can_edit": visitor.may("dispatch:write") and job["status"] == "succeeded",
    }


async def of_day(desk: Desk, visitor: Visitor, warehouse_id: str, day: str) -> dict[str, Any]:
    """A day for the board's script: routes that were made with their stops, and whom no route takes and why."""
    seen, place = await together(day_of(desk, warehouse_id, day), _warehouse(visitor, warehouse_id))
    day = str(seen["delivery_date"])
    stops, planned, why = await together(
        _deliveries(desk, visitor, warehouse_id, day) if seen["routes"] else _nothing([]),
        _as_planned(desk, visitor, seen),
        _reasons(desk, warehouse_id, day) if seen["unplanned"] else _nothing({}),
    )
    return {
        "mode": "day",
        "job": None,
        "version": None,
        "routes": _routes(seen, planned, stops),
        "made": seen["routes"],
        "violations": [],
        "unserved": [
            why.get(
                str(each["id"]), {"order_id": each["id"], "order_number": each["number"], "reason": "", "remedy": ""}
            )
            for each in seen["unplanned"]
        ],
        "vans": seen["vans"],
        "orders": known_orders([*map(_as_order, stops), *seen["unplanned"]], day, visitor.writing.zone),
        "depot": _depot(place),
        "can_edit": visitor.may("dispatch:write"),
        "can_follow": visitor.may("deliveries:read"),
    }


def known_orders(orders: Sequence[Answer], day: str, zone: ZoneInfo) -> dict[str, dict[str, Any]]:
    """Order -> who, where, and between which instants."""
    return {
        str(each["id"]): {
            "number": each["number"],
            "customer": each["customer_name"],
            "address": each["address"],
            "latitude": each["latitude"],
            "longitude": each["longitude"],
            "opens_at": _instant(day, each["window_from"], zone),
            "closes_at": _instant(day, each["window_until"], zone),
            "weight_g": each["weight_g"],
            "attempts": each.get("attempts", 0),
        }
        for each in orders
    }


def _instant(day: str, said: str, zone: ZoneInfo) -> str:
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(said), zone).isoformat()


async def _nothing(what: Any) -> Any:
    return what


async def _warehouse(visitor: Visitor, warehouse_id: str) -> Answer | None:
    return (await names_of(visitor, warehouses=[warehouse_id])).warehouses.get(warehouse_id)


def _depot(place: Answer | None) -> dict[str, Any] | None:
    if place is None or place["latitude"] is None:
        return None
    return {name: place[name] for name in ("name", "latitude", "longitude")}


async def _deliveries(desk: Desk, visitor: Visitor, warehouse_id: str, day: str) -> list[Answer]:
    """Every stop of the day's routes, with its door."""
    if not visitor.may("deliveries:read"):
        return []
    return await desk.every("/warehouse/deliveries", most=_MOST_STOPS, warehouse_id=warehouse_id, since=day, until=day)


def _as_order(stop: Answer) -> dict[str, Any]:
    """Whose door a stop is, in the shape of an order that waits."""
    return {
        "id": stop["order_id"],
        "number": stop["order_number"],
        "latitude": stop["door_latitude"],
        "longitude": stop["door_longitude"],
        "weight_g": stop["packed_weight_g"],
        "attempts": stop["attempt"] - 1,
        **{name: stop[name] for name in ("customer_name", "address", "window_from", "window_until")},
    }


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


def _routes(seen: Answer, planned: Sequence[Answer], stops: Sequence[Answer]) -> list[dict[str, Any]]:
    """Each route with its stops: those that wait to leave as a plan has them, the others as they are driven."""
    status = {str(each["id"]): each["status"] for each in seen["routes"]}
    known = {str(each["route_id"]) for each in planned}
    numbers = {str(each["vehicle_id"]): str(each["number"]) for each in seen["vans"]}
    of: dict[str, list[Answer]] = {}
    for stop in sorted(stops, key=lambda each: each["sequence"] or 0):
        of.setdefault(str(stop["route_id"]), []).append(stop)
    return [
        *({**each, "status": status.get(str(each["route_id"]), "planned")} for each in planned),
        *(
            _as_driven(each, of.get(str(each["id"]), []), numbers)
            for each in seen["routes"]
            if str(each["id"]) not in known
        ),
    ]


async def _as_planned(desk: Desk, visitor: Visitor, seen: Answer) -> list[Answer]:
    """The day's schedule, by an edit that changes nothing and is not kept: a van that swaps with itself."""
    van_id = next((str(each["vehicle_id"]) for each in seen["routes"] if each["status"] == "planned"), "")
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


def _as_driven(route: Answer, its: Sequence[Answer], numbers: Mapping[str, str]) -> dict[str, Any]:
    """A route in the shape of a plan's."""
    stops = [each for each in its if each["status"] != "cancelled"]
    return {
        "route_id": route["id"],
        "status": route["status"],
        "vehicle_id": route["vehicle_id"],
        "vehicle_number": numbers.get(str(route["vehicle_id"]), route["number"]),
        "driver_id": route["driver_id"],
        "departs_at": route["started_at"] or route["departs_at"],
        "returns_at": route["completed_at"],
        "distance_m": route["distance_m"],
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
        "order_number": delivery["order_number"],
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
