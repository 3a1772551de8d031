"""What promising stock costs, and how quickly a full warehouse answers: `coldfleet bench stock`.

Everything happens on one processor, the database with it, on PostgreSQL and on SQLite, each a database of the
benchmark's own with what is committed on the disk. `stock_reserve` says what is promised, `stock_questions` what is
asked.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloud_api.kernel import logs
from coldfleet.bench import stock_questions, stock_reserve
from coldfleet.bench.gateway import Figure
from coldfleet.bench.processes import cores
from coldfleet.bench.stock_site import on_postgresql, on_sqlite

PARTS = ("reserve", "questions", "lots", "trace")
ENGINES = ("postgres", "sqlite")


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    folder: Path
    engines: Sequence[str]
    repeat: int
    #: in a run of `reserve`
    promises: int
    questions: stock_questions.Sizes


def measure(wanted: Wanted, parts: Sequence[str]) -> Iterator[Figure]:
    """The figures, as they come."""
    logs.configure(level="warning", for_people=True)
    os.sched_setaffinity(0, {cores()[0]})
    for name in wanted.engines:
        with on_postgresql() if name == "postgres" else on_sqlite(wanted.folder) as engine:
            if engine.server is not None:
                os.sched_setaffinity(engine.server.server.pid, {cores()[0]})
            if "reserve" in parts:
                yield from asyncio.run(stock_reserve.figures(engine, promises=wanted.promises, repeat=wanted.repeat))
            if asked := [part for part in parts if part != "reserve"]:
                yield from stock_questions.figures(engine, wanted.folder, wanted.questions, asked)
