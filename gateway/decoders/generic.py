"""JSON of makers that nobody has written a decoder for, as long as its keys say what they are.

`{"sensor_id": "freezer7", "ts": "2026-01-15T10:12:28Z", "temperature_c": -19.2}` and its many relatives: keys are read
by `quantities`, the sensor and the time by the usual names; a key of its own (`probe2_temp_c`) is a part of the sensor.
Values may stand in an object of their own (`data`, `readings`), records in an array, and a record may name its
quantity in a value (`{"type": "temperature", "value": 4, "unit": "C"}`). What is not recognised is left alone, and a
message of which nothing is recognised is refused. Two formats are known by their form: SenML, and King Pigeon's
(`sensorDatas`, from the MQTT chapters of its manuals for the S27x, IOT1xx and BL280).
"""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from gateway.contract import Quality
from gateway.decoders import device_time, json_payload, quantities, senml
from gateway.decoders.decoded import Decoded, DecodeError, Measurement

#: names of the sensor and of its time, in small letters without what separates them, the best first
_IDENTITIES = (
    "sensorid", "deviceid", "devid", "deveui", "nodeid", "sensor", "device", "node", "serialnumber", "serial", "sn",
    "mac", "macaddress", "uid", "uuid", "id", "devicename", "sensorname", "name",
)  # fmt: skip
_TIMES = (
    "ts", "timestamp", "time", "timestampms", "tsms", "timems", "datetime", "measuredat", "recordedat", "createdat",
    "epoch", "unixtime", "utctime", "date",
)  # fmt: skip
_INNER = frozenset({"data", "payload", "values", "measurements", "readings", "reading", "fields", "sensors", "params"})
_KINDS = ("type", "quantity", "measurement", "metric", "key", "name", "sensortype")
_ADMINISTRATIVE = frozenset({*_IDENTITIES, *_TIMES, "unit", "units", "value", "type"})
_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")
#: seconds, milliseconds, microseconds and nanoseconds since 1970 do not reach into one another's range
_EPOCHS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
#: a battery's state beyond these is no share of it, below these may be volts
_FULL_PCT, _MOST_VOLTS = 100, 5
_LONGEST_NAME, _MOST_RECORDS, _MOST_PROBLEMS = 128, 1000, 10
#: King Pigeon's: a sensor of a node counts in tenths, an input says nothing of what is connected to it
_TENTHS = re.compile(r"(TEMP|HUMI|SOILTEMP|SOILHUMI)(\d+)")
_CONTACT = re.compile(r"D[IO]\d+(_\d+)?")
_KING_PIGEON_TIME = re.compile(r"(\d\d:\d\d:\d\d) (\d\d)/(\d\d)/(\d{4}) UTC")


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read a message whose keys speak for themselves.

    Raises:
        DecodeError: the payload is no JSON, or nothing in it is recognised.
    """
    message = json_payload.parse(payload)
    if isinstance(message, int | float) and not isinstance(message, bool):
        return _bare_number(topic, message, received_at_ms)
    records = json_payload.parse_objects(payload)
    if len(records) > _MOST_RECORDS:
        raise DecodeError(f"{len(records)} records in one message, {_MOST_RECORDS} at most can be read")
    if records and _is_senml(records[0]):
        return senml.decode(topic, payload, received_at_ms)
    measurements: list[Measurement] = []
    problems: list[str] = []
    for record in records:
        if "sensorDatas" in record:
            found = _king_pigeon(topic, record, received_at_ms, problems)
        else:
            found = _record(topic, record, received_at_ms, problems)
        measurements += found
    if not measurements and not problems and not any(_says_nothing(record) for record in records):
        raise DecodeError("no key names a quantity, such as temperature_c, humidity or battery_mv: map it by hand")
    return Decoded(tuple(measurements), tuple(problems[:_MOST_PROBLEMS]))


def _bare_number(topic: str, value: float, received_at_ms: int) -> Decoded:
    """`-18.2` on `sensors/freezer7/temperature`."""
    path, _, name = topic.strip("/").rpartition("/")
    said = quantities.named(name)
    if said is None or not path:
        raise DecodeError(f"a bare number, and the end of the topic names no quantity: {name!r:.60}")
    sensor = f"generic:{path}/{said.part}" if said.part else f"generic:{path}"
    measurement = _measurement(sensor, said.quantity, value, said.unit, (received_at_ms, "gateway", "good"))
    return Decoded((measurement,) if measurement else ())


def _is_senml(record: dict[str, object]) -> bool:
    return ("bn" in record or "n" in record) and bool(record.keys() & {"v", "vb", "vs", "bt", "bu", "bver"})


def _says_nothing(record: dict[str, object]) -> bool:
    """Whether a quantity is named, and has no value just now; or the message is for a device, not from it."""
    return record.get("down") == "down" or any(
        quantities.named(key) for key in record if _plain(key) not in _IDENTITIES
    )


def _record(topic: str, record: dict[str, object], received_at_ms: int, problems: list[str]) -> list[Measurement]:
    plain = {_plain(key): told for key, told in record.items() if len(key) <= _LONGEST_NAME}
    sensor = f"generic:{_identity(plain) or topic.strip('/')}"
    when = _recorded_at(plain, received_at_ms)
    unit = json_payload.text(plain.get("unit")) or ""
    measurements = []
    for part, quantity, raw, usual in _values(record, plain):
        where = f"{sensor}/{part}" if part else sensor
        # a unit beside the values is the temperature's, or that of the one value
        told = unit if unit and ("value" in plain or quantity == "temperature") else usual
        try:
            measurement = _measurement(where, quantity, raw, told, when)
        except DecodeError as error:
            problems.append(f"{quantity}: {error}")
            continue
        if measurement is not None:
            measurements.append(measurement)
    return measurements


def _values(record: dict[str, object], plain: dict[str, object]) -> Iterator[tuple[str, str, object, str]]:
    """(part, quantity, value, unit that goes without saying)."""
    if "value" in plain:
        for key in _KINDS:
            said = quantities.named(json_payload.text(plain.get(key)) or "")
            if said is not None:
                yield said.part, said.quantity, plain["value"], said.unit
                return
    for key, told in record.items():
        if isinstance(told, dict):
            yield from _nested(key, told)
        else:
            yield from _named(key, told)


def _nested(key: str, told: dict[str, object]) -> Iterator[tuple[str, str, object, str]]:
    """`{"temperature": {"value": 4, "unit": "C"}}`, or all values in an object of their own."""
    if "value" in told:
        for part, quantity, raw, usual in _named(key, told["value"]):
            yield part, quantity, raw, json_payload.text(told.get("unit")) or usual
    elif _plain(key) in _INNER:
        for inner, raw in told.items():
            yield from _named(inner, raw)


def _named(key: str, raw: object) -> Iterator[tuple[str, str, object, str]]:
    said = quantities.named(key)
    if said is not None and _plain(key) not in _ADMINISTRATIVE:
        yield said.part, said.quantity, raw, said.unit


def _measurement(sensor: str, quantity: str, raw: object, unit: str, when: device_time.When) -> Measurement | None:
    """The measurement; None when there is no value just now.

    Raises:
        DecodeError: the value is none.
    """
    if raw is None or (isinstance(raw, str) and raw.strip().lower() in quantities.NO_VALUE):
        return None
    if unit == "bool":
        switched = quantities.state(quantity, raw)
        if switched is None:
            raise DecodeError(f"{raw!r:.60} is neither yes nor no")
        return Measurement(sensor, switched[0], switched[1], unit, *when)
    value = quantities.figure(raw)
    if value is None:
        raise DecodeError(f"{raw!r:.60} is no number")
    if quantity == "battery" and unit == "%":
        quantity, unit = _battery(value)
    value, code = quantities.standard(value, unit)
    return Measurement(sensor, quantity, value, code, *when)


def _battery(value: float) -> tuple[str, str]:
    """A battery's state in per cent; more than all of it is millivolts, and a few and a fraction are volts."""
    if value > _FULL_PCT:
        return "battery_voltage", "mV"
    if 1 < value < _MOST_VOLTS and not value.is_integer():
        return "battery_voltage", "V"
    return "battery", "%"


