"""What is known of the readers of a batch: which way things pass them, and which rule holds."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor
from cloud_api.devices.readers.models import Reader, ReaderAntenna
from cloud_api.inventory.sightings.portals.models import PortalRule
from cloud_api.inventory.sightings.portals.spans import Span

#: reads that are no further apart are one passage, where no rule says otherwise
DEFAULT_WINDOW_S = 30
_SIDES = ("in", "out")


@dataclass(frozen=True, slots=True)
class KnownReader:
    """A reader, its antennas and its rules."""

    id: uuid.UUID
    location_id: uuid.UUID | None
    #: what a retired one says is kept, and followed by nobody
    active: bool
    direction: str = "both"
    portal: bool = False
    #: antenna -> in or out, of those that look at one side
    sides: Mapping[int, str] = field(default_factory=dict)
    #: antenna -> what it looks at, of those that look elsewhere than where the reader is
    places: Mapping[int, uuid.UUID] = field(default_factory=dict)
    #: direction -> rule; its own go before those of its place
    rules: Mapping[str, PortalRule] = field(default_factory=dict)

    @property
    def makes_passages(self) -> bool:
        """Whether anybody wants to know of passages."""
        return self.active and (self.portal or bool(self.rules))

    @property
    def window(self) -> timedelta:
        """Reads that are no further apart are one passage."""
        return timedelta(seconds=max((rule.window_s for rule in self.rules.values()), default=DEFAULT_WINDOW_S))

    @property
    def tells_by_order(self) -> bool:
        """Whether it shows at the end of a passage only which way it went: by the antennas, one side and the other."""
        return self.direction not in _SIDES and len(set(self.sides.values())) > 1

    def direction_of(self, span: Span) -> str:
        """Which way a tag went: in, out or unknown."""
        if self.direction in _SIDES:
            return self.direction
        first, last = self.sides.get(span.first_antenna or 0), self.sides.get(span.last_antenna or 0)
        if self.tells_by_order:
            return last if first and last and first != last else "unknown"
        if self.sides:
            return last or "unknown"
        return span.told_direction if span.told_direction in _SIDES else "unknown"

    def rule_for(self, direction: str) -> PortalRule | None:
        """The rule of a direction; one for both holds otherwise, also when nobody knows the direction."""
        return self.rules.get(direction) or self.rules.get("both")

    def place_of(self, antenna: int | None) -> uuid.UUID | None:
        """What an antenna looks at."""
        return self.places.get(antenna or 0, self.location_id)


async def known_readers(
    db: AsyncSession, reader_ids: Collection[uuid.UUID], *, locked: bool = False
) -> dict[uuid.UUID, KnownReader]:
    """These readers, by the id of the sensor that speaks for each.

    Args:
        locked: nobody else joins reads of these into passages until the unit of work ends.
    """
    sensors = select(Sensor).where(Sensor.id.in_(reader_ids)).order_by(Sensor.id)
    found = (await db.scalars(sensors.with_for_update(key_share=True) if locked else sensors)).all()
    facts = {row.sensor_id: row for row in await db.scalars(select(Reader).where(Reader.sensor_id.in_(reader_ids)))}
    antennas = defaultdict[uuid.UUID, list[ReaderAntenna]](list)
    theirs = select(ReaderAntenna).where(ReaderAntenna.reader_id.in_([reader.id for reader in facts.values()]))
    for antenna in await db.scalars(theirs):
        antennas[antenna.reader_id].append(antenna)
    places = {sensor.location_id for sensor in found if sensor.location_id is not None}
    rules = (
        await db.scalars(
            select(PortalRule)
            .where(or_(PortalRule.reader_id.in_(reader_ids), PortalRule.location_id.in_(places)))
            .order_by(PortalRule.reader_id.is_not(None))  # a reader's own come last, and so stay
        )
    ).all()
    return {sensor.id: _known(sensor, facts.get(sensor.id), antennas, rules) for sensor in found}


def _known(
    sensor: Sensor,
    reader: Reader | None,
    antennas: Mapping[uuid.UUID, Collection[ReaderAntenna]],
    rules: Collection[PortalRule],
) -> KnownReader:
    its = antennas.get(reader.id, ()) if reader else ()
    mine = (rule for rule in rules if rule.applies_to in (sensor.id, sensor.location_id))
    return KnownReader(
        id=sensor.id,
        location_id=sensor.location_id,
        active=sensor.status == "active",
        direction=reader.direction if reader else "both",
        portal=reader.portal if reader else False,
        sides={antenna.number: antenna.direction for antenna in its if antenna.direction in _SIDES},
        places={antenna.number: antenna.location_id for antenna in its if antenna.location_id is not None},
        rules={rule.direction: rule for rule in mine},
    )
