"""Rows that come again: whether they say what is stored.

The cursor says that a row is a duplicate, by its sequence alone. A gateway that sends other values under an old
sequence (a clock set back, a copied disk, a forger) must not be believed, nor silently ignored: what differs is
refused as CONFLICT, kept for a person to look at, and what was stored first stands.
"""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.telemetry.intake.memory import KnownGateway
from cloud_api.telemetry.intake.parcels import Parcel
from cloud_api.telemetry.intake.reading_rows import Integers
from cloud_api.telemetry.models import DeadLetter
from cloud_api.telemetry.stores.keeping import find_stored
from cloud_api.telemetry.stores.port import NO_READINGS, ReadingStore
from gateway.contract import Refusal

CONFLICT = "CONFLICT"
DAY_MS = 24 * 3600 * 1000
#: what is older and not there may have been let go since
_KEPT_MS = 30 * DAY_MS

_DIFFERS = "what is stored under this sequence says something else, and stays: this row is kept for you to look into"
_GONE = "this sequence is settled, and no such row was stored under it: this row is kept for you to look into"


async def find_conflicts(
    db: AsyncSession,
    organization_id: uuid.UUID,
    parcel: Parcel,
    duplicates: Integers,
    *,
    known: KnownGateway,
    base: int,
    store: ReadingStore,
) -> tuple[list[Refusal], list[tuple[Refusal, bytes]]]:
    """Of a batch's rows that came before those that say something else.

    Returns:
        All of them, and of these, with their bytes, the ones that are not kept yet.
    """
    rows = parcel.readings
    if rows is None or not len(duplicates):
        return [], []
    if rows.problems is not None:
        duplicates = duplicates[rows.problems[duplicates] == 0]
    places = np.array([known.by_series.get(name, -1) for name in rows.names], np.int64)[rows.which[duplicates]]
    keys = _Keys(rows.times_ms[duplicates], base + rows.sequences[duplicates], places)
    values, qualities = await _contents(db, organization_id, keys, known=known, store=store)
    absent = np.isnan(values)
    differs = ~absent & ((values != rows.values[duplicates]) | (qualities != rows.qualities[duplicates]))
    missing = absent & (keys.times_ms >= parcel.window.latest_ms - _KEPT_MS)
    suspects = duplicates[differs | missing]
    if not len(suspects):
        return [], []
    gone = dict(zip(duplicates.tolist(), missing.tolist(), strict=True))
    letters = await _letters(db, parcel.gateway_id, (base + rows.sequences[suspects]).tolist())
    told, new = [], []
    for index in suspects.tolist():
        before = letters[base + int(rows.sequences[index])]
        if gone[index] and any(code != CONFLICT for code, _ in before):
            continue  # it was refused when it came first
        name, message = ("sequence", _GONE) if gone[index] else ("value", _DIFFERS)
        refusal, raw = Refusal(index, rows.sequence_of(index), CONFLICT, name, message), parcel.raw_row(index)
        told.append(refusal)
        if (CONFLICT, raw) not in before:
            new.append((refusal, raw))
    return told, new


@dataclass(frozen=True, slots=True)
class _Keys:
    """Under what rows would be stored; arrays of shape (n,)."""

    times_ms: Integers
    sequences: Integers
    #: index into the gateway's sensors; -1: of none that has a series
    places: Integers


async def _contents(
    db: AsyncSession, organization_id: uuid.UUID, keys: _Keys, *, known: KnownGateway, store: ReadingStore
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int8]]:
    """(values, qualities) of what is stored under these keys; the value of what is not is NaN.

    Most of it is found at once among the rows that are still hot; what is sealed, or kept elsewhere, day by day.
    """
    series = np.where(keys.places >= 0, known.state["number"][keys.places], -1)
    values, qualities = await find_stored(
        db, organization_id, series=series, times_ms=keys.times_ms, sequences=keys.sequences
    )
    elsewhere = np.flatnonzero(np.isnan(values) & (keys.places >= 0))
    days = keys.times_ms[elsewhere] // DAY_MS
    for day in np.unique(days).tolist():
        its = elsewhere[days == day]
        sensors = {known.sensors[place].id for place in keys.places[its].tolist()}
        first_ms, last_ms = int(keys.times_ms[its].min()), int(keys.times_ms[its].max())
        found = await store.read_many(db, sensors, from_ms=first_ms, to_ms=last_ms + 1)
        for at in its.tolist():
            kept = found.get(known.sensors[keys.places[at]].id, NO_READINGS)
            same = np.flatnonzero((kept.times_ms == keys.times_ms[at]) & (kept.sequences == keys.sequences[at]))
            if len(same):
                values[at], qualities[at] = kept.values[same[0]], kept.qualities[same[0]]
    return values, qualities


async def _letters(
    db: AsyncSession, gateway_id: uuid.UUID, sequences: Sequence[int]
) -> dict[int, list[tuple[str, bytes]]]:
    """sequence -> (code, bytes) of what was refused of a gateway."""
    its = select(DeadLetter.sequence, DeadLetter.code, DeadLetter.raw).where(
        DeadLetter.gateway_id == gateway_id, DeadLetter.sequence.in_(sequences)
    )
    letters: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
    for sequence, code, raw in await db.execute(its):
        letters[sequence or 0].append((code, raw))
    return letters
