"""Scales that speak lines of text, handed on by a serial bridge to `scale/<name>/raw`, one or more lines a message.

Sources: METTLER TOLEDO's "MT-SICS Reference Manual", commands S, SI, SIR and their errors; the manuals of CAS,
Kern KFB, Dini Argeo, A&D and Selleton indicators for the family `ST,GS,+  12.34kg` (status, gross or net, sign, number,
unit), with or without an address before it, with a comma, a space or nothing between the parts, and a point or a comma
in the number. Only masses are taken; a line that was cut, or says no unit, is kept as a problem. Answers to other
commands, and "not executable", say nothing.
"""

import re
from decimal import Decimal

from gateway.contract import ScaleState, Weighing, WeightBasis
from gateway.decoders.decoded import Decoded, DecodeError

#: kilograms in one (the international pound and ounce)
_KILOGRAMS = {
    "kg": Decimal(1),
    "g": Decimal("0.001"),
    "mg": Decimal("0.000001"),
    "t": Decimal(1000),
    "lb": Decimal("0.45359237"),
    "oz": Decimal("0.028349523125"),
}
_NUMBER = r"(?P<sign>[+-]?)\s*(?P<digits>\d{1,12}(?:[.,]\d{1,12})?)"
_UNIT = r"(?P<unit>[A-Za-z%]{1,4})"
_SICS = re.compile(rf"S\s+(?P<state>[SD])\s+{_NUMBER}\s*{_UNIT}")
_SICS_STATE = re.compile(r"S\s+(?P<state>[+-])")
#: command not executable, parameter wrong, errors of syntax and transmission; tare, zero, identification, display
_SICS_OTHER = re.compile(r"S\s+[IL]|E[STLM]|(?:T|TA|TAC|TI|Z|ZI|ZC|SIR|SR|D|DW|K|I\d{1,2}|@|M\d{2})(?:\s.*)?")
_COMMON = re.compile(
    rf"(?:\d{{2}})?(?P<state>ST|US|OL|UL)\s*,\s*(?:(?P<basis>GS|NT|TR)\s*,?)?\s*(?:{_NUMBER})?\s*,?\s*{_UNIT}"
)
#: out of range the number is dashes, points, nines, or nothing
_COMMON_OUT = re.compile(
    r"(?:\d{2})?(?P<state>OL|UL)\s*,\s*(?:(?P<basis>GS|NT|TR)\b)?.*?(?P<unit>kg|mg|g|t|lb|oz)?", re.I
)
_STATES: dict[str, ScaleState] = {
    "S": "stable",
    "D": "dynamic",
    "+": "overload",
    "-": "underload",
    "ST": "stable",
    "US": "dynamic",
    "OL": "overload",
    "UL": "underload",
}
_BASES: dict[str | None, WeightBasis] = {"GS": "gross", "NT": "net", None: "unknown"}


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read the lines of one message on `scale/<name>/raw`.

    Raises:
        DecodeError: another topic, or bytes that are no text.
    """
    _, _, rest = topic.partition("/")
    name, _, last = rest.rpartition("/")
    if not name or last != "raw":
        raise DecodeError("lines of scales are understood on scale/<name>/raw")
    try:
        lines = payload.decode("ascii").splitlines()
    except UnicodeDecodeError:
        raise DecodeError("a scale's line is ASCII") from None
    weighings: list[Weighing] = []
    problems: list[str] = []
    for line in filter(None, map(str.strip, lines)):
        try:
            weighings += _weighings(f"scale:{name}", line, received_at_ms)
        except DecodeError as error:
            problems.append(str(error))
    return Decoded(problems=tuple(problems), weighings=tuple(weighings))


def _weighings(scale: str, line: str, at_ms: int) -> list[Weighing]:
    """None or one. Raises DecodeError when the line is none that is known."""
    if (found := _SICS.fullmatch(line)) is not None:
        return [_weighing(scale, found, "net", at_ms)]
    if (found := _SICS_STATE.fullmatch(line)) is not None:
        return [Weighing(0, scale, None, _STATES[found["state"]], "kg", at_ms, "net", "gateway", "bad")]
    if (found := _COMMON_OUT.fullmatch(line)) is not None:
        unit = (found["unit"] or "kg").lower()
        basis = _BASES.get(found["basis"], "unknown")
        return [Weighing(0, scale, None, _STATES[found["state"].upper()], unit, at_ms, basis, "gateway", "bad")]
    if (found := _COMMON.fullmatch(line)) is not None and found["digits"] is not None:
        if found["basis"] == "TR":
            return []  # the tare that was set, not what lies on the scale
        return [_weighing(scale, found, _BASES[found["basis"]], at_ms)]
    if _SICS_OTHER.fullmatch(line):
        return []
    raise DecodeError(f"{line!r:.60} is no line of a scale that is known")


def _weighing(scale: str, found: re.Match[str], basis: WeightBasis, at_ms: int) -> Weighing:
    unit = found["unit"].lower()
    if unit not in _KILOGRAMS:
        raise DecodeError(f"{found['unit']} is no unit of mass")
    shown = Decimal(found["sign"] + found["digits"].replace(",", "."))
    return Weighing(0, scale, float(shown * _KILOGRAMS[unit]), _STATES[found["state"]], unit, at_ms, basis)
