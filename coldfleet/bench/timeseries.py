"""How quickly questions about a month of readings are answered: `coldfleet bench timeseries`.

A real `coldfleet cloud serve` is asked over loopback, one question after the other, as somebody who is signed in; each
figure counts from the first byte that is sent to the last that is received. Beside it stands a peer: the same question
asked of the readings themselves, in this process and without HTTP, by the query that most would write.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api import all_models  # noqa: F401 - every table, so that the mappers are whole
from cloud_api.kernel import clock, logs
from cloud_api.kernel.db import Database
from cloud_api.telemetry.models import SensorReading
from coldfleet.bench import cloud
from coldfleet.bench.access import PASSWORD, Figure, found, hammer, serve
from coldfleet.bench.timeseries_fill import LIMIT_C, STEP_MS, Filled, fill

DAY_MS = 86_400_000
GOAL_MS, STRETCH_MS = 50.0, 20.0
_SENSORS_OF_A_CHART = 50
_MINUTES = "/excursions/minutes"
#: of each question, for a peer: most of them take seconds
_PEER_CALLS = 3


@dataclass(frozen=True)
class Question:
    """What is asked, of us and of the peer."""

    what: str
    path: str
    parameters: dict[str, Any]
    peer: Callable[[AsyncSession], Awaitable[object]]
    #: whether the answer comes in pages; all of them are asked for
    paged: bool = False


class _Meta(msgspec.Struct):
    next_cursor: str | None = None


class _Answer(msgspec.Struct):
    meta: _Meta


@dataclass(frozen=True)
class Compared:
    """One line of the report."""

    ours: Figure
    peer: Figure
    answer_bytes: int

    @property
    def ratio(self) -> float:
        """How many times as long the peer takes."""
        return self.peer.p50_ms / self.ours.p50_ms


async def measure(folder: Path, database_url: str, *, readings: int, calls: int) -> list[Compared]:
    """All figures; on a database of its own in the folder when `database_url` is empty."""
    logs.configure(level="warning", for_people=True)
    url = database_url or f"sqlite+aiosqlite:///{folder / 'cloud.db'}"
    # all of them stay rows: who seals would be measured beside who asks
    environment = cloud.environment(url, folder, seal_readings_after_days="3650")
    name = f"bench-{uuid.uuid4().hex[:10]}"
    await asyncio.to_thread(found, name, folder, environment)
    database = Database(url)
    try:
        filled = await fill(database, name, readings=readings)
        server, base_url = await asyncio.to_thread(serve, folder, environment)
        try:
            return await _compare(database, filled, base_url, name, calls=calls)
        finally:
            await asyncio.to_thread(server.stop)
    finally:
        await database.close()


def questions(filled: Filled) -> list[Question]:
    """What the goals are set for."""
    chart, month_ms, day_ms = filled.sensor_ids[:_SENSORS_OF_A_CHART], filled.until_ms - 30 * DAY_MS, DAY_MS
    month = {"since": clock.from_ms(month_ms).isoformat(), "until": clock.from_ms(filled.until_ms).isoformat()}
    day = {**month, "since": clock.from_ms(filled.until_ms - day_ms).isoformat()}
    one = filled.sensor_ids[len(filled.sensor_ids) // 2]

    async def last_values(db: AsyncSession) -> object:
        newest = (
            select(SensorReading.sensor_id, func.max(SensorReading.recorded_at_ms).label("at_ms"))
            .group_by(SensorReading.sensor_id)
            .subquery()
        )
        same = (SensorReading.sensor_id == newest.c.sensor_id) & (SensorReading.recorded_at_ms == newest.c.at_ms)
        return (await db.execute(select(SensorReading).join(newest, same))).all()

    async def readings(db: AsyncSession) -> object:
        its = select(SensorReading).where(
            SensorReading.sensor_id == one, SensorReading.recorded_at_ms >= filled.until_ms - day_ms
        )
        return (await db.scalars(its.order_by(SensorReading.recorded_at_ms))).all()

    async def hours(db: AsyncSession) -> object:
        hour = SensorReading.recorded_at_ms // 3_600_000
        value = SensorReading.value
        theirs = (
            select(SensorReading.sensor_id, hour, func.count(), func.min(value), func.avg(value), func.max(value))
            .where(SensorReading.sensor_id.in_(chart), SensorReading.recorded_at_ms >= month_ms)
            .group_by(SensorReading.sensor_id, hour)
        )
        return (await db.execute(theirs)).all()

    async def minutes(db: AsyncSession) -> object:
        beyond = (
            select(SensorReading.sensor_id, func.count() * (STEP_MS // 60_000))
            .where(SensorReading.recorded_at_ms >= month_ms, SensorReading.value > LIMIT_C)
            .group_by(SensorReading.sensor_id)
        )
        return (await db.execute(beyond)).all()

    count, path = len(filled.sensor_ids), "/telemetry/readings"
    return [
        Question(f"latest of {count:,} sensors", f"{path}/latest", {}, last_values),
        Question("24 h raw of one sensor", path, {**day, "sensor_id": str(one), "limit": 200}, readings, paged=True),
        Question(
            f"30 d hourly of {len(chart)} sensors",
            f"{path}/aggregate",
            {**month, "sensor_id": [str(sensor_id) for sensor_id in chart], "bucket": "hour"},
            hours,
        ),
        Question(f"excursion minutes of 30 d of {count:,} sensors", _MINUTES, month, minutes),
    ]


async def _compare(database: Database, filled: Filled, base_url: str, name: str, *, calls: int) -> list[Compared]:
    async with httpx2.AsyncClient(base_url=f"{base_url}/api/v1", timeout=120) as client:
        signed_in = await client.post("/auth/login", json={"login": name, "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {signed_in.raise_for_status().json()['data']['access_token']}"
        made = []
        there = (await client.get(f"{base_url}/openapi.json")).raise_for_status().json()["paths"]
        for question in questions(filled):
            if f"/api/v1{question.path}" not in there:
                continue
            answer_bytes = await _ask(client, question)

            async def ask(_client: int, its: Question = question) -> None:
                await _ask(client, its)

            async def ask_peer(_client: int, its: Question = question) -> None:
                async with database.unit_of_work(filled.scope, read_only=True) as db:
                    await its.peer(db)

            peer = await hammer(f"{question.what}: a plain query", ask_peer, calls=_PEER_CALLS, clients=1)
            ours = await hammer(question.what, ask, calls=calls, clients=1)
            made.append(Compared(ours, peer, answer_bytes))
        return made


async def _ask(client: httpx2.AsyncClient, question: Question) -> int:
    """How many bytes the whole answer has."""
    size, parameters = 0, dict(question.parameters)
    while True:
        answer = (await client.get(question.path, params=parameters)).raise_for_status()
        size += len(answer.content)
        if not question.paged:
            return size
        parameters["cursor"] = msgspec.json.decode(answer.content, type=_Answer).meta.next_cursor
        if parameters["cursor"] is None:
            return size


def table(figures: Sequence[Compared], machine: str) -> Table:
    """The report."""
    title = f"{machine}; p95 below {GOAL_MS:.0f} ms is the goal, below {STRETCH_MS:.0f} ms more"
    made = Table("", "p50 ms", "p95 ms", "goal", "kB", "plain query p50 ms", "times ours", title=title)
    for figure in figures:
        ours = figure.ours
        reached = "more" if ours.p95_ms < STRETCH_MS else "yes" if ours.p95_ms < GOAL_MS else "no"
        made.add_row(
            ours.what,
            f"{ours.p50_ms:.1f}",
            f"{ours.p95_ms:.1f}",
            reached,
            f"{figure.answer_bytes / 1000:.0f}",
            f"{figure.peer.p50_ms:.1f}",
            f"{figure.ratio:.1f}",
        )
    return made


def as_json(figures: Sequence[Compared], machine: str) -> dict[str, object]:
    """The same for programs."""
    return {
        "machine": machine,
        "figures": [
            {
                "what": figure.ours.what,
                "p50_ms": figure.ours.p50_ms,
                "p95_ms": figure.ours.p95_ms,
                "calls": len(figure.ours.took_ms),
                "answer_bytes": figure.answer_bytes,
                "goal_p95_ms": GOAL_MS,
                "plain_query_p50_ms": figure.peer.p50_ms,
                "times_ours": figure.ratio,
            }
            for figure in figures
        ],
    }
