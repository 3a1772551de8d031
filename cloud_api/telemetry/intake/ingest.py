"""Taking in batches: exact under repeats, row by row; those of several gateways of one organisation at once.

The gateways are locked first, in key order, and with them their lanes' cursors. What is at or below a cursor is a
duplicate; everything above is new. Rows, cursors and whatever the judges conclude commit together.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.commands.service import count_waiting_of
from cloud_api.devices.errors import GatewayUnknown
from cloud_api.devices.sensors.known import KnownSensor
from cloud_api.devices.sensors.service import MAX_SENSORS_PER_GATEWAY
from cloud_api.kernel import clock
from cloud_api.kernel.db import announce, once_committed
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.metrics import READINGS
from cloud_api.realtime.hub import topic_of
from cloud_api.telemetry.intake.locks import LockedGateway, LockedLane, find_lanes, lock_gateways
from cloud_api.telemetry.intake.memory import KnownGateway, Memory
from cloud_api.telemetry.intake.parcels import Parcel, believed_now, open_parcel
from cloud_api.telemetry.intake.reading_rows import ReadingRows, SortedReadings, sort_readings
from cloud_api.telemetry.intake.recognition import (
    Acquaintance,
    acquaint,
    meet,
    strange_devices,
    strange_series,
    why_not,
)
from cloud_api.telemetry.intake.replays import find_conflicts
from cloud_api.telemetry.intake.rows import Event, SortedRows, device_of, sort_rows, unit_of
from cloud_api.telemetry.intake.storing import Share, Stored, store_readings
from cloud_api.telemetry.judges import Judge, SeenTag, SeenWeight, StoredBatch
from cloud_api.telemetry.models import DeadLetter, ReadingGap, ReadingSummary
from cloud_api.telemetry.stores.keeping import Settled, keep_lanes
from cloud_api.telemetry.stores.port import ReadingStore
from gateway.contract import AlarmEvent, BatchAnswer, Gap, Refusal, Summary, TagRead, Weighing


@dataclass(frozen=True, slots=True)
class Means:
    """What taking in needs beside the database."""

    judges: Sequence[Judge]
    store: ReadingStore
    memory: Memory = field(default_factory=Memory)
    #: how many sensors may have registered themselves at one gateway
    max_sensors: int = MAX_SENSORS_PER_GATEWAY


@dataclass(slots=True)
class Case:
    """One batch in the transaction that stores it."""

    parcel: Parcel
    gateway: LockedGateway
    lane: LockedLane
    acquaintance: Acquaintance
    #: of a lane of readings
    readings: SortedReadings | None = None
    share: Share | None = None
    stored: Stored | None = None
    #: of any other lane
    events: SortedRows | None = None
    through: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: list[Refusal] = field(default_factory=list)

    @property
    def known(self) -> KnownGateway:
        """Its gateway's sensors."""
        return self.acquaintance.known


async def take_in(
    db: AsyncSession,
    *,
    gateway_id: uuid.UUID,
    body: bytes,
    judges: Sequence[Judge],
    store: ReadingStore,
    max_sensors: int = MAX_SENSORS_PER_GATEWAY,
) -> BatchAnswer:
    """Store what is new of the batch in `body` of a gateway that somebody vouches for, and show it to the judges.

    Raises:
        Invalid: when the batch as a whole cannot be understood; then nothing of it is stored.
        GatewayUnknown: when the gateway is out of service.
    """
    parcel = open_parcel(gateway_id, body, window=believed_now())
    [answer] = await take_in_together(db, [parcel], Means(judges, store, max_sensors=max_sensors))
    if isinstance(answer, AppError):
        raise answer
    return answer


async def take_in_together(db: AsyncSession, parcels: Sequence[Parcel], means: Means) -> list[BatchAnswer | AppError]:
    """Store what is new of batches of different gateways of one organisation, and show it to the judges.

    Returns:
        An answer to each, or the error of a gateway that is not let in (any more).
    """
    gateways = await lock_gateways(db, [parcel.gateway_id for parcel in parcels])
    welcome = [parcel for parcel in parcels if _is_welcome(parcel, gateways.get(parcel.gateway_id))]
    lanes = await find_lanes(db, [parcel.key for parcel in welcome]) if welcome else {}
    cases = [
        Case(parcel, gateway, lanes[parcel.key], await acquaint(db, gateway, means.memory))
        for parcel in welcome
        for gateway in [gateways[parcel.gateway_id]]
    ]
    for case in cases:
        await _sort(db, case, means)
    await _store(db, cases, means)
    for case in cases:
        await _compare(db, case, means)
        for judge in means.judges:
            await judge(db, _shown(case, means.store))
    if cases:
        await _settle(db, cases, means)
    waiting = await count_waiting_of(db, list(gateways))
    answers = {case.parcel.gateway_id: _answer(case, waiting.get(case.parcel.gateway_id, 0)) for case in cases}
    return [answers.get(parcel.gateway_id, GatewayUnknown()) for parcel in parcels]


