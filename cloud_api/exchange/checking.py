"""From a file's cells to what its rows say: columns are found, cells read, fields checked. Writes nothing, asks nobody.

Call it on a thread: it takes its time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cloud_api.exchange import tables
from cloud_api.exchange.entities.kinds import Column, Entity, RowRefused, Values
from cloud_api.exchange.errors import WrongColumns
from cloud_api.exchange.tables import BadCell, Row, Table
from cloud_api.exchange.values import DateFormat, NumberFormat, Reading, Unclear
from cloud_api.kernel.json_types import storable


@dataclass(frozen=True, slots=True)
class Options:
    """What was said about a file."""

    format: tables.Format
    date_format: DateFormat = "iso"
    number_format: NumberFormat = "plain"
    #: column of the file -> field, where they are called otherwise
    mapping: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row."""

    row: int
    #: as the file calls it
    column: str | None
    message: str

    def told(self) -> dict[str, object]:
        """As it is kept."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a file says."""

    table: Table
    #: column of the file -> field
    columns: Mapping[str, str]
    #: each row with what it says, or with what is wrong with it
    rows: Sequence[tuple[int, Values | Sequence[Problem]]]

    @property
    def ignored(self) -> list[str]:
        """Columns that say nothing here."""
        return [name for name in self.table.columns if name not in self.columns]

    def column_of(self, field_name: str) -> str | None:
        """What the file calls a field."""
        return next((name for name, known in self.columns.items() if known == field_name), None)

    @property
    def problems(self) -> list[Problem]:
        """All that is wrong."""
        return [problem for _, said in self.rows if not isinstance(said, Mapping) for problem in said]


def check_file(path: Path, entity: Entity, options: Options) -> Checked:
    """Read a file and check each row by itself, and against the rows above it.

    Raises:
        UnreadableFile, TooMuch: when it cannot be read.
        WrongColumns: when a column is missing, or the mapping names one that is not there.
    """
    table = tables.read(path, options.format)
    columns = _columns(table, entity, options)
    reading = Reading(options.date_format, options.number_format, table.day_system)
    first: dict[tuple[object, ...], int] = {}
    rows: list[tuple[int, Values | Sequence[Problem]]] = []
    for row in table.rows:
        said = _say(row, entity, columns, reading)
        if isinstance(said, Mapping):
            key = tuple(said.get(name) for name in entity.key)
            if key in first:
                named = " and ".join(entity.key)
                said = [Problem(row.number, None, f"row {first[key]} has the same {named}: keep one of them")]
            else:
                first[key] = row.number
        rows.append((row.number, said))
    return Checked(table, columns, rows)


def _columns(table: Table, entity: Entity, options: Options) -> dict[str, str]:
    known = {_plain(name): column.name for column in entity.columns for name in (column.name, *column.aliases)}
    wanted = {column.name for column in entity.columns}
    for name, target in options.mapping.items():
        if name not in table.columns:
            raise WrongColumns(f"the mapping names the column {name!r}, which the file does not have", field="map")
        if target not in wanted:
            fields = ", ".join(sorted(wanted))
            raise WrongColumns(f"{entity.name} have no field {target!r}: one of {fields}", field="map")
    found: dict[str, str] = {}
    for name in table.columns:
        target = options.mapping.get(name) or known.get(_plain(name), "")
        if target and name not in options.mapping and target in options.mapping.values():
            continue
        if target in found.values():
            raise WrongColumns(f"two columns of the file say {target}: map one of them (map=Column:field)", field=name)
        if target:
            found[name] = target
    missing = [column.name for column in entity.columns if column.required and column.name not in found.values()]
    if missing:
        raise WrongColumns(
            f"the file has no column {missing[0]!r}: name it so, or map one to it (map=Column:{missing[0]})",
            field=missing[0],
        )
    return found


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("-", " ").casefold().split())


def _say(row: Row, entity: Entity, columns: Mapping[str, str], reading: Reading) -> Values | list[Problem]:
    named: dict[str, str] = {target: name for name, target in columns.items()}
    values: dict[str, object] = {}
    problems: list[Problem] = []
    for column in entity.columns:
        name = named.get(column.name)
        if name is None or name not in row.cells:
            if column.required:
                problems.append(Problem(row.number, name, f"{column.name} must not be empty"))
            continue
        try:
            values[column.name] = _read(column, row.cells[name], reading)
        except ValueError as error:
            problems.append(Problem(row.number, name, str(error)))
    if not problems:
        try:
            entity.check(values)
        except RowRefused as refused:
            problems = told(refused, row.number, entity, named)
    return problems or values


def _read(column: Column, cell: object, reading: Reading) -> object:
    if isinstance(cell, BadCell):
        raise Unclear(f"the cell holds no value but {cell.shown}: correct it in the file")
    return storable(column.read(cell, reading))  # type: ignore[arg-type]  # what is no bad cell is a cell


def told(refused: RowRefused, row: int, entity: Entity, named: Mapping[str, str]) -> list[Problem]:
    """What is wrong with a row, by the names that the file has for its columns."""
    problems = []
    for detail in refused.details:
        column = entity.column(detail.field)
        shown = named.get(column, column) if column else None
        prefix = f"{detail.field}: " if shown is None and detail.field else ""
        problems.append(Problem(row, shown, prefix + detail.message))
    return problems