def _identity(plain: dict[str, object]) -> str | None:
    for key in _IDENTITIES:
        told = plain.get(key)
        if isinstance(told, int) and not isinstance(told, bool) and abs(told) < 1e18:
            return str(told)
        if isinstance(told, str) and 0 < len(told) <= _LONGEST_NAME:
            return told
    return None


def _recorded_at(plain: dict[str, object], received_at_ms: int) -> device_time.When:
    """The time that the message tells; a date without its offset from UTC is no time."""
    told = next((plain[key] for key in _TIMES if plain.get(key) is not None), None)
    if isinstance(told, str):
        seconds = quantities.figure(told)
        if seconds is None:
            return _of_date(told, received_at_ms)
        told = seconds
    seconds = json_payload.number(told)
    if seconds is None:
        return (received_at_ms, "gateway", "good") if told is None else device_time.of(None, received_at_ms)
    divisor = next((by for below, by in _EPOCHS if abs(seconds) < below), 1.0)
    return device_time.of_epoch_s(seconds / divisor, received_at_ms)


def _of_date(told: str, received_at_ms: int) -> device_time.When:
    at_ms = device_time.from_iso_8601(told)
    if at_ms is None and told.endswith("UTC"):
        at_ms = _king_pigeon_time(told)
    if at_ms is not None:
        return at_ms, "device", "good"
    try:
        datetime.fromisoformat(told)
    except ValueError:
        return device_time.of(None, received_at_ms)
    return received_at_ms, "gateway", "good"


