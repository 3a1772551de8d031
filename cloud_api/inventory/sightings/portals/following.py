"""From reads to passages: joined as they come, in whatever order, and settled when they are over.

A reaction to `TagsSeen`, in a unit of work of its own: taking in readings waits for none of it. Reads are joined under
the lock of their readers, each once, so late, shuffled and repeated batches and any number of workers make the same
passages.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.sightings.events import TagsSeen
from cloud_api.inventory.sightings.models import TagSighting
from cloud_api.inventory.sightings.portals import settling
from cloud_api.inventory.sightings.portals.models import Passage
from cloud_api.inventory.sightings.portals.readers import KnownReader, known_readers
from cloud_api.inventory.sightings.portals.spans import Span, groups, joined
from cloud_api.inventory.sightings.portals.states import PASSAGE, PassageAction, PassageStatus
from cloud_api.inventory.sightings.tags.models import Tag
from cloud_api.kernel import clock

#: of passages that turn out to be one, that which stands: what somebody or something has decided goes first
_RANK = (
    PassageStatus.BOOKED,
    PassageStatus.READY,
    PassageStatus.REJECTED,
    PassageStatus.PROPOSED,
    PassageStatus.SEEN,
    PassageStatus.OPEN,
)
Key = tuple[uuid.UUID, str]


async def follow_tags(db: AsyncSession, event: TagsSeen) -> None:
    """Join what was seen into passages, and remember where each tag was seen last."""
    sightings = (
        await db.scalars(
            select(TagSighting)
            .where(
                TagSighting.gateway_id == event.gateway_id,
                TagSighting.sequence.between(event.first_sequence, event.last_sequence),
            )
            .order_by(TagSighting.seen_at, TagSighting.sequence)
        )
    ).all()
    readers = await known_readers(db, {seen.reader_id for seen in sightings}, locked=True)
    reads = defaultdict[Key, list[Span]](list)
    for seen in sightings:
        if readers[seen.reader_id].makes_passages:
            reads[seen.reader_id, seen.epc].append(_span(seen))
    known = await _passages_near(db, reads, readers)
    fresh: list[Passage] = []
    for key, spans in reads.items():
        fresh += _join(db, readers[key[0]], key[1], spans, known.get(key, ()))
    await db.flush()
    for reader in readers.values():
        await settling.settle(db, reader, [passage for passage in fresh if passage.reader_id == reader.id])
    await _remember(db, sightings, readers)


def _span(seen: TagSighting) -> Span:
    return Span(
        began_at=seen.seen_at,
        ended_at=seen.seen_at,
        first_antenna=seen.antenna,
        last_antenna=seen.antenna,
        told_direction=seen.direction,
    )


async def _passages_near(
    db: AsyncSession, reads: Mapping[Key, Sequence[Span]], readers: Mapping[uuid.UUID, KnownReader]
) -> Mapping[Key, Sequence[Passage]]:
    """The passages that new reads may belong to, by reader and tag."""
    near = []
    for reader_id in {key[0] for key in reads}:
        epcs = [epc for at, epc in reads if at == reader_id]
        times = [span.began_at for epc in epcs for span in reads[reader_id, epc]]
        window = readers[reader_id].window
        near.append(
            and_(
                Passage.reader_id == reader_id,
                Passage.epc.in_(epcs),
                Passage.began_at <= max(times) + window,
                Passage.ended_at >= min(times) - window,
            )
        )
    found = defaultdict[Key, list[Passage]](list)
    if near:
        mine = select(Passage).where(or_(*near), Passage.merged_into_id.is_(None)).order_by(Passage.id)
        for passage in await db.scalars(mine.with_for_update()):
            found[passage.reader_id, passage.epc].append(passage)
    return found


def _join(
    db: AsyncSession, reader: KnownReader, epc: str, reads: Sequence[Span], known: Sequence[Passage]
) -> list[Passage]:
    """Join reads of a tag with what is known of its passages. Returns those that nobody has settled."""
    spans = [settling.span_of(passage) for passage in known]
    by_span = {id(span): passage for span, passage in zip(spans, known, strict=True)}
    due_at, unsettled = clock.now() + reader.window, list[Passage]()
    for group in groups([*spans, *reads], reader.window):
        same = sorted(
            (by_span[id(span)] for span in group if id(span) in by_span),
            key=lambda passage: (_RANK.index(PassageStatus(passage.status)), passage.id),
        )
        if len(same) == len(group) == 1:
            continue  # it only stands near
        whole = joined(group)
        if same:
            passage = same[0]
        else:
            passage = Passage(
                reader_id=reader.id,
                location_id=reader.location_id,
                epc=epc,
                direction="unknown",
                status=PASSAGE.initial,
            )
            db.add(passage)
        for name in Span.__slots__:
            setattr(passage, name, getattr(whole, name))
        for other in same[1:]:
            _merge(other, passage)
        if passage.status == PassageStatus.OPEN:
            passage.due_at = due_at
            unsettled.append(passage)
    return unsettled


def _merge(other: Passage, into: Passage) -> None:
    """What came late shows that two passages are one: what is not booked yet of the second never will be."""
    other.merged_into_id = into.id
    if PassageAction.SKIP in PASSAGE.allowed(PassageStatus(other.status)):
        other.status = PASSAGE.apply(PassageStatus(other.status), PassageAction.SKIP)
        other.reason, other.message = "MERGED", "reads that came late show that it is the same passage as another"


async def _remember(
    db: AsyncSession, sightings: Sequence[TagSighting], readers: Mapping[uuid.UUID, KnownReader]
) -> None:
    """Where each bound tag was seen last."""
    newest: dict[str, TagSighting] = {seen.epc: seen for seen in sightings if readers[seen.reader_id].active}
    bound = select(Tag).where(Tag.epc.in_(newest), Tag.unbound_at.is_(None)).order_by(Tag.id)
    for tag in await db.scalars(bound.with_for_update().execution_options(populate_existing=True)):
        seen = newest[tag.epc]
        if _is_later(seen.seen_at, tag.last_seen_at):
            tag.last_seen_at = seen.seen_at
            tag.last_location_id = readers[seen.reader_id].place_of(seen.antenna)
    await db.flush()


def _is_later(instant: datetime, than: datetime | None) -> bool:
    return than is None or instant > than
