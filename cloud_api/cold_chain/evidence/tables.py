"""The tables of a piece of evidence, as CSV with line ends as RFC 4180 has them. Times are UTC."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np

from cloud_api.cold_chain.evidence import verify
from cloud_api.cold_chain.evidence.figures import Series
from cloud_api.cold_chain.evidence.gathering import CalibrationFacts, ExcursionFacts
from cloud_api.kernel import clock
from cloud_api.telemetry.models import QUALITIES

DAY_MS = 86_400_000
#: sequences of a gateway's lane: telemetry's stored key is the lane's number x 2^40 + the wire's sequence
_LANE_BITS = 40
READINGS_HEADER = "recorded_at,sensor,quantity,unit,place,raw,corrected,quality,lane,sequence,mark\r\n"
#: what a spreadsheet would take for a formula
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
Cell = str | float | datetime | None


class ReadingRows:
    """The readings of all series, day by day in the order of time, each row marked over the one before."""

    def __init__(self, series: Sequence[Series]) -> None:
        self._series = series
        self._mark = verify.FIRST
        self._names = [
            _line([one.watch.sensor.code, one.watch.sensor.quantity, one.watch.sensor.unit, one.place]).rstrip("\r\n")
            for one in series
        ]

    def days(self) -> Iterator[tuple[str, list[str]]]:
        """(day, its rows); a day without readings is left out."""
        times = [one.readings.times_ms for one in self._series if len(one.readings)]
        if not times:
            return
        first, last = min(its[0] for its in times) // DAY_MS, max(its[-1] for its in times) // DAY_MS
        for day in range(int(first), int(last) + 1):
            rows = self._rows(day * DAY_MS, (day + 1) * DAY_MS)
            if rows:
                yield rows[0][:10], rows

    def _rows(self, from_ms: int, to_ms: int) -> list[str]:
        which, times, raw, corrected, qualities, sequences = [], [], [], [], [], []
        for index, one in enumerate(self._series):
            begin, end = np.searchsorted(one.readings.times_ms, (from_ms, to_ms))
            which.append(np.full(end - begin, index))
            times.append(one.readings.times_ms[begin:end])
            raw.append(one.readings.values[begin:end])
            corrected.append(one.corrected[begin:end])
            qualities.append(one.readings.qualities[begin:end])
            sequences.append(one.readings.sequences[begin:end])
        at, place = np.concatenate(times), np.concatenate(which)
        key = np.concatenate(sequences)
        order = np.lexsort((key, place, at))
        stamps = np.datetime_as_string(at[order].astype("datetime64[ms]"), unit="ms")
        columns = (
            stamps.tolist(),
            place[order].tolist(),
            np.concatenate(raw)[order].tolist(),
            np.round(np.concatenate(corrected)[order], 4).tolist(),
            np.concatenate(qualities)[order].tolist(),
            (key[order] >> _LANE_BITS).tolist(),
            (key[order] & ((1 << _LANE_BITS) - 1)).tolist(),
        )
        rows = []
        for stamp, name, value, right, quality, lane, sequence in zip(*columns, strict=True):
            text = f"{stamp}Z,{self._names[name]},{value!r},{right!r},{QUALITIES[quality]},{lane},{sequence}"
            self._mark = verify.mark(self._mark, text)
            rows.append(f"{text},{self._mark}\r\n")
        return rows


def excursions(found: Sequence[ExcursionFacts]) -> str:
    """A line for each excursion."""
    header = (
        "number,place,sensor,quantity,unit,kind,limit,clears_at,severity,status,started_at,raised_at,ended_at,"
        "retracted_at,peak,acknowledged_at,acknowledged_by,acknowledgement,actions,closed_at,closed_by,disposition,note"
    )
    lines = [f"{header}\r\n"]
    for facts in found:
        row = facts.row
        actions = "; ".join(f"{_stamp(at)} {who}: {what}" for at, who, what in facts.actions)
        cells: list[Cell] = [row.number, facts.place, facts.sensor, row.quantity, row.unit, row.kind, row.set_at]
        cells += [row.clear_at, row.severity, row.status, row.started_at, row.raised_at, row.ended_at]
        cells += [row.retracted_at, row.peak_value, row.acknowledged_at, facts.acknowledged_by, row.acknowledgement]
        cells += [actions, row.closed_at, facts.closed_by, row.disposition, row.note]
        lines.append(_line(cells))
    return "".join(lines)


def calibrations(found: Sequence[CalibrationFacts]) -> str:
    """A line for each calibration that was in force in the period."""
    lines = ["sensor,from,gain,offset,certificate,reference,due_on,note,recorded_at\r\n"]
    for facts in found:
        row = facts.row
        begins = clock.from_ms(row.from_ms) if row.from_ms > 0 else None
        due_on = None if row.due_on is None else row.due_on.isoformat()
        cells: list[Cell] = [facts.sensor, begins, row.gain, row.offset, row.certificate, row.reference, due_on]
        lines.append(_line([*cells, row.note, row.recorded_at]))
    return "".join(lines)


def _line(cells: Sequence[Cell]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_cell(cell) for cell in cells])
    return line.getvalue()


def _cell(cell: Cell) -> str:
    """As text; line ends would tear a row, and what a spreadsheet would run as a formula is quoted."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return _stamp(cell)
    if isinstance(cell, float):
        return repr(cell)
    text = "".join(" " if ord(character) < 32 else character for character in cell)
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
