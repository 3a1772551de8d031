"""Keeping the index: the room that owns a thing puts it here, in its own transaction, and takes it away again."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing
from cloud_api.search.models import CODE, CODE_PART, NOWHERE, TEXT, TITLE, SearchEntry, SearchSpelling, SearchWord
from cloud_api.search.words import MAX_WORDS, learnt, squashed, variants, words

#: so many digits in a row are a number that somebody gave a thing, as a GTIN
_NUMBER_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing, as people look for it."""

    #: what it is: `product`, `lot`, `order`
    kind: str
    id: uuid.UUID
    #: what is shown of it
    title: str
    #: the number it is known by: what begins with it is shown first
    code: str
    #: what else it is found by
    text: str
    #: name -> value, to narrow what was found: `{"status": "active"}`
    facets: Mapping[str, str]
    #: what one must be granted to find it: `products:read`
    permission: str
    #: where one must be let in to find it; put a thing once for each warehouse it is in; None: everybody's
    warehouse_id: uuid.UUID | None = None


async def put(db: AsyncSession, entry: Entry) -> None:
    """Let a thing be found as it is now. What is there already costs one query."""
    row = (await db.scalars(_its(entry))).one_or_none()
    if row is None or any(getattr(row, name) != value for name, value in _told(entry).items()):
        await renew(db, entry)


async def renew(db: AsyncSession, entry: Entry) -> None:
    """Index a thing from new, though it may be there as it is."""
    told = {**_told(entry), "put_at": clock.now()}
    place = entry.warehouse_id or NOWHERE
    await insert_missing(db, SearchEntry, {"kind": entry.kind, "entity_id": entry.id, "warehouse_id": place, **told})
    # locked, so that of two who index it at once the second sees the first one's words, and takes them away
    its = _its(entry).with_for_update().execution_options(populate_existing=True)
    row = (await db.scalars(its)).one_or_none()
    if row is None:  # forgotten meanwhile
        return
    for name, value in told.items():
        setattr(row, name, value)
    await db.flush()
    await db.execute(delete(SearchWord).where(SearchWord.entry_id == row.id))
    db.add_all(SearchWord(entry_id=row.id, word=word, weight=weight) for word, weight in _weights(row).items())
    await _learn(db, row)
    await db.flush()


async def forget(db: AsyncSession, kind: str, id: uuid.UUID) -> None:
    """Let a thing be found no more, in no warehouse. What is not there is no error."""
    await db.execute(delete(SearchEntry).where(SearchEntry.kind == kind, SearchEntry.entity_id == id))


async def forget_older(db: AsyncSession, moment: datetime) -> None:
    """Let nothing be found any more that was last put before that."""
    await db.execute(delete(SearchEntry).where(SearchEntry.put_at < moment))


async def unlearn(db: AsyncSession) -> None:
    """Know no word any more. What is indexed afterwards is learnt again."""
    await db.execute(delete(SearchSpelling))


def _its(entry: Entry) -> Select[tuple[SearchEntry]]:
    return select(SearchEntry).where(
        SearchEntry.entity_id == entry.id,
        SearchEntry.kind == entry.kind,
        SearchEntry.warehouse_id == (entry.warehouse_id or NOWHERE),
    )


def _told(entry: Entry) -> dict[str, object]:
    return {
        "title": entry.title,
        "code": entry.code,
        "text": entry.text,
        "facets": dict(sorted(entry.facets.items())),
        "permission": entry.permission,
    }


def _weights(row: SearchEntry) -> dict[str, int]:
    """word -> weight, the heaviest where it stands twice."""
    text = words(row.text)
    heavy = [word for word in text if len(word) >= _NUMBER_DIGITS and word.isdigit()]
    by_weight = {CODE: [squashed(row.code), *heavy], CODE_PART: words(row.code), TITLE: words(row.title), TEXT: text}
    weights: dict[str, int] = {}
    for weight, found in by_weight.items():
        for word in found:
            if word and len(weights) < MAX_WORDS:
                weights.setdefault(word, weight)
    return weights


async def _learn(db: AsyncSession, row: SearchEntry) -> None:
    new = learnt(words(row.title))
    if not new:
        return
    known = select(SearchSpelling.word).where(SearchSpelling.variant.in_(new)).distinct()
    for word in sorted(new.difference(await db.scalars(known))):
        db.add_all(SearchSpelling(variant=variant, word=word, learnt_from=row.id) for variant in sorted(variants(word)))
