"""What the board shows, asked together: a day as it is, or what a job found for it."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from cloud_api.console.asking import Answer, Desk, together
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor

#: jobs that were looked through for why an order was left out
_NEWEST_JOBS = 40


async def day_of(desk: Desk, warehouse_id: str, day: str) -> Answer:
    """A warehouse's day as the API has it; today's, when no day is named."""
    return await desk.get("/dispatch/board", warehouse_id=warehouse_id, delivery_date=day)


async def of_job(desk: Desk, visitor: Visitor, job_id: str) -> dict[str, Any]:
    """What a job found, for the board's script: as the API says it, with what is known of its orders and vans."""
    job, solution = await together(desk.get(f"/dispatch/jobs/{job_id}"), desk.get(f"/dispatch/jobs/{job_id}/solution"))
    warehouse_id, day = str(job["warehouse_id"]), str(job["delivery_date"])
    seen, schedule, place = await together(
        day_of(desk, warehouse_id, day), _schedule(desk, warehouse_id, day), _warehouse(visitor, warehouse_id)
    )
    return {
        "mode": "job",
        "job": job,
        "version": solution["version"],
        **{name: solution[name] for name in ("routes", "violations", "total", "baseline", "saved", "served")},
        "unserved": solution["unserved"],
        "vans": seen["vans"],
        "orders": known_orders([*schedule["orders"], *seen["unplanned"]], day, visitor.writing.zone),
        "depot": _depot(place),
        "can_edit": visitor.may("dispatch:write") and job["status"] == "succeeded",
    }


async def of_day(desk: Desk, visitor: Visitor, warehouse_id: str, day: str) -> dict[str, Any]:
    """A day for the board's script: routes that were made with their stops, and whom no route takes and why."""
    seen, schedule, place = await together(
        day_of(desk, warehouse_id, day), _schedule(desk, warehouse_id, day), _warehouse(visitor, warehouse_id)
    )
    day = str(seen["delivery_date"])
    why = await _reasons(desk, warehouse_id, day) if seen["unplanned"] else {}
    return {
        "mode": "day",
        "job": None,
        "version": None,
        "routes": schedule["routes"],
        "made": seen["routes"],
        "violations": [],
        "unserved": [
            why.get(
                str(each["id"]), {"order_id": each["id"], "order_number": each["number"], "reason": "", "remedy": ""}
            )
            for each in seen["unplanned"]
        ],
        "vans": seen["vans"],
        "orders": known_orders([*schedule["orders"], *seen["unplanned"]], day, visitor.writing.zone),
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


async def _schedule(desk: Desk, warehouse_id: str, day: str) -> Answer:
    return await desk.get("/dispatch/schedule", warehouse_id=warehouse_id, delivery_date=day)


async def _warehouse(visitor: Visitor, warehouse_id: str) -> Answer | None:
    return (await names_of(visitor, warehouses=[warehouse_id])).warehouses.get(warehouse_id)


def _depot(place: Answer | None) -> dict[str, Any] | None:
    if place is None or place["latitude"] is None:
        return None
    return {name: place[name] for name in ("name", "latitude", "longitude")}


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
