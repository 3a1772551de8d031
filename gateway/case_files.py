"""Case files: one message with its topic and its time of receipt, and the readings that decoders make of it.

The format of `tests/payloads`: keys `topic`, `received_at` and one of `payload` (JSON), `payload_text` and
`payload_b64`. Readings are told in the words of those files: no time of the device is `ts: null` and `ts_source:
"receive"`; a tag read is a reading `tag_read` of the reader's antenna, a weight one of `mass` in kilograms.
"""

import base64
import binascii
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gateway.contract import TagRead, TimeSource, Weighing
from gateway.decoders.decoded import Decoded, DecodeError, Known, LearningDecode, Measurement

Reading = dict[str, object]


class CaseError(ValueError):
    """The file is no case file; the text says why."""


class Case(msgspec.Struct, frozen=True):
    """One message; keys that are not needed to decode it are left alone."""

    topic: str
    received_at: datetime | None = None
    #: as it stands in the file, byte by byte
    payload: msgspec.Raw = msgspec.Raw()
    payload_text: str | None = None
    payload_b64: str | None = None

    def bytes(self) -> bytes:
        """The message's payload. Raises CaseError when there is none."""
        if self.payload_b64 is not None:
            try:
                return base64.b64decode(self.payload_b64, validate=True)
            except binascii.Error as error:
                raise CaseError(f"payload_b64 is no base64: {error}") from None
        if self.payload_text is not None:
            return self.payload_text.encode("utf-8", "replace")
        if len(bytes(self.payload)) > 0:
            return bytes(self.payload)
        raise CaseError("it holds neither payload, payload_text nor payload_b64")

    def received_at_ms(self) -> int:
        """Milliseconds since 1970; now, when the file does not say it."""
        moment = self.received_at or datetime.now(UTC)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)


def read(path: Path) -> Case:
    """The case of a file.

    Raises:
        CaseError: the file cannot be read, or is none.
    """
    try:
        case = msgspec.json.decode(path.read_bytes(), type=Case)
        case.bytes()
    except OSError as error:
        raise CaseError(f"it cannot be read ({error.strerror})") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CaseError(f"it is no case file: {error}") from None
    return case


def decode(case: Case, decoder: LearningDecode, known: Known) -> tuple[list[Reading], str | None, Known]:
    """The readings, why some or all could not be used (None: all were), and what is known from now on."""
    try:
        decoded = decoder(case.topic, case.bytes(), case.received_at_ms(), known)
    except DecodeError as error:
        return [], _sentence(str(error)), known
    problem = _sentence("; ".join(decoded.problems)) if decoded.problems else None
    return readings(decoded), problem, {**known, **decoded.learned}


def readings(decoded: Decoded) -> list[Reading]:
    """All rows of a message in the words of case files."""
    return [
        *map(_measurement, decoded.measurements),
        *(_tag_read(seen.read) for seen in decoded.sightings),
        *map(_weighing, decoded.weighings),
    ]


def _measurement(row: Measurement) -> Reading:
    value: object = row.value != 0.0 if row.unit == "bool" else row.value
    return _reading(row.sensor, row.quantity, value, row.unit, row)


def _tag_read(row: TagRead) -> Reading:
    sensor = row.reader if row.antenna is None else f"{row.reader}/{row.antenna}"
    # What Tasmota's short-range readers see is the number of a chip, no Electronic Product Code.
    unit = "tag" if row.reader.startswith("tasmota:") else "epc"
    told = _reading(sensor, "tag_read", row.epc, unit, row)
    if row.rssi_dbm is not None:
        told["rssi"] = row.rssi_dbm
    if row.reads is not None:
        told["count"] = row.reads
    return told


def _weighing(row: Weighing) -> Reading:
    told = _reading(row.scale, "mass", row.weight_kg, "kg", row)
    return told | {"stable": row.state == "stable", "basis": row.basis}


def _reading(sensor: str, quantity: str, value: object, unit: str, row: Measurement | TagRead | Weighing) -> Reading:
    return {
        "sensor": sensor,
        "quantity": quantity,
        "value": value,
        "unit": unit,
        "ts": _iso_8601(row.recorded_at_ms) if row.time_source == "device" else None,
        "ts_source": _SOURCES[row.time_source],
        "quality": row.quality,
    }


_SOURCES: dict[TimeSource, str] = {"device": "device", "gateway": "receive"}


def _iso_8601(at_ms: int) -> str | None:
    """`2026-01-15T10:12:28.000Z`; None beyond the calendar (year 9999)."""
    try:
        moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
