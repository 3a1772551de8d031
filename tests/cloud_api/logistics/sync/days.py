"""A day of two stops, sealed, and how it ends."""

from typing import Any

from tests.factories.handsets import Day, handed_over, make_phone_day
from tests.platform_under_test import Platform

#: commands of the day below
COMMANDS = 10


async def a_sealed_day(farm: Platform) -> Day:
    """Two stops; the one is delivered and paid for, the other fails; the proof's photo has arrived."""
    day = await make_phone_day(farm, doors=2)
    phone = day.phone
    sha256 = await phone.photograph(day.stops[0])
    start = phone.tell("start_route", day.route_id, ago_s=100)
    positions = {
        "positions": [{"recorded_at": phone.now().isoformat(), "latitude": 12.9, "longitude": 77.6, "speed_kmh": 30.0}]
    }
    phone.tell("position_batch", day.route_id, positions, ago_s=90)
    arrive = phone.tell("arrive", day.stop(0), after=[start], ago_s=80)
    paid = {"amount_minor": 17_000, "method": "cash", "reference": f"cash-{day.stop(0)}"}
    pay = phone.tell("payment", day.stop(0), paid, after=[arrive], ago_s=70)
    proof = phone.tell("deliver", day.stop(0), handed_over(sha256), after=[pay], ago_s=60)
    again = phone.tell("deliver", day.stop(0), handed_over(sha256), after=[proof], ago_s=50)
    other = phone.tell("arrive", day.stop(1), after=[start], ago_s=40)
    fail = phone.tell("fail", day.stop(1), {"failure_reason": "refused"}, after=[other], ago_s=30)
    back = {"unload_location_id": day.drive.room_id}
    end = phone.tell("complete_route", day.route_id, back, after=[start, again, fail], ago_s=20)
    phone.tell("note", day.stop(0), {"text": "green door"}, after=[end], ago_s=10)
    return day


async def the_end(day: Day) -> dict[str, Any]:
    """Of a day: what the office sees, without what no two days have in common."""
    stops = [await day.delivery(number) for number in (0, 1)]
    movements = await day.tenant.get("/api/v1/warehouse/stock/movements", limit=200)
    commands = await day.phone.driver.get("/api/v1/mobile/commands", limit=200)
    return {
        "stops": [(stop["status"], stop["failure_reason"], stop["note"]) for stop in stops],
        "orders": [await day.order_status(number) for number in (0, 1)],
        "route": (await day.tenant.get(f"/api/v1/warehouse/routes/{day.route_id}"))["status"],
        "outbound": [row["quantity"] for row in movements if row["movement_type"] == "outbound"],
        "commands": sorted((row["number"], row["result"], row["code"]) for row in commands),
        "delivered_at": stops[0]["delivered_at"][:19] == day.phone.entry(5).at[:19],
    }


EXPECTED = {
    "stops": [("delivered", None, "green door"), ("returned", "refused", "")],
    "orders": ["delivered", "returned"],
    "route": "completed",
    "outbound": ["-4.000"],
    "commands": [
        *((number, "applied", "") for number in range(1, 6)),
        (6, "duplicate", "ALREADY_SO"),
        *((number, "applied", "") for number in range(7, COMMANDS + 1)),
    ],
    "delivered_at": True,
}