def _is_welcome(parcel: Parcel, gateway: LockedGateway | None) -> bool:
    """Whether the gateway is in service, and its credential still opens something."""
    if gateway is None or not gateway.in_service:
        return False
    return parcel.secret_sha256 is None or parcel.secret_sha256 in gateway.secrets_sha256


async def _sort(db: AsyncSession, case: Case, means: Means) -> None:
    """Find out what becomes of each row, and bury those that are refused."""
    if case.parcel.readings is None:
        await _sort_events(db, case, means)
    else:
        await _sort_readings(db, case, case.parcel.readings, means)


async def _sort_readings(db: AsyncSession, case: Case, rows: ReadingRows, means: Means) -> None:
    if case.parcel.own_rows is not None:
        rows.sequences = case.lane.acked_through + 1 + np.arange(len(rows))
    found = case.readings = sort_readings(rows, case.lane.acked_through)
    case.through, case.duplicates = found.through, len(found.duplicates)
    _bury(db, case, [(rows.refusal(index), case.parcel.raw_row(index)) for index in found.refused.tolist()])
    fresh = found.fresh
    if not len(fresh):
        return
    if not all(map(case.known.by_series.__contains__, rows.names)):
        fresh = await _know_series(db, case, rows, means)
    places = np.array([case.known.by_series.get(name, -1) for name in rows.names], np.int64)
    case.accepted = len(fresh)
    if len(fresh):
        case.share = Share(
            case.known,
            places[rows.which[fresh]],
            rows.times_ms[fresh],
            case.lane.base + rows.sequences[fresh],
            rows.values[fresh],
            rows.qualities[fresh],
        )


