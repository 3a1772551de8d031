"""Everything that the page of an excursion shows, asked for in three rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.cold_rooms.lots import Names, names_of
from cloud_api.console.excursions.words import EVENTS, MOMENTS, ONLY_THE_ALERT
from cloud_api.console.pages import Visitor
from cloud_api.kernel import clock

ALERT_STATUSES = ("open", "snoozed", "acknowledged", "resolved")
_BEFORE = timedelta(minutes=30)


@dataclass(frozen=True)
class Line:
    """One line of a timeline: when, what, who, and what they said."""

    at: str
    code: str
    text: str
    by: str = ""
    said: str = ""


@dataclass(frozen=True)
class Case:
    """An excursion with all that hangs on it."""

    excursion: Answer
    place: Answer
    sensor: Answer
    #: that people were told of it by; None: it has none, or it is not to be seen
    alert: Answer | None
    hold: Answer | None
    names: Names
    people: Mapping[str, str]

    @property
    def lines(self) -> list[Line]:
        """What happened, the newest first."""
        lines = [self._moment(one) for one in self.excursion["timeline"]]
        if self.alert is not None:
            told = (one for one in self.alert["timeline"] if one["kind"] in ONLY_THE_ALERT)
            lines += [event_line(one, self.people) for one in told]
        return sorted(lines, key=lambda line: datetime.fromisoformat(line.at), reverse=True)

    @property
    def held(self) -> Mapping[str, Answer]:
        """What is held of each lot, by lot and place."""
        return {f"{one['lot_id']}:{one['location_id']}": one for one in (self.hold or {}).get("levels", ())}

    def _moment(self, one: Answer) -> Line:
        return Line(
            one["at"], one["what"], MOMENTS.get(one["what"], one["what"]), _name(one["by"], self.people), one["said"]
        )


def lasted_min(excursion: Answer) -> float:
    """How many minutes it has lasted."""
    until = datetime.fromisoformat(excursion["ended_at"]) if excursion["ended_at"] else clock.now()
    return (until - datetime.fromisoformat(excursion["started_at"])).total_seconds() / 60


def event_line(event: Answer, people: Mapping[str, str]) -> Line:
    """A line of an alert's timeline."""
    kind, detail = event["kind"], event["detail"]
    said = event["note"]
    if kind == "told":
        told = [people.get(str(one), "") for one in detail.get("user_ids", ())]
        said = ", ".join(sorted({name for name in told if name}))
    return Line(event["at"], kind, EVENTS.get(kind, kind), _name(event["user_id"], people), said)


def window(excursion: Answer) -> tuple[datetime, datetime]:
    """The time that its chart and its evidence cover: from before it until after it."""
    started = datetime.fromisoformat(excursion["started_at"])
    ended = datetime.fromisoformat(excursion["ended_at"]) if excursion["ended_at"] else clock.now()
    around = max(_BEFORE, (ended - started) / 3)
    return started - around, max(min(ended + around, clock.now()), started + _BEFORE)


async def people_of(desk: Desk, visitor: Visitor) -> Mapping[str, str]:
    """Names by id: of all who may be seen, and of who looks."""
    me = visitor.me or {}
    known = {str(me.get("id")): str(me.get("full_name", ""))}
    if visitor.may("users:read"):
        found = await desk.every("/admin/users", most=600)
        known |= {person["id"]: person["full_name"] or person["username"] for person in found}
    return known


async def gather(desk: Desk, visitor: Visitor, excursion_id: str) -> Case:
    """The case of an excursion.

    Raises:
        Refused: when it is not there, or not for this person.
    """
    excursion = await desk.get(f"/excursions/{excursion_id}")
    place, sensor, alert, hold, people = await together(
        _perhaps(desk, visitor, "storage:read", f"/warehouse/storage/locations/{excursion['location_id']}"),
        _perhaps(desk, visitor, "devices:read", f"/edge/sensors/{excursion['sensor_id']}"),
        _alert_of(desk, excursion_id),
        _hold_of(desk, visitor, excursion),
        people_of(desk, visitor),
    )
    lots = [one["lot_id"] for one in excursion["lots"]]
    lots += [] if hold is None else [one["lot_id"] for one in hold["levels"]]
    names = await names_of(desk, visitor, lots)
    return Case(excursion, place or {}, sensor or {}, alert, hold, names, people)


async def _perhaps(desk: Desk, visitor: Visitor, permission: str, path: str) -> Answer | None:
    """What is at a path; None when it is gone, or not for this person."""
    if not visitor.may(permission):
        return None
    try:
        return await desk.get(path)
    except Refused:
        return None


async def _alert_of(desk: Desk, excursion_id: str) -> Answer | None:
    subject = f"excursion:{excursion_id}"
    found = (await desk.page("/alerts", subject=subject, status=ALERT_STATUSES, limit=1)).items
    return await desk.get(f"/alerts/{found[0]['id']}") if found else None


async def _hold_of(desk: Desk, visitor: Visitor, excursion: Answer) -> Answer | None:
    if not visitor.may("stock:read"):
        return None
    source, place_id = f"excursion:{excursion['id']}", excursion["location_id"]
    found: Sequence[Answer] = (await desk.page("/warehouse/stock/holds", location_id=place_id, limit=200)).items
    return next((one for one in found if one["source"] == source), None)


def _name(user_id: str | None, people: Mapping[str, str]) -> str:
    return "" if user_id is None else people.get(user_id, user_id[:8])
