"""Readings in InfluxDB 2; cursors, roll-ups and everything else stay in the platform's own database.

A reading is a point of the measurement `readings`, with two fields: its raw value, and its quality as a number. What
identifies it stands in its key, so that the same reading written twice is one point:

- tags `organisation` and `sensor`, by their keys; `lane`, the key of the lane's cursor; `block`, the millions of its
  sequence on the wire;
- the time in nanoseconds: milliseconds x 10^6 + the rest of the sequence.

Points are written before the unit of work commits. When it does not, they stay: the gateway sends the same rows again,
and they overwrite themselves. Nothing is shown of a lane or sensor that was never committed, because their keys come
from the database, under its walls, whenever something is read.
"""

import csv
import io
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, cast

import numpy as np
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Sensor
from cloud_api.kernel.errors import Unavailable
from cloud_api.kernel.tenancy import OrganizationScope, ScopedSession, TenancyViolation
from cloud_api.telemetry.models import QUALITIES, LaneCursor, SensorSeries
from cloud_api.telemetry.stores.pieces import behind, between, first
from cloud_api.telemetry.stores.port import NO_READINGS, NewReadings, Readings

if TYPE_CHECKING:
    from influxdb_client.client.exceptions import InfluxDBError
    from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync

log = structlog.get_logger(__name__)

MEASUREMENT = "readings"
#: sequences of a lane, by the port
_LANE = 1 << 40
#: nanoseconds of a millisecond: so many sequences have their place in one
_BLOCK = 1_000_000
#: whole milliseconds that InfluxDB can keep
_EARLIEST_MS, _LATEST_MS = -9_223_372_036_854, 9_223_372_036_854
_BAD = float(QUALITIES.index("bad"))
#: sensors in one query
_SENSORS_AT_ONCE = 100
#: more rows than asked for, so that the last moment of a page is whole
_MARGIN = 50
#: how far back the newest is looked for at first, and how many times farther each time it was not found
_LOOK_BACK_MS, _FARTHER = 86_400_000, 16
_TIMEOUT_MS = 10_000
#: when InfluxDB itself does not say
_RETRY_AFTER_S = 5


@dataclass(frozen=True, slots=True)
class Server:
    """Where InfluxDB is, and as whom we come."""

    url: str
    token: str
    organization: str
    bucket: str


@dataclass(frozen=True, slots=True)
class _Known:
    """Sensors that may be seen, and the lanes of their gateways."""

    gateways: Mapping[uuid.UUID, uuid.UUID]
    #: key of the cursor -> number of the lane
    lanes: Mapping[str, int]