def _king_pigeon_time(told: str) -> int | None:
    match = _KING_PIGEON_TIME.fullmatch(told)
    return device_time.from_iso_8601(f"{match[4]}-{match[2]}-{match[3]}T{match[1]}+00:00") if match else None


def _king_pigeon(topic: str, record: dict[str, object], received_at_ms: int, problems: list[str]) -> list[Measurement]:
    """`{"sensorDatas": [{"flag": "TEMP8", "value": 288}], "time": "07:16:17 06/16/2021 UTC"}`."""
    if record.get("down") == "down":
        return []  # from the platform to the device
    device = topic.strip("/")
    measurements = []
    for data in json_payload.objects(record["sensorDatas"]):
        flag = json_payload.text(data.get("flag"))
        if flag is None or len(flag) > _LONGEST_NAME:
            continue  # a position
        told_at = data.get("addTime", record.get("time", record.get("addTime")))
        when = _recorded_at({"time": told_at}, received_at_ms)
        try:
            measurement = _data_point(f"kingpigeon:{device}/{flag}", flag, data, when)
        except DecodeError as error:
            problems.append(f"{flag:.40}: {error}")
            continue
        if measurement is not None:
            measurements.append(measurement)
    return measurements


def _data_point(sensor: str, flag: str, data: dict[str, object], when: device_time.When) -> Measurement | None:
    if "switcher" in data:
        quantity = "contact" if _CONTACT.fullmatch(flag) else quantities.slug(flag)
        return _measurement(sensor, quantity, data["switcher"], "bool", when)
    raw = data.get("value")
    tenths = _TENTHS.fullmatch(flag)
    if tenths is not None and isinstance(raw, int) and not isinstance(raw, bool):
        raw = raw / 10 if abs(raw) < 10**6 else raw
    quantity, unit, is_known = quantities.meaning(_flag_name(flag))
    at_ms, source, quality = when
    worse: Quality = quality if is_known or quality != "good" else "suspect"
    return _measurement(sensor, quantity, raw, unit, (at_ms, source, worse))


def _flag_name(flag: str) -> str:
    """The words behind a flag: of the soil or the air, of whichever node."""
    name = flag.rstrip("0123456789") if not flag.startswith("CO2") else "CO2"
    return {"SOILTEMP": "temperature", "SOILHUMI": "moisture", "ILLU": "illuminance"}.get(name, name)


def _plain(key: str) -> str:
    return _plain_short(key) if len(key) <= _LONGEST_NAME else key


@lru_cache(maxsize=1024)
def _plain_short(key: str) -> str:
    return _NOT_A_LETTER.sub("", key.lower())
