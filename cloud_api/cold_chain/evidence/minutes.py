"""How long sensors were in excursion: from the excursions alone, no reading is touched."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.kernel import clock
from cloud_api.places.queries import EVERYWHERE, Visible


@dataclass(frozen=True, slots=True)
class Span:
    """An excursion, cut to a period."""

    begin: datetime
    end: datetime
    kind: str


#: by sensor, in the order of their beginnings
Excursions = Mapping[uuid.UUID, Sequence[Span]]


async def in_excursion(
    db: AsyncSession,
    *,
    since: datetime,
    until: datetime,
    location_ids: Collection[uuid.UUID] | None = None,
    sensor_ids: Collection[uuid.UUID] | None = None,
    seen: Visible = EVERYWHERE,
) -> Excursions:
    """Each sensor's excursions in [since, until), cut to it, in the order of time: one query.

    What goes on is counted to now, what was retracted is not counted.
    """
    until = min(until, clock.now())
    its = (
        select(Excursion.sensor_id, Excursion.started_at, Excursion.ended_at, Excursion.closed_at, Excursion.kind)
        .where(
            seen.locations(Excursion.location_id),
            Excursion.retracted_at.is_(None),
            Excursion.started_at < until,
            or_(Excursion.ended_at.is_(None), Excursion.ended_at > since),
        )
        .order_by(Excursion.started_at)
    )
    if location_ids is not None:
        its = its.where(Excursion.location_id.in_(location_ids))
    if sensor_ids is not None:
        its = its.where(Excursion.sensor_id.in_(sensor_ids))
    found: dict[uuid.UUID, list[Span]] = defaultdict(list)
    for sensor_id, started_at, ended_at, closed_at, kind in await db.execute(its):
        span = Span(max(started_at, since), min(ended_at or closed_at or until, until), kind)
        if span.begin < span.end:
            found[sensor_id].append(span)
    return found


def minutes(spans: Sequence[Span]) -> float:
    """How long spans in the order of their beginnings are together; what two rules saw at once counts once."""
    total, reached = timedelta(0), None
    for span in spans:
        if reached is None or span.end > reached:
            total += span.end - (span.begin if reached is None else max(span.begin, reached))
            reached = span.end
    return total.total_seconds() / 60