class InfluxStore:
    """The store for sites that have InfluxDB. Its client is opened at the first use, in the loop that uses it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._client: InfluxDBClientAsync | None = None

    async def close(self) -> None:
        """Let the connections go."""
        if self._client is not None:
            await self._client.close()  # type: ignore[no-untyped-call]
            self._client = None

    async def append(self, db: AsyncSession, new: NewReadings) -> None:
        """As the port says.

        Raises:
            Unavailable: when InfluxDB does not take the points; nothing is lost, the same may be sent again.
        """
        if not len(new):
            return
        series = await _series(db, set(new.series.tolist()))
        lanes = await _lanes_by_number(db, {gateway_id for _, gateway_id in series.values()})
        organization = _organization(db)
        lines = []
        for number, at_ms, sequence, value, quality in zip(
            *(part.tolist() for part in (new.series, new.times_ms, new.sequences, new.values, new.qualities)),
            strict=True,
        ):
            sensor_id, gateway_id = series[number]
            lane, wire = divmod(sequence, _LANE)
            block, rest = divmod(wire, _BLOCK)
            lines.append(
                f"{MEASUREMENT},block={block},lane={lanes[gateway_id, lane]},organisation={organization},"
                f"sensor={sensor_id} quality={quality}.0,value={value!r} {at_ms * _BLOCK + rest}"
            )
        await self._write("\n".join(lines).encode())

    async def read(
        self,
        db: AsyncSession,
        sensor_id: uuid.UUID,
        *,
        from_ms: int,
        to_ms: int,
        limit: int | None = None,
        after: tuple[int, int] | None = None,
    ) -> Readings:
        """As the port says."""
        if after is not None:
            from_ms = max(from_ms, after[0])
        known = await _known(db, [sensor_id])
        if limit is None:
            whole = (await self._read(db, known, [sensor_id], from_ms, to_ms)).get(sensor_id, NO_READINGS)
            return behind(whole, after)
        asked = limit + _MARGIN
        while True:
            page = await self._read(db, known, [sensor_id], from_ms, to_ms, page_stages(asked))
            found = page.get(sensor_id, NO_READINGS)
            if len(found) >= asked:  # of the last moment there may be more
                found = between(found, from_ms, int(found.times_ms[-1]))
                if len(behind(found, after)) < limit:
                    asked *= 2
                    continue
            return first(behind(found, after), limit)

    async def read_many(
        self, db: AsyncSession, sensor_ids: Collection[uuid.UUID], *, from_ms: int, to_ms: int
    ) -> dict[uuid.UUID, Readings]:
        """As the port says."""
        known, asked = await _known(db, sensor_ids), sorted(set(sensor_ids))
        found: dict[uuid.UUID, Readings] = {}
        for begin in range(0, len(asked), _SENSORS_AT_ONCE):
            found |= await self._read(db, known, asked[begin : begin + _SENSORS_AT_ONCE], from_ms, to_ms)
        return found

    async def newest_before(
        self,
        db: AsyncSession,
        sensor_id: uuid.UUID,
        *,
        before_ms: int,
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> int | None:
        """As the port says. Looked for in the last day first, then ever farther back."""
        known = await _known(db, [sensor_id])
        stages = newest_stages(at_most, at_least)
        to_ms, width_ms = min(before_ms, _LATEST_MS), _LOOK_BACK_MS
        while to_ms > _EARLIEST_MS:
            from_ms = max(to_ms - width_ms, _EARLIEST_MS)
            found = (await self._read(db, known, [sensor_id], from_ms, to_ms, stages)).get(sensor_id)
            if found is not None:
                return int(found.times_ms[-1])
            to_ms, width_ms = from_ms, width_ms * _FARTHER
        return None

    async def _read(
        self,
        db: AsyncSession,
        known: _Known,
        sensor_ids: Iterable[uuid.UUID],
        from_ms: int,
        to_ms: int,
        stages: Sequence[str] = (),
    ) -> dict[uuid.UUID, Readings]:
        """Readings of those sensors among them that are known, each by (time, sequence)."""
        mine = [sensor_id for sensor_id in sensor_ids if sensor_id in known.gateways]
        from_ms, to_ms = max(from_ms, _EARLIEST_MS), min(to_ms, _LATEST_MS)
        if not mine or not known.lanes or from_ms >= to_ms:
            return {}
        query = flux(
            self._server.bucket,
            _organization(db),
            sensors=map(str, mine),
            lanes=known.lanes,
            from_ms=from_ms,
            to_ms=to_ms,
            stages=stages,
        )
        return _readings(await self._query(query), known.lanes)

    async def _write(self, lines: bytes) -> None:
        from aiohttp import ClientError
        from influxdb_client.client.exceptions import InfluxDBError

        try:
            taken = (
                await self._open()
                .write_api()
                .write(bucket=self._server.bucket, org=self._server.organization, record=lines)
            )
        except InfluxDBError as error:
            raise _unavailable(error) from error
        except (ClientError, OSError, TimeoutError) as error:
            raise _silent(error) from error
        if not taken:
            raise Unavailable("the store of readings did not say that it took them: send the same again")

    async def _query(self, query: str) -> str:
        from aiohttp import ClientError
        from influxdb_client.client.exceptions import InfluxDBError
        from influxdb_client.domain.dialect import Dialect

        # header and the form of times are as the server has them
        dialect = Dialect(annotations=["datatype", "group", "default"])  # type: ignore[no-untyped-call]
        try:
            answer = await self._open().query_api().query_raw(query, org=self._server.organization, dialect=dialect)
        except InfluxDBError as error:
            raise _unavailable(error) from error
        except (ClientError, OSError, TimeoutError) as error:
            raise _silent(error) from error
        return cast(str, answer)

    def _open(self) -> "InfluxDBClientAsync":
        if self._client is None:
            from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync

            self._client = InfluxDBClientAsync(
                self._server.url,
                token=self._server.token,
                org=self._server.organization,
                timeout=_TIMEOUT_MS,
                enable_gzip=True,
            )
        return self._client


def flux(
    bucket: str,
    organization: uuid.UUID,
    *,
    sensors: Iterable[str],
    lanes: Iterable[str],
    from_ms: int,
    to_ms: int,
    stages: Sequence[str] = (),
) -> str:
    """The query for readings of an organisation's sensors in [from, to), a row each; `stages` follow."""
    quoted = bucket.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    those = [
        f'r._measurement == "{MEASUREMENT}"',
        f'r.organisation == "{organization}"',
        _one_of("sensor", sensors),
        _one_of("lane", lanes),
    ]
    pipeline = [
        f'from(bucket: "{quoted}")',
        f"range(start: time(v: {from_ms * _BLOCK}), stop: time(v: {to_ms * _BLOCK}))",
        f"filter(fn: (r) => {' and '.join(those)})",
        'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
        'keep(columns: ["sensor", "lane", "block", "_time", "value", "quality"])',
        *stages,
    ]
    return "\n  |> ".join(pipeline)


def page_stages(count: int) -> list[str]:
    """The first ones by time."""
    return ["group()", 'sort(columns: ["_time"])', f"limit(n: {count})"]


