"""What is on the road now: each van, where it comes next, and whom it keeps waiting."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from cloud_api.console.asking import Answer, Desk, together
from cloud_api.console.pages import Visitor, tone
from cloud_api.console.tables import Table, asked_for

FILTERS = ("show", "route", "driver", "most")
#: doors that are shown at first, and so many more each time
STEP = 50
_MOST_VANS = 400
_ROUTES = "/warehouse/routes/active"


@dataclass(frozen=True)
class Door:
    """A door ahead, and the van that comes to it."""

    said: Answer
    van: Answer


@dataclass(frozen=True)
class Road:
    """All that is shown of the road: what the filters leave, and what they offer."""

    table: Table
    vans: Sequence[Answer]
    #: the first of them
    doors: Sequence[Door]
    #: how many there are
    of: int
    #: every van's, whatever the filters leave
    every: Sequence[Answer]
    #: whose doors are shown, when it is one van's
    chosen: Answer | None

    @property
    def late(self) -> int:
        """Doors that their vans come to late."""
        return sum(van["late"] for van in self.vans)

    @property
    def ahead(self) -> int:
        """Doors that vans still come to."""
        return sum(van["ahead"] for van in self.vans)

    @property
    def silent(self) -> int:
        """Vans that were not heard for a while."""
        return sum(van["silent_since"] is not None for van in self.vans)

    @property
    def query(self) -> str:
        """The filters, to ask for parts of the page with."""
        return self.table.with_().partition("?")[2]

    @property
    def routes(self) -> list[tuple[str, str]]:
        """Each van, as a filter offers it."""
        return [(van["id"], f"{van['vehicle_number']} · {van['driver_name'] or '–'}") for van in self.every]

    @property
    def drivers(self) -> list[tuple[str, str]]:
        """Each driver, as a filter offers them."""
        named = {van["driver_id"]: van["driver_name"] for van in self.every if van["driver_id"]}
        return sorted(named.items(), key=lambda pair: str(pair[1]))

    def part(self, **changed: str | None) -> str:
        """Where this part of the page is, with other filters."""
        query = self.table.with_(**changed).partition("?")[2]
        return f"{self.table.path}/part?{query}" if query else f"{self.table.path}/part"

    def more(self) -> str | None:
        """Where more of the doors are; None: these are all."""
        return self.part(most=str(len(self.doors) + STEP)) if self.of > len(self.doors) else None


async def on_the_road(request: Request, desk: Desk) -> Road:
    """What is on the road, as the address asks for it.

    Raises:
        Refused: when it is not given.
    """
    query = asked_for(request, FILTERS)
    every, wider = await together(desk.every(_ROUTES, most=_MOST_VANS), _wider(desk, query))
    every.sort(key=lambda van: str(van["vehicle_number"]))
    vans = [van for van in every if _wanted(van, query)]
    doors = _doors(vans if wider is None else [van for van in wider if _wanted(van, query)])
    chosen = next((van for van in every if van["id"] == query.get("route")), None)
    most = int(query["most"]) if query.get("most", "").isdecimal() else STEP
    return Road(Table("/console/deliveries", query, doors), vans, doors[:most], len(doors), every, chosen)


async def _wider(desk: Desk, query: Mapping[str, str]) -> list[Answer] | None:
    """Vans with more than their next door, where that is asked for: all of one van, or those that are late."""
    if query.get("route"):
        return await desk.every(_ROUTES, id=query["route"], doors="all")
    if query.get("show") == "late":
        return await desk.every(_ROUTES, most=_MOST_VANS, doors="late")
    return None


async def as_a_map(request: Request, desk: Desk, visitor: Visitor) -> dict[str, object]:
    """All doors ahead: what the browser draws once, and then follows live."""
    query = asked_for(request, FILTERS)
    found = await desk.every(_ROUTES, most=_MOST_VANS, id=query.get("route"), doors="all")
    vans = [van for van in found if _wanted(van, query)]
    return {"words": words(visitor), "routes": [_on_map(van) for van in vans]}


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


def of_route(track: Answer, stops: Iterable[Answer]) -> dict[str, Any]:
    """One route as a map: its doors, its van, and where it drove.

    Args:
        stops: its deliveries with how far the van is from each.
    """
    return {
        "id": track["route"]["id"],
        "name": track["route"]["vehicle_number"],
        "position": None if track["latitude"] is None else (track["latitude"], track["longitude"]),
        "silent": track["silent_since"] is not None,
        "address": "",
        "stops": [_point(stop["id"], stop, (stop["door_latitude"], stop["door_longitude"])) for stop in stops],
        "trail": [(point["latitude"], point["longitude"]) for point in track["trail"]],
    }


def _on_map(van: Answer) -> dict[str, object]:
    return {
        "id": van["id"],
        "name": van["vehicle_number"],
        "position": None if van["latitude"] is None else (van["latitude"], van["longitude"]),
        "silent": van["silent_since"] is not None,
        "address": f"/console/routes/{van['id']}",
        "stops": [_point(door["delivery_id"], door, (door["latitude"], door["longitude"])) for door in van["doors"]],
        "trail": [],
    }


def _point(delivery_id: str, said: Answer, at: tuple[float, float]) -> dict[str, object]:
    return {
        "id": delivery_id,
        "latitude": at[0],
        "longitude": at[1],
        "text": str(said["sequence"] or ""),
        "name": said["customer_name"],
        "status": said["status"],
        "p50_at": (said.get("eta") or {}).get("p50_at"),
        "address": f"/console/deliveries/{delivery_id}",
    }


def _wanted(van: Answer, query: Mapping[str, str]) -> bool:
    return bool(query.get("driver", van["driver_id"]) == van["driver_id"])


def _doors(vans: Iterable[Answer]) -> list[Door]:
    """Their doors, van by van, in the order in which they are driven."""
    return [Door(door, van) for van in vans for door in van["doors"]]
