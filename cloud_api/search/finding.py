"""Finding: codes first, then all the words as they begin, and when nothing has them, what may have been meant."""

import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, false, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cloud_api.search.models import CODE, SearchEntry
from cloud_api.search.queries import (
    Narrowed,
    Sight,
    Wanted,
    best,
    containing,
    counted,
    entities,
    everything,
    has_words,
    how_common,
    misspelt,
    with_words,
)
from cloud_api.search.words import MAX_ASKED, is_meant, slips, squashed, words

#: entries that are looked at to show the best of them, to suggest, and to count
_SCANNED, _SUGGESTED_FROM, _COUNTED = 1_000, 200, 5_000
#: rows that are weighed against each other
_WEIGHED = 100
#: words that may stand for a mistyped one
_MEANINGS, _SPELLINGS = 3, 500
#: so many letters of a word are enough to find it by
_PART = 3
#: so many things of a kind are named one by one; more are looked up row by row, and the first rows have them soon
_NAMED = 1_000


@dataclass(frozen=True, slots=True)
class Found:
    """Entries, the best first, each thing once."""

    entries: Sequence[SearchEntry]
    #: what was looked for instead of what was asked
    understood_as: str | None


@dataclass(frozen=True, slots=True)
class Facets:
    """name -> value -> how many things have it."""

    counts: Mapping[str, Mapping[str, int]]
    total: int
    complete: bool
    understood_as: str | None


async def search(db: AsyncSession, sight: Sight, asked: str, *, narrowed: Narrowed, limit: int) -> Found:
    """What somebody may find by a question. One without a word in it finds nothing."""
    question = words(asked)[:MAX_ASKED]
    if not question:
        return Found([], None)
    coded = await _by_code(db, sight, asked, narrowed, _SCANNED)
    worded = await _by_words(db, sight, [{word} for word in question], narrowed, _SCANNED)
    if coded or worded:
        return Found(_each_once(coded, _ranked(worded, question))[:limit], None)
    meant = await _meant(db, question)
    if meant is None:
        return Found([], None)
    worded = await _by_words(db, sight, meant, narrowed, _SCANNED)
    return Found(
        _each_once(_ranked(worded, [best_of[0] for best_of in meant]))[:limit], _said(meant) if worded else None
    )


async def suggest(db: AsyncSession, sight: Sight, asked: str, *, limit: int) -> Sequence[SearchEntry]:
    """How what is being typed may go on: things with different titles."""
    question = words(asked)[:MAX_ASKED]
    if not question:
        return []
    coded = await _by_code(db, sight, asked, Narrowed(), _SUGGESTED_FROM)
    worded = await _by_words(db, sight, [{word} for word in question], Narrowed(), _SUGGESTED_FROM)
    if not coded and not worded and (meant := await _meant(db, question)):
        worded = await _by_words(db, sight, meant, Narrowed(), _SUGGESTED_FROM)
    titled: dict[str, SearchEntry] = {}
    for entry in _each_once(coded, _ranked(worded, question)):
        titled.setdefault(entry.title, entry)
    return list(titled.values())[:limit]


async def having_words(
    db: AsyncSession, kind: str, key: InstrumentedAttribute[uuid.UUID], asked: str
) -> ColumnElement[bool]:
    """The condition that the thing of this kind with this key has all the words, as they begin; for lists.

    Nobody's sight narrows it: the list does. A question without a word in it finds nothing.
    """
    question = words(asked)[:MAX_ASKED]
    if not question:
        return false()
    common = {word: await db.scalar(how_common(word, most=_NAMED + 1)) or 0 for word in question}
    rarest = min(common, key=lambda word: common[word])
    if common[rarest] > _NAMED:
        return has_words(kind, key, question)
    return key.in_(set(await db.scalars(entities(kind, rarest, question))))


async def facets(db: AsyncSession, sight: Sight, asked: str, *, narrowed: Narrowed) -> Facets:
    """Counts of what a question finds by its words; of everything when it has none."""
    question = words(asked)[:MAX_ASKED]
    if not question:
        return await _count(db, everything(sight, narrowed, scanned=_COUNTED), None)
    by_words = await _counts_of_words(db, sight, [{word} for word in question], narrowed, None)
    if by_words.total or (meant := await _meant(db, question)) is None:
        return by_words
    by_meaning = await _counts_of_words(db, sight, meant, narrowed, _said(meant))
    return by_meaning if by_meaning.total else by_words


async def _counts_of_words(
    db: AsyncSession, sight: Sight, wanted: Wanted, narrowed: Narrowed, understood_as: str | None
) -> Facets:
    those = with_words(sight, narrowed, wanted, scanned=_COUNTED).subquery()
    return await _count(db, select(those.c.entry_id), understood_as)


async def _by_code(
    db: AsyncSession, sight: Sight, asked: str, narrowed: Narrowed, scanned: int
) -> Sequence[SearchEntry]:
    """What the whole question is the number of, or its beginning: the number itself first."""
    code = squashed(asked)
    found = with_words(sight, narrowed, [{code}], at_least=CODE, scanned=scanned)
    entries = (await db.scalars(best(found, limit=_WEIGHED))).all()
    return sorted(entries, key=lambda entry: (squashed(entry.code) != code, squashed(entry.code)))


async def _by_words(
    db: AsyncSession, sight: Sight, wanted: Wanted, narrowed: Narrowed, scanned: int
) -> Sequence[SearchEntry]:
    found = with_words(sight, narrowed, wanted, scanned=scanned)
    return (await db.scalars(best(found, limit=_WEIGHED))).all()


async def _meant(db: AsyncSession, question: Sequence[str]) -> list[list[str]] | None:
    """For each word what may have been meant, the nearest first; None when nothing else can have been."""
    known = set(await db.scalars(misspelt(question, limit=_SPELLINGS)))
    for word in question:
        if len(word) >= _PART and not any(is_meant(word, other) for other in known):
            known.update(await db.scalars(containing(word, limit=_SPELLINGS)))
    meant = []
    for word in question:
        near = sorted((slips(word, other), other) for other in known if is_meant(word, other))
        meant.append([other for _, other in near[:_MEANINGS]] or [word])
    return None if meant == [[word] for word in question] else meant


def _said(meant: Sequence[Sequence[str]]) -> str:
    return " ".join(best_of[0] for best_of in meant)


def _ranked(entries: Iterable[SearchEntry], question: Sequence[str]) -> list[SearchEntry]:
    """Those first whose title has the words that were asked for, whole before begun; the order stays otherwise."""

    def distance(entry: SearchEntry) -> int:
        title = words(entry.title)
        whole = sum(word in title for word in question)
        begun = sum(any(other.startswith(word) for other in title) for word in question)
        return -2 * whole - begun

    return sorted(entries, key=distance)


def _each_once(*lists: Iterable[SearchEntry]) -> list[SearchEntry]:
    """Each thing once, however many words and warehouses it was found by."""
    seen: dict[tuple[str, uuid.UUID], SearchEntry] = {}
    for entries in lists:
        for entry in entries:
            seen.setdefault((entry.kind, entry.entity_id), entry)
    return list(seen.values())


async def _count(db: AsyncSession, entry_ids: Select[tuple[uuid.UUID]], understood_as: str | None) -> Facets:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    total = 0
    for kind, values, count in await db.execute(counted(entry_ids)):
        total += count
        counts["kind"][kind] += count
        for name, value in json.loads(values).items():
            counts[name][value] += count
    return Facets(counts, total, total < _COUNTED, understood_as)