def newest_stages(at_most: float | None, at_least: float | None) -> list[str]:
    """The last one by time that is not bad and within the bounds."""
    wanted = [f"r.quality != {_BAD}"]
    wanted += [] if at_most is None else [f"r.value <= {_number(at_most)}"]
    wanted += [] if at_least is None else [f"r.value >= {_number(at_least)}"]
    chosen = f"filter(fn: (r) => {' and '.join(wanted)})"
    return [chosen, "group()", 'sort(columns: ["_time"], desc: true)', "limit(n: 1)"]


def _one_of(tag: str, values: Iterable[str]) -> str:
    return "(" + " or ".join(f'r.{tag} == "{value}"' for value in values) + ")"


def _number(value: float) -> str:
    """A number as Flux writes it: never with an exponent, always with a point."""
    written = format(Decimal(value), "f")
    return written if "." in written else f"{written}.0"


def _readings(answer: str, lanes: Mapping[str, int]) -> dict[uuid.UUID, Readings]:
    """An annotated CSV; the client's own reader would cut nanoseconds off."""
    cells: dict[str, list[tuple[str, int, int, float, float]]] = defaultdict(list)
    header: list[str] = []
    for row in csv.reader(io.StringIO(answer)):
        if not row or row[0].startswith("#"):
            header = []
        elif not header:
            header = row
        else:
            named = dict(zip(header, row, strict=True))
            place = named["_time"].removesuffix("Z"), lanes[named["lane"]], int(named["block"])
            cells[named["sensor"]].append((*place, float(named["value"]), float(named["quality"])))
    return {uuid.UUID(sensor): _of_cells(rows) for sensor, rows in cells.items()}


def _of_cells(rows: Sequence[tuple[str, int, int, float, float]]) -> Readings:
    times, lanes, blocks, values, qualities = zip(*rows, strict=True)
    at_ns = np.array(times, "datetime64[ns]").astype(np.int64)
    times_ms = at_ns // _BLOCK
    sequences = np.array(lanes, np.int64) * _LANE + np.array(blocks, np.int64) * _BLOCK + (at_ns - times_ms * _BLOCK)
    order = np.lexsort((sequences, times_ms))
    return Readings(
        times_ms[order],
        sequences[order],
        np.array(values, np.float64)[order],
        np.array(qualities, np.float64).astype(np.int8)[order],
    )


async def _series(db: AsyncSession, numbers: Collection[int]) -> dict[int, tuple[uuid.UUID, uuid.UUID]]:
    """The sensor and the gateway of each series."""
    its = select(SensorSeries.number, Sensor.id, Sensor.gateway_id).join(Sensor, Sensor.id == SensorSeries.sensor_id)
    rows = await db.execute(its.where(SensorSeries.number.in_(numbers)))
    return {number: (sensor_id, gateway_id) for number, sensor_id, gateway_id in rows}


async def _lanes_by_number(
    db: AsyncSession, gateway_ids: Collection[uuid.UUID]
) -> dict[tuple[uuid.UUID, int], uuid.UUID]:
    theirs = select(LaneCursor.gateway_id, LaneCursor.number, LaneCursor.id)
    rows = await db.execute(theirs.where(LaneCursor.gateway_id.in_(gateway_ids)))
    return {(gateway_id, number): lane_id for gateway_id, number, lane_id in rows}


async def _known(db: AsyncSession, sensor_ids: Collection[uuid.UUID]) -> _Known:
    """The walls: what of these the unit of work's organisation has."""
    rows = await db.execute(select(Sensor.id, Sensor.gateway_id).where(Sensor.id.in_(sensor_ids)))
    gateways = {sensor_id: gateway_id for sensor_id, gateway_id in rows}
    lanes = await _lanes_by_number(db, set(gateways.values()))
    return _Known(gateways, {str(lane_id): number for (_, number), lane_id in lanes.items()})


def _organization(db: AsyncSession) -> uuid.UUID:
    session = db.sync_session
    scope = session.scope if isinstance(session, ScopedSession) else None
    if not isinstance(scope, OrganizationScope):
        raise TenancyViolation("readings are those of an organisation: nobody said of which")
    return scope.organization_id


def _unavailable(error: "InfluxDBError") -> Unavailable:
    """InfluxDB said no. Whatever it was, the same may succeed once somebody has seen to it."""
    status = getattr(error.response, "status", None)
    log.error("influxdb_refused", status=status, message=error.message)
    written = str(error.retry_after or "")
    return Unavailable(
        "the store of readings cannot be used now: send the same again",
        retry_after_s=int(written) if written.isdecimal() else _RETRY_AFTER_S,
    )


def _silent(error: Exception) -> Unavailable:
    log.warning("influxdb_does_not_answer", error=repr(error))
    return Unavailable("the store of readings does not answer: send the same again", retry_after_s=_RETRY_AFTER_S)
