"""Everything that the page of an excursion shows, asked for in three rounds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.excursions.words import EVENTS, MOMENTS, ONLY_THE_ALERT
from cloud_api.console.names import Names, names_of
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

    @property
    def lines(self) -> list[Line]:
        """What happened, the newest first."""
        lines = [self._moment(one) for one in self.excursion["timeline"]]
        if self.alert is not None:
            told = (one for one in self.alert["timeline"] if one["kind"] in ONLY_THE_ALERT)
            lines += [event_line(one, self.names) for one in told]
        return sorted(lines, key=lambda line: datetime.fromisoformat(line.at), reverse=True)

    @property
    def held(self) -> Mapping[str, Answer]:
        """What is held of each lot, by lot and place."""
        return {f"{one['lot_id']}:{one['location_id']}": one for one in (self.hold or {}).get("levels", ())}

    def _moment(self, one: Answer) -> Line:
        return Line(
            one["at"], one["what"], MOMENTS.get(one["what"], one["what"]), _name(one["by"], self.names), one["said"]
        )


def lasted_min(excursion: Answer) -> float:
    """How many minutes it has lasted."""
    until = datetime.fromisoformat(excursion["ended_at"]) if excursion["ended_at"] else clock.now()
    return (until - datetime.fromisoformat(excursion["started_at"])).total_seconds() / 60


def event_line(event: Answer, names: Names) -> Line:
    """A line of an alert's timeline."""
    kind, said = event["kind"], event["note"]
    if kind == "told":
        told = {str(one) for one in event["detail"].get("user_ids", ())}
        said = ", ".join(sorted(names.person(one) for one in told & names.people.keys()))
    return Line(event["at"], kind, EVENTS.get(kind, kind), _name(event["user_id"], names), said)


def people_in(alert: Answer) -> Iterator[str | None]:
    """Ids of all whom an alert names: who answered, who was told, and who is to be told."""
    yield from (alert["acknowledged_by"], alert["resolved_by"])
    for event in alert["timeline"]:
        yield event["user_id"]
        yield from (str(one) for one in event["detail"].get("user_ids", ()))
    yield from (telling["to"].get("id") for telling in alert["tellings"] if telling["to"]["kind"] == "user")


def window(excursion: Answer) -> tuple[datetime, datetime]:
    """The time that its chart and its evidence cover: from before it until after it."""
    started = datetime.fromisoformat(excursion["started_at"])
    ended = datetime.fromisoformat(excursion["ended_at"]) if excursion["ended_at"] else clock.now()
    around = max(_BEFORE, (ended - started) / 3)
    return started - around, max(min(ended + around, clock.now()), started + _BEFORE)


async def gather(desk: Desk, visitor: Visitor, excursion_id: str) -> Case:
    """The case of an excursion.

    Raises:
        Refused: when it is not there, or not for this person.
    """
    excursion = await desk.get(f"/excursions/{excursion_id}")
    room = f"/warehouse/storage/locations/{excursion['location_id']}"
    place, sensor, alert, hold = await together(
        _perhaps(desk, visitor, "storage:read", room, climate=False),
        _perhaps(desk, visitor, "devices:read", f"/edge/sensors/{excursion['sensor_id']}"),
        _whole_alert_of(desk, excursion_id),
        _hold_of(desk, visitor, excursion),
    )
    lots = [one["lot_id"] for one in excursion["lots"]]
    lots += [] if hold is None else [one["lot_id"] for one in hold["levels"]]
    people = [one["by"] for one in excursion["timeline"]] + ([] if alert is None else [*people_in(alert)])
    names = await names_of(visitor, lots=lots, people=people)
    return Case(excursion, place or {}, sensor or {}, alert, hold, names)


async def _perhaps(desk: Desk, visitor: Visitor, permission: str, path: str, **query: object) -> Answer | None:
    """What is at a path; None when it is gone, or not for this person."""
    if not visitor.may(permission):
        return None
    try:
        return await desk.get(path, **query)
    except Refused:
        return None


async def alert_of(desk: Desk, excursion_id: str) -> Answer | None:
    """The alert by which people were told of an excursion, in brief; None: there is none."""
    subject = f"excursion:{excursion_id}"
    found = await desk.page("/alerts", subject=subject, status=ALERT_STATUSES, limit=1)
    return next(iter(found.items), None)


async def _whole_alert_of(desk: Desk, excursion_id: str) -> Answer | None:
    found = await alert_of(desk, excursion_id)
    return None if found is None else await desk.get(f"/alerts/{found['id']}")


async def _hold_of(desk: Desk, visitor: Visitor, excursion: Answer) -> Answer | None:
    if not visitor.may("stock:read"):
        return None
    found = await desk.page("/warehouse/stock/holds", source=f"excursion:{excursion['id']}", limit=1)
    return next(iter(found.items), None)


def _name(user_id: str | None, names: Names) -> str:
    return "" if user_id is None else names.person(user_id)
