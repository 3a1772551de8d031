"""As much of Flux as our own queries use: one pipeline of known functions. Anything else is refused.

What is taken here Flux takes too; the reverse is not so. Stricter than Flux: numbers are compared with numbers of the
same type only. Source: InfluxDB OSS v2 and Flux documentation ("from", "range", "filter", "pivot", "keep", "group",
"sort", "limit"; "Annotated CSV").
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

Row = dict[str, object]
Condition = Callable[[Row], bool]

_STAGE = re.compile(r"(\w+)\s*\((.*)\)\s*", re.DOTALL)
_FROM = re.compile(r'bucket:\s*"((?:[^"\\]|\\.)*)"\s*')
_RANGE = re.compile(r"start:\s*time\(v:\s*(-?\d+)\)\s*,\s*stop:\s*time\(v:\s*(-?\d+)\)\s*")
_FILTER = re.compile(r"fn:\s*\(r\)\s*=>\s*(.*)", re.DOTALL)
_PIVOT = re.compile(r'rowKey:\s*\["_time"\],\s*columnKey:\s*\["_field"\],\s*valueColumn:\s*"_value"\s*')
_NAMES = re.compile(r"columns:\s*\[([^]]*)\]\s*")
_SORT = re.compile(r"columns:\s*\[([^]]*)\]\s*(?:,\s*desc:\s*(true|false)\s*)?")
_LIMIT = re.compile(r"n:\s*(\d+)\s*")
_TOKEN = re.compile(r'\s*(r\.\w+|"(?:[^"\\]|\\.)*"|-?\d+\.\d+|-?\d+|==|!=|<=|>=|<|>|\(|\)|and\b|or\b)')
_COMPARE: dict[str, Callable[[object, object], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<=": lambda left, right: left <= right,  # type: ignore[operator]
    ">=": lambda left, right: left >= right,  # type: ignore[operator]
    "<": lambda left, right: left < right,  # type: ignore[operator]
    ">": lambda left, right: left > right,  # type: ignore[operator]
}
_TYPES = {str: "string", float: "double", int: "long", bool: "boolean", datetime: "dateTime:RFC3339"}


class BadQuery(Exception):
    """A query that InfluxDB would not run, or that this double does not know."""


@dataclass(frozen=True)
class Query:
    """A pipeline: its bucket, its span in nanoseconds, and what is done with the rows."""

    bucket: str
    start_ns: int
    stop_ns: int
    stages: Sequence[tuple[str, str]]


@dataclass
class Table:
    """Rows with the same values in the columns of their group; `_time` is in nanoseconds."""

    group: tuple[str, ...]
    rows: list[Row]


def read(text: str) -> Query:
    """A query's parts.

    Raises:
        BadQuery: when it does not begin with a bucket and a range.
    """
    stages = []
    for piece in text.split("|>"):
        found = _STAGE.fullmatch(piece.strip())
        if found is None:
            raise BadQuery(f"compilation failed: error in {piece.strip()!r}")
        stages.append((found[1], found[2].strip()))
    if len(stages) < 2 or stages[0][0] != "from" or stages[1][0] != "range":
        raise BadQuery("cannot submit unbounded read to a bucket; try bounding 'from' with a call to 'range'")
    bucket, span = _arguments(_FROM, stages[0]), _arguments(_RANGE, stages[1])
    start_ns, stop_ns = int(span[1]), int(span[2])
    if start_ns >= stop_ns:
        raise BadQuery("error in building plan while starting program: cannot query an empty range")
    return Query(re.sub(r"\\(.)", r"\1", bucket[1]), start_ns, stop_ns, stages[2:])


def run(query: Query, tables: Iterable[Table]) -> list[Table]:
    """What comes out at the end of the pipeline; `tables` are the series of the bucket within the range.

    Raises:
        BadQuery: for a function that is not known here.
    """
    found = [*tables]
    for stage in query.stages:
        name = stage[0]
        if name not in _STAGES:
            raise BadQuery(f"compilation failed: undefined identifier {name}")
        found = _STAGES[name](found, stage)
    return [table for table in found if table.rows]


def _arguments(pattern: re.Pattern[str], stage: tuple[str, str]) -> re.Match[str]:
    found = pattern.fullmatch(stage[1])
    if found is None:
        raise BadQuery(f"compilation failed: {stage[0]} does not take {stage[1]!r} here")
    return found


def _named(text: str) -> list[str]:
    return re.findall(r'"(\w+)"', text)


def _filter(tables: list[Table], stage: tuple[str, str]) -> list[Table]:
    holds = _Conditions(_arguments(_FILTER, stage)[1]).read()
    return [Table(table.group, [row for row in table.rows if holds(row)]) for table in tables]


def _pivot(tables: list[Table], stage: tuple[str, str]) -> list[Table]:
    _arguments(_PIVOT, stage)
    made: dict[tuple[object, ...], dict[object, Row]] = {}
    for table in tables:
        for row in table.rows:
            rest = {name: value for name, value in row.items() if name not in {"_field", "_value"}}
            group = tuple(name for name in table.group if name != "_field")
            key = (group, *(rest[name] for name in group))
            made.setdefault(key, {}).setdefault(row["_time"], rest)[str(row["_field"])] = row["_value"]
    return [Table(key[0], [*rows.values()]) for key, rows in made.items()]  # type: ignore[arg-type]


def _keep(tables: list[Table], stage: tuple[str, str]) -> list[Table]:
    names = _named(_arguments(_NAMES, stage)[1])
    return [
        Table(
            tuple(name for name in table.group if name in names),
            [{name: row[name] for name in names if name in row} for row in table.rows],
        )
        for table in tables
    ]


def _group(tables: list[Table], stage: tuple[str, str]) -> list[Table]:
    if stage[1]:
        raise BadQuery("this double groups by nothing only: group()")
    return [Table((), [row for table in tables for row in table.rows])]


def _sort(tables: list[Table], stage: tuple[str, str]) -> list[Table]:
    found = _arguments(_SORT, stage)
    names = _named(found[1])

    def key(row: Row) -> tuple[object, ...]:
        return tuple(row[name] for name in names)

    backwards = found[2] == "true"
    return [Table(table.group, sorted(table.rows, key=key, reverse=backwards)) for table in tables]


def _limit(tables: list[Table], stage: tuple[str, str]) -> list[Table]:
    count = int(_arguments(_LIMIT, stage)[1])
    return [Table(table.group, table.rows[:count]) for table in tables]


_STAGES: dict[str, Callable[[list[Table], tuple[str, str]], list[Table]]] = {
    "filter": _filter,
    "pivot": _pivot,
    "keep": _keep,
    "group": _group,
    "sort": _sort,
    "limit": _limit,
}


class _Conditions:
    """`r.a == "b" and (r.c < 1.0 or r.d != 2.0)`."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        at, text = 0, text.strip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise BadQuery(f"compilation failed: error at {text[at:][:20]!r}")
            self._tokens.append(found[1])
            at = found.end()

    def read(self) -> Condition:
        """The whole of it."""
        whole = self._any()
        if self._tokens:
            raise BadQuery(f"compilation failed: unexpected {self._tokens[0]!r}")
        return whole

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._tokens[:1] == ["or"]:
            self._tokens.pop(0)
            parts.append(self._all())
        return lambda row: any(part(row) for part in parts)

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._tokens[:1] == ["and"]:
            self._tokens.pop(0)
            parts.append(self._one())
        return lambda row: all(part(row) for part in parts)

    def _one(self) -> Condition:
        if self._tokens[:1] == ["("]:
            self._tokens.pop(0)
            inner = self._any()
            if self._tokens[:1] != [")"]:
                raise BadQuery("compilation failed: expected )")
            self._tokens.pop(0)
            return inner
        if len(self._tokens) < 3 or not self._tokens[0].startswith("r.") or self._tokens[1] not in _COMPARE:
            raise BadQuery(f"compilation failed: {' '.join(self._tokens[:3])!r} compares nothing")
        (column, sign, literal), self._tokens = self._tokens[:3], self._tokens[3:]
        wanted = _literal(literal)

        def holds(row: Row) -> bool:
            value = row.get(column[2:])
            if value is None:
                return False
            if type(value) is not type(wanted):
                raise BadQuery(f"unsupported binary expression {type(value).__name__} {sign} {type(wanted).__name__}")
            return _COMPARE[sign](value, wanted)

        return holds


