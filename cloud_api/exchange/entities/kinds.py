"""What an entity says of itself to be imported and exported."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.exchange.values import Cell, Reading, as_date, as_decimal, as_text, as_truth, as_whole
from cloud_api.kernel.errors import Detail
from cloud_api.places.queries import EVERYWHERE, Visible

#: field -> what the row says; what it does not say is not there
Values = Mapping[str, object]


class Outcome(StrEnum):
    """What became of a row."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class RowRefused(Exception):
    """What is wrong with a row, by its fields."""

    def __init__(self, details: Sequence[Detail]) -> None:
        super().__init__("; ".join(detail.message for detail in details))
        self.details = details


@dataclass(frozen=True, slots=True)
class By:
    """For whom it is done."""

    user_id: uuid.UUID | None = None
    #: where they may look
    seen: Visible = EVERYWHERE
    #: which run did it, for the ledger
    reference: str = ""


def text(cell: Cell, _reading: Reading) -> object:
    """Text as it stands there."""
    return as_text(cell)


def decimal(cell: Cell, reading: Reading) -> object:
    """An exact number."""
    return as_decimal(cell, reading)


def whole(cell: Cell, reading: Reading) -> object:
    """A whole number."""
    return as_whole(cell, reading)


def measure(cell: Cell, reading: Reading) -> object:
    """A number that was measured."""
    return float(as_decimal(cell, reading))


def truth(cell: Cell, _reading: Reading) -> object:
    """Yes or no."""
    return as_truth(cell)


def day(cell: Cell, reading: Reading) -> object:
    """A date."""
    return as_date(cell, reading)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an entity's files."""

    name: str
    read: Callable[[Cell, Reading], object]
    #: as it stands in the template
    example: Cell
    required: bool = False
    #: other names that it is known by
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that is imported and exported."""

    name: str
    columns: Sequence[Column]
    #: by which a row is recognised when it comes again
    key: Sequence[str]
    read_permission: str
    write_permission: str
    #: what can be said against a row without looking at anything else; raises `RowRefused`
    check: Callable[[Values], None]
    apply: Callable[[AsyncSession, Values, By], Awaitable[Outcome]]
    #: all there is that `By` may see; each call of `next` asks for a piece in the session given
    export: Callable[[AsyncSession, By], AsyncIterator[Mapping[str, Cell]]]
    #: field of what is written -> column that says it, where they are called otherwise
    said_by: Mapping[str, str] = field(default_factory=dict)

    def column(self, field_name: str) -> str | None:
        """The column that says a field."""
        name = self.said_by.get(field_name, field_name)
        return name if any(column.name == name for column in self.columns) else None


def refused(error: ValidationError) -> RowRefused:
    """The same, said by fields."""
    return RowRefused([Detail(str(one["loc"][-1] if one["loc"] else ""), str(one["msg"])) for one in error.errors()])
