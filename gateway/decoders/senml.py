"""SenML: sensor measurement lists of RFC 8428 in JSON, with the units of its register and of RFC 8798.

A pack is an array of records. Base fields (`bn`, `bt`, `bu`, `bv`) hold from their record on; a record's name is base
name and name together, and is the sensor. Times below 2^28 seconds count from now, and so do packs without any.
"""

from gateway.decoders import device_time, json_payload, quantities
from gateway.decoders.decoded import Decoded, DecodeError, Measurement

#: what RFC 8428 itself is
_VERSION = 10
_RELATIVE_BELOW_S = 2**28
#: SenML's unit -> (quantity, or nothing when the name must tell; the unit as `units` knows it)
_UNITS: dict[str, tuple[str, str]] = {
    "Cel": ("temperature", "Cel"),
    "K": ("temperature", "K"),
    "%RH": ("humidity", "%"),
    "%EL": ("battery", "%"),
    "%": ("", "%"),
    "/": ("", "/"),
    "/100": ("", "%"),
    "Pa": ("pressure", "Pa"),
    "hPa": ("pressure", "hPa"),
    "V": ("voltage", "V"),
    "mV": ("voltage", "mV"),
    "A": ("current", "A"),
    "mA": ("current", "mA"),
    "W": ("power", "W"),
    "kW": ("power", "kW"),
    "Wh": ("energy", "Wh"),
    "kWh": ("energy", "kWh"),
    "lx": ("illuminance", "lx"),
    "dBm": ("rssi", "dBm"),
    "dBW": ("rssi", "dBW"),
    "kg": ("mass", "kg"),
    "g": ("mass", "g"),
    "ppm": ("", "ppm"),
    "pH": ("ph", "pH"),
    "m": ("distance", "m"),
    "cm": ("distance", "cm"),
    "mm": ("distance", "mm"),
}
#: bounds of what one message may say
_LONGEST_NAME, _MOST_PROBLEMS = 256, 10


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read one pack.

    Raises:
        DecodeError: the payload is none, or of a later version.
    """
    base: dict[str, object] = {}
    measurements: list[Measurement] = []
    problems: list[str] = []
    for record in json_payload.parse_objects(payload):
        for key in ("bn", "bt", "bu", "bv", "bver"):
            if key in record:
                base[key] = record[key]
        version = base.get("bver", _VERSION)
        if not isinstance(version, int) or version > _VERSION:
            raise DecodeError(f"SenML version {version!r:.20} cannot be read, {_VERSION} can")
        try:
            measurement = _measurement(record, base, received_at_ms)
        except DecodeError as error:
            if len(problems) < _MOST_PROBLEMS:
                problems.append(str(error))
            continue
        if measurement is not None:
            measurements.append(measurement)
    return Decoded(tuple(measurements), tuple(problems))


def _measurement(record: dict[str, object], base: dict[str, object], received_at_ms: int) -> Measurement | None:
    """What a record has measured; None when it has no number and no boolean.

    Raises:
        DecodeError: it cannot be read.
    """
    must_be_known = [key for key in record if key.endswith("_")]
    if must_be_known:
        raise DecodeError(f"a field that must be understood is not: {must_be_known[0]:.40}")
    is_boolean = "vb" in record
    if not is_boolean and "v" not in record and not ("bv" in base and not record.keys() & {"vs", "vd", "s", "bn"}):
        return None  # a text, bytes, a sum, or base fields alone
    name = f"{_text(base.get('bn'))}{_text(record.get('n'))}"
    if not name or len(name) > _LONGEST_NAME:
        raise DecodeError(f"a record's name has 1 to {_LONGEST_NAME} letters, not {len(name)}")
    when = _recorded_at(base.get("bt", 0), record.get("t", 0), received_at_ms)
    label = name.replace(":", "/")
    if is_boolean:
        said = quantities.named(label.rpartition("/")[2])
        quantity = said.quantity if said is not None and said.unit == "bool" else quantities.slug(name)
        switched = quantities.state(quantity, record["vb"])
        if switched is None or not isinstance(record["vb"], bool):
            raise DecodeError(f"{name:.60}: vb is no boolean: {record['vb']!r:.20}")
        return Measurement(f"senml:{name}", switched[0], switched[1], "bool", *when)
    value, offset = json_payload.number(record.get("v", 0)), json_payload.number(base.get("bv", 0))
    if value is None or offset is None:
        raise DecodeError(f"{name:.60}: {record.get('v')!r:.40} is no number")
    quantity, unit, quality = _meaning(label, _text(record.get("u", base.get("bu"))))
    value, code = quantities.standard(value + offset, unit)
    if quality == "suspect":
        when = (when[0], when[1], "suspect")
    return Measurement(f"senml:{name}", quantity, value, code, *when)


def _meaning(label: str, unit: str) -> tuple[str, str, str]:
    """(quantity, unit, quality): by the unit where it leaves no doubt, otherwise by the name."""
    quantity, unit = _UNITS.get(unit, ("", unit))
    if quantity and not (quantity == "voltage" and "bat" in label.lower()):
        return quantity, unit, "good"
    by_name, unit, is_known = quantities.meaning(label, unit)
    return by_name, unit, "good" if is_known else "suspect"


def _recorded_at(base: object, offset: object, received_at_ms: int) -> device_time.When:
    base_s, offset_s = json_payload.number(base), json_payload.number(offset)
    if base_s is None or offset_s is None:
        return device_time.of(None, received_at_ms)
    at_s = base_s + offset_s
    if at_s == 0:
        return received_at_ms, "gateway", "good"
    if not abs(at_s) < 1e12:
        return device_time.of(None, received_at_ms)
    if at_s < _RELATIVE_BELOW_S:
        return received_at_ms + round(at_s * 1000), "gateway", "good"
    return device_time.of(round(at_s * 1000), received_at_ms)


def _text(told: object) -> str:
    return told if isinstance(told, str) else ""