async def _know_series(
    db: AsyncSession, case: Case, rows: ReadingRows, means: Means
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Meet the series that are new, and refuse the rows of those that are not taken. Returns the rows left."""
    assert case.readings is not None  # noqa: S101 - just sorted
    fresh = case.readings.fresh
    named = list(dict.fromkeys(rows.which[fresh].tolist()))
    strange = strange_series(case.known, [rows.names[number] for number in named])
    if strange:
        await meet(db, case.gateway, case.acquaintance, strange, at_most=means.max_sensors)
    reasons = {number: why_not(case.known, rows.names[number], at_most=means.max_sensors) for number in named}
    taken = np.array([reasons.get(number) is None for number in range(len(rows.names))])[rows.which[fresh]]
    refused = []
    for index in np.sort(fresh[~taken]).tolist():
        code, name, message = reasons[int(rows.which[index])] or ("", "", "")
        refusal = Refusal(index, rows.sequence_of(index), code, name, message)
        refused.append((refusal, case.parcel.raw_row(index)))
    _bury(db, case, refused)
    left: np.ndarray[tuple[int], np.dtype[np.int64]] = fresh[taken]
    return left


async def _sort_events(db: AsyncSession, case: Case, means: Means) -> None:
    batch = case.parcel.envelope
    rows = case.events = sort_rows(batch, case.lane.acked_through, case.parcel.window)
    case.through, case.duplicates = rows.through, rows.duplicates
    _bury(db, case, rows.refused)
    heard: dict[tuple[str, str], str] = {}
    for row in rows.fresh.values():
        if (device := device_of(row)) is not None:
            heard.setdefault(device, unit_of(row))
    strange = strange_devices(case.known, heard)
    if strange:
        await meet(db, case.gateway, case.acquaintance, strange, at_most=means.max_sensors)
    refused = []
    for index, row in list(rows.fresh.items()):
        reason = _why_not_of(case.known, row, means)
        if reason is not None:
            refused.append((Refusal(index, row.sequence, *reason), case.parcel.raw_row(index)))
            del rows.fresh[index]
    _bury(db, case, refused)
    case.accepted = len(rows.fresh)
    _keep_account(db, case, list(rows.fresh.values()))


def _why_not_of(known: KnownGateway, row: Event, means: Means) -> tuple[str, str, str] | None:
    device = device_of(row)
    if device is None:
        return None
    at = known.by_device.get(device)
    unit = row.unit if isinstance(row, Summary) else known.sensors[at].unit if at is not None else ""
    return why_not(known, (*device, unit), at_most=means.max_sensors)


def _bury(db: AsyncSession, case: Case, refused: Sequence[tuple[Refusal, bytes]]) -> None:
    """Name refused rows, and keep them with their reasons."""
    case.refused += [refusal for refusal, _ in refused]
    db.add_all(_letter(case, refusal, raw) for refusal, raw in refused)


def _letter(case: Case, refusal: Refusal, raw: bytes) -> DeadLetter:
    return DeadLetter(
        gateway_id=case.parcel.gateway_id,
        sequence=None if refusal.sequence is None else case.lane.base + refusal.sequence,
        received_at=clock.now(),
        code=refusal.code,
        field=refusal.field,
        message=refusal.message,
        raw=raw,
    )


def _keep_account(db: AsyncSession, case: Case, fresh: Sequence[Event]) -> None:
    """Keep what a gateway says of readings that it had no room for."""
    base, gateway_id = case.lane.base, case.parcel.gateway_id
    for row in fresh:
        if isinstance(row, Summary):
            summary = ReadingSummary(
                gateway_id=gateway_id,
                sequence=base + row.sequence,
                sensor_id=_sensor(case.known, row.sensor, row.quantity).id,
                from_ms=row.from_ms,
                to_ms=row.to_ms,
                count=row.count,
                minimum=row.minimum,
                mean=row.mean,
                maximum=row.maximum,
                time_source=row.time_source,
                quality=row.quality,
            )
            db.add(summary)
        elif isinstance(row, Gap):
            gap = ReadingGap(
                gateway_id=gateway_id,
                sequence=base + row.sequence,
                epoch=row.epoch,
                lane=row.lane,
                first_sequence=row.first,
                last_sequence=row.last,
                rows_gone=row.rows,
                from_ms=row.from_ms,
                to_ms=row.to_ms,
                reason=row.reason,
            )
            db.add(gap)


def _sensor(known: KnownGateway, code: str, quantity: str) -> KnownSensor:
    return known.sensors[known.by_device[code, quantity]]


async def _store(db: AsyncSession, cases: Sequence[Case], means: Means) -> None:
    """Store the new readings of all batches, and wake those who watch their places."""
    adding = [(case, case.share) for case in cases if case.share is not None]
    if not adding:
        return
    organization_id = cases[0].gateway.organization_id
    stored = await store_readings(db, organization_id, [share for _, share in adding], means.store)
    for (case, _), its in zip(adding, stored, strict=True):
        case.stored = its
    for place in {series.sensor.location_id for its in stored for series in its.series}:
        if place is not None:
            announce(db, topic_of("place", organization_id, place))


async def _compare(db: AsyncSession, case: Case, means: Means) -> None:
    """Look whether what came again says what is stored."""
    if case.readings is None or not len(case.readings.duplicates):
        return
    told, new = await find_conflicts(
        db,
        case.gateway.organization_id,
        case.parcel,
        case.readings.duplicates,
        known=case.known,
        base=case.lane.base,
        store=means.store,
    )
    case.duplicates -= len(told)
    case.refused += told
    db.add_all(_letter(case, refusal, raw) for refusal, raw in new)


def _shown(case: Case, store: ReadingStore) -> StoredBatch:
    """What the judges are shown."""
    facts_version = None if case.acquaintance.changed else case.gateway.versions.facts
    organization_id, gateway_id = case.gateway.organization_id, case.gateway.id
    if case.events is None:
        series = case.stored.series if case.stored is not None else ()
        return StoredBatch(organization_id, gateway_id, facts_version, store, series=series)
    known, base, fresh = case.known, case.lane.base, case.events.fresh.values()
    return StoredBatch(
        organization_id,
        gateway_id,
        facts_version,
        store,
        alarms=[(_sensor(known, row.sensor, row.quantity), row) for row in fresh if isinstance(row, AlarmEvent)],
        tags=[
            SeenTag(_sensor(known, row.reader, "tag"), base + row.sequence, row)
            for row in fresh
            if isinstance(row, TagRead)
        ],
        weights=[
            SeenWeight(_sensor(known, row.scale, "weight"), base + row.sequence, row)
            for row in fresh
            if isinstance(row, Weighing)
        ],
    )


async def _settle(db: AsyncSession, cases: Sequence[Case], means: Means) -> None:
    """Move the cursors, and remember what was read and written once it is committed."""
    settled = [Settled(case.lane.id, case.through, case.accepted, case.duplicates, len(case.refused)) for case in cases]
    themselves = [case.gateway.id for case in cases if case.parcel.own_rows is None]
    others = [case.gateway.id for case in cases if case.parcel.own_rows is not None]
    await keep_lanes(db, cases[0].gateway.organization_id, settled, heard=themselves, spoken_for=others)
    once_committed(db, lambda: _learn(cases, means.memory))
    for outcome, counts in (
        ("accepted", [one.accepted for one in settled]),
        ("duplicate", [one.duplicates for one in settled]),
        ("refused", [one.refused for one in settled]),
    ):
        READINGS.labels(outcome).inc(sum(counts))


def _learn(cases: Sequence[Case], memory: Memory) -> None:
    for case in cases:
        known, gateway_id = case.known, case.gateway.id
        if case.acquaintance.changed:
            memory.forget(gateway_id)
            continue
        if case.stored is not None:
            known.state[case.stored.sensors] = case.stored.state
        known.versions.batches = case.gateway.versions.batches + 1
        memory.keep(gateway_id, known)


def _answer(case: Case, commands_waiting: int) -> BatchAnswer:
    return BatchAnswer(
        acked_through=case.through,
        accepted=case.accepted,
        duplicates=case.duplicates,
        refused=sorted(case.refused, key=lambda refusal: refusal.row),
        server_time_ms=clock.now_ms(),
        config_version=case.gateway.config_version,
        commands_waiting=commands_waiting,
    )
