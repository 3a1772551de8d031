"""A sweep: somebody walks along the shelves with a reader or a scanner, and what it saw is a count."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.readers.service import get_reader
from cloud_api.inventory.sightings.models import TagSighting
from cloud_api.inventory.sightings.portals.schemas import Sweep, SweepRead, SweptLot
from cloud_api.inventory.sightings.tags import service as tags
from cloud_api.inventory.sightings.tags.epc import normal
from cloud_api.inventory.sightings.tags.models import TagContent
from cloud_api.inventory.takes import service as takes
from cloud_api.inventory.takes.counting import Count
from cloud_api.kernel.errors import Invalid
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

#: tags in one sweep
_AT_MOST = 10_000


@dataclass(slots=True)
class _Sum:
    quantity: Decimal = Decimal(0)
    weight_g: int | None = None
    tags: Counter[uuid.UUID] = field(default_factory=Counter)

    def add(self, row: TagContent) -> None:
        self.quantity += row.quantity
        if row.weight_g is not None:
            self.weight_g = (self.weight_g or 0) + row.weight_g
        self.tags[row.tag_id] += 1


async def sweep(
    db: AsyncSession, take_id: uuid.UUID, *, wish: Sweep, counted_by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> SweepRead:
    """Count what a reader saw between two times, or a scanner read, each tag once however often, into a stock take.

    The same sweep again says the same: a count takes the place of the one before.

    Raises:
        NotFound: when the take, the reader or the place is not there.
        Invalid: when the times are the wrong way round, or too much was seen.
        MalformedEpc: when no tag can carry what was read.
        AppError: whatever the take refuses.
    """
    await places.get_location(db, wish.location_id, seen=seen)
    epcs = await _seen_by_reader(db, wish, seen) if wish.epcs is None else _read_by_scanner(wish.epcs)
    bound = await tags.find_all(db, epcs)
    counted = await _sum_up(db, [tag.id for tag in bound.values()])
    counts = [
        Count(
            lot_id=lot_id,
            location_id=wish.location_id,
            quantity=one.quantity,
            weight_g=one.weight_g,
            method="rfid",
        )
        for lot_id, one in counted.items()
    ]
    await takes.enter_counts(db, take_id, counts, counted_by=counted_by, seen=seen)
    return SweepRead(
        tags_seen=len(epcs),
        counts=[
            SweptLot(lot_id=lot_id, quantity=one.quantity, weight_g=one.weight_g, tags=len(one.tags))
            for lot_id, one in counted.items()
        ],
        unbound_epcs=[epc for epc in epcs if epc not in bound],
    )


def _read_by_scanner(epcs: Sequence[str]) -> Sequence[str]:
    """Each once, in capitals and in order."""
    return sorted({normal(epc, field=f"epcs.{place}") for place, epc in enumerate(epcs)})


async def _seen_by_reader(db: AsyncSession, wish: Sweep, seen: Visible) -> Sequence[str]:
    """The same of what a reader saw."""
    assert wish.reader_id and wish.since and wish.until  # noqa: S101, PT018 - validated
    await get_reader(db, wish.reader_id, seen=seen)
    if wish.since >= wish.until:
        raise Invalid("until must lie after since", field="until")
    its = select(TagSighting.epc).where(
        TagSighting.reader_id == wish.reader_id, TagSighting.seen_at.between(wish.since, wish.until)
    )
    epcs = (await db.scalars(its.distinct().order_by(TagSighting.epc).limit(_AT_MOST + 1))).all()
    if len(epcs) > _AT_MOST:
        raise Invalid(f"more than {_AT_MOST} tags were seen: sweep one shelf after the other", field="until")
    return epcs


async def _sum_up(db: AsyncSession, tag_ids: list[uuid.UUID]) -> Mapping[uuid.UUID, _Sum]:
    """How much the tags say of each lot, in the order of lots."""
    sums: dict[uuid.UUID, _Sum] = {}
    for rows in (await tags.contents_of(db, tag_ids)).values():
        for row in rows:
            sums.setdefault(row.lot_id, _Sum()).add(row)
    return dict(sorted(sums.items()))