def _literal(text: str) -> str | float | int:
    if text.startswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return float(text) if "." in text else int(text)


def annotated_csv(tables: Iterable[Table]) -> str:
    """The answer as InfluxDB writes it: annotations, and a table's number in every row."""
    written: list[str] = []
    for number, table in enumerate(tables):
        names = [*dict.fromkeys(name for row in table.rows for name in row)]
        kinds = [_kind(name, table.rows) for name in names]
        written += [
            ",".join(["#datatype", "string", "long", *kinds]),
            ",".join(["#group", "false", "false", *("true" if name in table.group else "false" for name in names)]),
            ",".join(["#default", "_result", "", *("" for _ in names)]),
            ",".join(["", "result", "table", *names]),
        ]
        written += [
            ",".join(["", "", str(number), *(_cell(name, row.get(name)) for name in names)]) for row in table.rows
        ]
        written.append("")
    return "".join(f"{line}\r\n" for line in written)


def _kind(name: str, rows: Sequence[Row]) -> str:
    if name in {"_time", "_start", "_stop"}:
        return _TYPES[datetime]
    return _TYPES[type(next(row[name] for row in rows if name in row))]


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    if name in {"_time", "_start", "_stop"} and isinstance(value, int):
        return rfc3339(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value).replace("e+", "e")
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\r\n]', text) else text


def rfc3339(at_ns: int) -> str:
    """As InfluxDB writes a time: no more digits than it has."""
    seconds, rest = divmod(at_ns, 10**9)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{whole}{fraction}Z"
