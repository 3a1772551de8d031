"""What is on the road now: each van, the doors it still has to come to, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request

from cloud_api.console.asking import Answer, Desk, together
from cloud_api.console.deliveries.known import Known, known
from cloud_api.console.pages import Visitor, tone
from cloud_api.console.tables import Table, asked_for
from cloud_api.kernel import clock

FILTERS = ("status", "date", "route", "driver")
#: a van that was not heard for so long is called silent; the platform's own setting decides who is told
SILENCE = timedelta(minutes=10)
#: so much later than planned is late
LATE = timedelta(minutes=15)
_MOST = 600


@dataclass(frozen=True)
class Door:
    """A delivery on the road, with what people call it."""

    said: Answer
    order: Answer
    van: str
    driver: str
    late: bool


@dataclass(frozen=True)
class Van:
    """A van on the road with its doors ahead, the next one first."""

    route_id: str
    number: str
    driver: str
    doors: Sequence[Door]
    recorded_at: str | None
    silent: bool

    @property
    def next(self) -> Door:
        """Where it comes next."""
        return self.doors[0]

    @property
    def late(self) -> int:
        """How many of its doors it comes to late."""
        return sum(door.late for door in self.doors)

    @property
    def position(self) -> tuple[float, float] | None:
        """Where it is."""
        said = self.next.said
        return None if said["latitude"] is None else (said["latitude"], said["longitude"])


@dataclass(frozen=True)
class Road:
    """All that is shown of the road: what the filters leave, and what they offer."""

    table: Table
    vans: Sequence[Van]
    doors: Sequence[Door]
    routes: Sequence[tuple[str, str]]
    drivers: Sequence[tuple[str, str]]
    total: int

    @property
    def late(self) -> int:
        """Doors that their vans come to late."""
        return sum(door.late for door in self.doors)

    @property
    def silent(self) -> int:
        """Vans that were not heard for a while."""
        return sum(van.silent for van in self.vans)

    @property
    def query(self) -> str:
        """The filters, to ask for parts of the page with."""
        return self.table.with_().partition("?")[2]


async def on_the_road(request: Request, desk: Desk, visitor: Visitor) -> Road:
    """What is on the road, as the address asks for it.

    Raises:
        Refused: when it is not given.
    """
    rows, names = await together(
        desk.every("/warehouse/deliveries/active", most=_MOST),
        known(desk, visitor, orders={"status": "out_for_delivery"}),
    )
    query = asked_for(request, FILTERS)
    every = [_door(row, names) for row in rows]
    doors = [door for door in every if _wanted(door, query, visitor)]
    vans = _vans(doors)
    table = Table("/console/deliveries", query, doors)
    routes = {door.said["route_id"]: f"{door.van} · {door.driver}" for door in every}
    drivers = {door.said["driver_id"]: door.driver for door in every if door.said["driver_id"]}
    in_turn = [door for van in vans for door in van.doors]
    return Road(table, vans, in_turn, _by_name(routes), _by_name(drivers), len(every))


def picture(road: Road, visitor: Visitor) -> dict[str, object]:
    """The same as a map: what the browser draws, and then follows live."""
    return {"words": words(visitor), "routes": [_on_map(van) for van in road.vans]}


def words(visitor: Visitor) -> dict[str, object]:
    """What the map calls the states of doors, and how each looks."""
    states = ("assigned", "out_for_delivery", "arrived", "delivered", "failed", "returned", "cancelled")
    return {
        "silent": visitor.say("not heard since"),
        "eta": visitor.say("expected"),
        "states": {state: visitor.writing.word(state) for state in states},
        "tones": {state: "azure" if state == "out_for_delivery" else tone(state) for state in states},
        "zone": str(visitor.writing.zone),
    }


def door_on_map(said: Answer, order: Answer) -> dict[str, object] | None:
    """A door; None: nobody knows where it is."""
    if order.get("latitude") is None:
        return None
    return {
        "id": said.get("delivery_id") or said["id"],
        "latitude": order["latitude"],
        "longitude": order["longitude"],
        "text": str(said["sequence"] or ""),
        "name": order["customer_name"],
        "status": said["status"],
        "p50_at": (said.get("eta") or {}).get("p50_at"),
        "address": f"/console/deliveries/{said.get('delivery_id') or said['id']}",
    }


def _on_map(van: Van) -> dict[str, object]:
    doors = [door_on_map(door.said, door.order) for door in van.doors]
    return {
        "id": van.route_id,
        "name": van.number,
        "position": van.position,
        "silent": van.silent,
        "address": f"/console/routes/{van.route_id}",
        "stops": [door for door in doors if door is not None],
        "trail": [],
    }


def _door(row: Answer, names: Known) -> Door:
    return Door(
        row, names.order(row["order_id"]), names.van(row["vehicle_id"]), names.person(row["driver_id"]), is_late(row)
    )


def is_late(row: Answer) -> bool:
    """Whether a van comes later than planned, as likely as not."""
    eta, planned = row.get("eta"), row.get("planned_arrival_at")
    if not eta or not planned:
        return False
    return datetime.fromisoformat(eta["p50_at"]) - datetime.fromisoformat(planned) > LATE


def _wanted(door: Door, query: Mapping[str, str], visitor: Visitor) -> bool:
    row, planned = door.said, visitor.writing.when(door.said["planned_arrival_at"], "%Y-%m-%d")
    shown = {"status": row["status"], "date": planned, "route": row["route_id"], "driver": row["driver_id"]}
    return all(shown[name] == value for name, value in query.items() if name in shown)


def _vans(doors: Sequence[Door]) -> list[Van]:
    of: dict[str, list[Door]] = {}
    for door in doors:
        of.setdefault(door.said["route_id"], []).append(door)
    return sorted((_van(route_id, its) for route_id, its in of.items()), key=lambda van: van.number)


def _van(route_id: str, doors: list[Door]) -> Van:
    doors.sort(key=lambda door: door.said["sequence"])
    first = doors[0]
    heard = first.said["recorded_at"]
    silent = heard is not None and clock.now() - datetime.fromisoformat(heard) > SILENCE
    return Van(route_id, first.van, first.driver, doors, heard, silent)


def _by_name(named: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(named.items(), key=lambda pair: pair[1])
