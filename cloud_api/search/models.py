"""What can be found, and by which words.

The index is made of plain tables whose keys are compared with `=`, `>=` and `<`: PostgreSQL uses an index under
row-level security for nothing else, full text (`@@`) and `LIKE` come after the wall and read every row of the
organisation (ADR 31). So both databases have one and the same index.
"""

import uuid
from datetime import datetime

from sqlalchemy import Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, Scoped, same_organization

#: in no warehouse: everybody's
NOWHERE = uuid.UUID(int=0)

#: weights of words, in the order in which what they find is shown
TEXT, TITLE, CODE_PART, CODE = 1, 2, 3, 4

#: words are compared byte by byte, whatever the database's own order of letters is
Word = String().with_variant(String(collation="C"), "postgresql")


class SearchEntry(OrganizationOwned, Base):
    """One thing as people look for it: once for each warehouse in which it is to be found."""

    __tablename__ = "search_entries"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("organization_id", "entity_id", "kind", "warehouse_id"),
        Index("ix_search_entries_organization_id_kind", "organization_id", "kind", "id"),
    )

    #: what it is: `product`, `lot`, `order`
    kind: Mapped[str]
    entity_id: Mapped[uuid.UUID]
    #: `NOWHERE` when it stands in none
    warehouse_id: Mapped[uuid.UUID]
    title: Mapped[str]
    code: Mapped[str]
    text: Mapped[str]
    facets: Mapped[dict[str, object]]
    #: who may read it
    permission: Mapped[str]
    put_at: Mapped[datetime]


class SearchWord(Scoped, Base):
    """A word by which an entry is found."""

    __tablename__ = "search_words"
    __table_args__ = (
        same_organization("entry_id", "search_entries", ondelete="CASCADE"),
        Index("ix_search_words_organization_id_word", "organization_id", "word", "entry_id", "weight"),
    )

    organization_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(Word, primary_key=True)
    #: of `TEXT`, of the `TITLE`, a `CODE_PART`, the whole `CODE`
    weight: Mapped[int] = mapped_column(SmallInteger)


class SearchSpelling(Scoped, Base):
    """How somebody may mistype a word of a title, or which part of it they may remember.

    Two who learn one word at the same time write it twice, each under an entry of their own: nobody waits for anybody.
    """

    __tablename__ = "search_spellings"

    organization_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    variant: Mapped[str] = mapped_column(Word, primary_key=True)
    word: Mapped[str] = mapped_column(Word, primary_key=True)
    #: the entry whose title it was learnt from; it may be gone
    learnt_from: Mapped[uuid.UUID] = mapped_column(primary_key=True)
