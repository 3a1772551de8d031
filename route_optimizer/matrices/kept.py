"""Answers kept on disk, so that a source is asked about unknown pairs only."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from route_optimizer.matrices.points import Point, check_points
from route_optimizer.matrices.sources import Limits, Source, Table, blocks, gaps
from route_optimizer.validation import ProblemError

#: seconds: 90 days; roads change slowly
KEPT_S = 90 * 86_400
#: parts of a degree that coordinates are rounded to: 1.1 m of latitude
PER_DEGREE = 100_000

TABLES = """
CREATE TABLE IF NOT EXISTS sources (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS ways (
    source INTEGER, origin INTEGER, destination INTEGER, distance_m INTEGER, duration_s INTEGER, asked_s INTEGER,
    PRIMARY KEY (source, origin, destination)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS off_road (
    source INTEGER, place INTEGER, reason TEXT, asked_s INTEGER, PRIMARY KEY (source, place)
) WITHOUT ROWID;
"""


@contextmanager
def opened(path: Path, tables: str) -> Iterator[sqlite3.Connection]:
    """A file of answers, with its tables made.

    Raises:
        ProblemError: when it is no SQLite file, or cannot be read and written.
    """
    try:
        with closing(sqlite3.connect(path, timeout=60)) as db:
            db.executescript(tables)
            yield db
    except sqlite3.Error as error:
        raise ProblemError("cache", f"cannot be used: {error}", f"delete {path}, or choose another file") from None


class Kept:
    """A `Source` that remembers what another one answered.

    What is kept is told apart by the other's name, hence by server or map and kind of vehicle, and by coordinates
    rounded to a metre; the other is asked about the rounded ones. Each block is kept as soon as it is answered, so that
    an interruption costs at most one. Several processes may share one file.
    """

    def __init__(
        self, source: Source, path: Path, *, kept_s: int = KEPT_S, now_s: Callable[[], float] = time.time
    ) -> None:
        """Remember in a file.

        Args:
            source: what is asked when nothing is known.
            path: an SQLite file, made when it is not there.
            kept_s: seconds after which an answer is asked for anew.
            now_s: the time, in seconds since any fixed instant.
        """
        self._source = source
        self._path = path
        self._kept_s = kept_s
        self._now_s = now_s

    @property
    def name(self) -> str:
        """The other's."""
        return self._source.name

    @property
    def limits(self) -> Limits:
        """The other's."""
        return self._source.limits

    def table(self, origins: Sequence[Point], destinations: Sequence[Point]) -> Table:
        """The ways from each origin to each destination, unknown ones asked for.

        Raises:
            ProblemError: when a coordinate is not on Earth, or the file is no SQLite file.
            SourceError: when the source cannot answer.
        """
        check_points([*origins, *destinations])
        starts, ends = [_rounded(point) for point in origins], [_rounded(point) for point in destinations]
        whole = Table.blank(len(starts), len(ends))
        with opened(self._path, TABLES) as db:
            source = self._number_of_source(db)
            known = self._recall(db, source, whole, starts, ends)
            for rows, columns in gaps(~known):
                for some_rows, some_columns in blocks(rows, columns, self.limits):
                    some_starts, some_ends = [starts[row] for row in some_rows], [ends[each] for each in some_columns]
                    part = self._source.table(some_starts, some_ends)
                    self._keep(db, source, part, some_starts, some_ends)
                    whole.put(some_rows, some_columns, part)
            self._recall_reasons(db, source, whole, {*starts, *ends})
        asked = zip((*origins, *destinations), (*starts, *ends), strict=True)
        reasons = {point: whole.off_road[place] for point, place in asked if place in whole.off_road}
        return Table(whole.distance_m, whole.duration_s, reasons)

    def _number_of_source(self, db: sqlite3.Connection) -> int:
        with db:
            db.execute("INSERT OR IGNORE INTO sources (name) VALUES (?)", (self.name,))
        return int(db.execute("SELECT id FROM sources WHERE name=?", (self.name,)).fetchone()[0])

    def _recall(
        self, db: sqlite3.Connection, source: int, whole: Table, starts: Sequence[Point], ends: Sequence[Point]
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Write into the table what is known; which cells are."""
        known = np.zeros(whole.distance_m.shape, dtype=np.bool_)
        columns: dict[int, list[int]] = {}
        for column, point in enumerate(ends):
            columns.setdefault(_number(point), []).append(column)
        wanted = "SELECT destination, distance_m, duration_s FROM ways WHERE source=? AND origin=? AND asked_s>=?"
        for row, point in enumerate(starts):
            for place, metres, seconds in db.execute(wanted, (source, _number(point), self._oldest_s())):
                for column in columns.get(place, ()):
                    known[row, column] = True
                    whole.distance_m[row, column], whole.duration_s[row, column] = metres, seconds
        return known

    def _recall_reasons(self, db: sqlite3.Connection, source: int, whole: Table, places: set[Point]) -> None:
        wanted = "SELECT reason FROM off_road WHERE source=? AND place=? AND asked_s>=?"
        for point in places:
            found = db.execute(wanted, (source, _number(point), self._oldest_s())).fetchone()
            if found:
                whole.off_road[point] = found[0]

    def _keep(
        self, db: sqlite3.Connection, source: int, part: Table, starts: Sequence[Point], ends: Sequence[Point]
    ) -> None:
        now_s = int(self._now_s())
        with db:
            db.executemany(
                "INSERT OR REPLACE INTO ways VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (source, _number(start), _number(end), int(metres), int(seconds), now_s)
                    for start, row_m, row_s in zip(starts, part.distance_m, part.duration_s, strict=True)
                    for end, metres, seconds in zip(ends, row_m, row_s, strict=True)
                ),
            )
            for place in {*starts, *ends}:
                db.execute("DELETE FROM off_road WHERE source=? AND place=?", (source, _number(place)))
            db.executemany(
                "INSERT OR REPLACE INTO off_road VALUES (?, ?, ?, ?)",
                ((source, _number(place), reason, now_s) for place, reason in part.off_road.items()),
            )

    def _oldest_s(self) -> int:
        return int(self._now_s()) - self._kept_s


def _rounded(point: Point) -> Point:
    return Point(round(point.latitude * PER_DEGREE) / PER_DEGREE, round(point.longitude * PER_DEGREE) / PER_DEGREE)


def _number(point: Point) -> int:
    """A rounded place as one number, below 2^50."""
    row = round(point.latitude * PER_DEGREE) + 90 * PER_DEGREE
    return row * (360 * PER_DEGREE + 1) + round(point.longitude * PER_DEGREE) + 180 * PER_DEGREE
