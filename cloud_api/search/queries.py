"""Reads of the index: what has the words that were asked for, and may be seen by who asks."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, aliased

from cloud_api.search.models import NOWHERE, SearchEntry, SearchSpelling, SearchWord
from cloud_api.search.words import LAST, guesses

#: of a question, each word with what may stand for it: any of these, or a longer word that begins so
Wanted = Sequence[Collection[str]]


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may find."""

    #: None: everything
    permissions: frozenset[str] | None = None
    #: None: in all warehouses
    warehouse_ids: frozenset[uuid.UUID] | None = None

    def shows(self) -> ColumnElement[bool]:
        """Whether an entry is theirs to find."""
        conditions: list[ColumnElement[bool]] = [true()]
        if self.permissions is not None:
            conditions.append(SearchEntry.permission.in_(sorted(self.permissions)))
        if self.warehouse_ids is not None:
            conditions.append(SearchEntry.warehouse_id.in_([NOWHERE, *sorted(self.warehouse_ids)]))
        return and_(*conditions)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What is asked for beside words."""

    #: None: of every kind
    kind: str | None = None
    facets: Mapping[str, str] = field(default_factory=dict)

    def holds(self) -> ColumnElement[bool]:
        """Whether an entry is among it."""
        conditions: list[ColumnElement[bool]] = [true()]
        if self.kind is not None:
            conditions.append(SearchEntry.kind == self.kind)
        conditions += [SearchEntry.facets[name].as_string() == value for name, value in self.facets.items()]
        return and_(*conditions)


def with_words(
    sight: Sight, narrowed: Narrowed, wanted: Wanted, *, at_least: int = 0, scanned: int
) -> Select[tuple[uuid.UUID, int]]:
    """(entry, weight of the longest word asked for in it) of at most `scanned` entries that have all words."""
    leading, *others = sorted(wanted, key=lambda any_of: -min(map(len, any_of)))
    its = select(SearchWord.entry_id, SearchWord.weight).join(SearchEntry, SearchEntry.id == SearchWord.entry_id)
    for any_of in others:
        other = aliased(SearchWord)
        # one column: SQLite prefers the index of words when that alone has all that is selected
        same = select(other.entry_id).where(
            other.organization_id == SearchWord.organization_id, other.entry_id == SearchWord.entry_id
        )
        its = its.where(same.where(_begins(other.word, any_of)).exists())
    return its.where(
        _begins(SearchWord.word, leading), SearchWord.weight >= at_least, sight.shows(), narrowed.holds()
    ).limit(scanned)


def best(found: Select[tuple[uuid.UUID, int]], *, limit: int) -> Select[tuple[SearchEntry]]:
    """The entries, the heaviest first, then the newest; one that was found by several words stands there as often."""
    those = found.subquery()
    return (
        select(SearchEntry)
        .join(those, those.c.entry_id == SearchEntry.id)
        .order_by(those.c.weight.desc(), SearchEntry.id.desc())
        .limit(limit)
    )


def how_common(beginning: str, *, most: int) -> Select[tuple[int]]:
    """How many words begin so, `most` at most."""
    those = select(SearchWord.entry_id).where(_from(SearchWord.word, beginning)).limit(most)
    return select(func.count()).select_from(those.subquery())


def entities(kind: str, leading: str, asked: Collection[str]) -> Select[tuple[uuid.UUID]]:
    """The things of a kind that have all the words; `leading` is the one that they are looked up by."""
    its = select(SearchEntry.entity_id).join(SearchWord, SearchWord.entry_id == SearchEntry.id)
    its = its.where(SearchEntry.kind == kind, _from(SearchWord.word, leading))
    for word in {*asked} - {leading}:
        its = its.where(_also(word, SearchEntry.organization_id, SearchEntry.id))
    return its


def has_words(kind: str, key: InstrumentedAttribute[uuid.UUID], asked: Collection[str]) -> ColumnElement[bool]:
    """Whether the thing of this kind with this key has all the words, row by row."""
    entry = aliased(SearchEntry)
    its = select(entry.id).where(entry.kind == kind, entry.entity_id == key)
    for word in asked:
        its = its.where(_also(word, entry.organization_id, entry.id))
    return its.exists()


def everything(sight: Sight, narrowed: Narrowed, *, scanned: int) -> Select[tuple[uuid.UUID]]:
    """The newest entries, whatever their words."""
    return select(SearchEntry.id).where(sight.shows(), narrowed.holds()).order_by(SearchEntry.id.desc()).limit(scanned)


def counted(entry_ids: Select[tuple[uuid.UUID]]) -> Select[tuple[str, str, int]]:
    """(kind, facets as JSON, how many things have them) of the entries."""
    facets = cast(SearchEntry.facets, String)
    return (
        select(SearchEntry.kind, facets, func.count(SearchEntry.entity_id.distinct()))
        .where(SearchEntry.id.in_(entry_ids))
        .group_by(SearchEntry.kind, facets)
    )


def misspelt(asked: Collection[str], *, limit: int) -> Select[tuple[str]]:
    """Words of titles for which one of those that were asked for may have been mistyped."""
    guessed = sorted({guess for word in asked for guess in guesses(word)})
    return select(SearchSpelling.word).where(SearchSpelling.variant.in_(guessed)).distinct().limit(limit)


def containing(part: str, *, limit: int) -> Select[tuple[str]]:
    """Words of titles that have this part."""
    return select(SearchSpelling.word).where(_from(SearchSpelling.variant, part)).distinct().limit(limit)


def _also(
    word: str, organization_id: InstrumentedAttribute[uuid.UUID], entry_id: InstrumentedAttribute[uuid.UUID]
) -> ColumnElement[bool]:
    """Whether an entry has this word too."""
    other = aliased(SearchWord)
    same = select(other.entry_id).where(other.organization_id == organization_id, other.entry_id == entry_id)
    return same.where(_from(other.word, word)).exists()


def _begins(column: InstrumentedAttribute[str], any_of: Collection[str]) -> ColumnElement[bool]:
    return or_(*(_from(column, word) for word in sorted(any_of)))


def _from(column: InstrumentedAttribute[str], beginning: str) -> ColumnElement[bool]:
    return and_(column >= beginning, column < beginning + LAST)
