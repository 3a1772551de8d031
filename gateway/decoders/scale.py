"""Scales that speak lines of text, handed on by a serial bridge to `scale/<name>/raw`, one or more lines a message.

Sources: METTLER TOLEDO's "MT-SICS Reference Manual", commands S, SI, SIR, SU and their errors (KERN's KCP is the same);
the manuals of CAS, KERN KFB, Dini Argeo ("standard" and "extended" strings), A&D and Selleton indicators for the family
`ST,GS,+  12.34kg` (status, gross or net, sign, number, unit), with or without an address before it; Sartorius' SBI with
16 and 22 characters; Ohaus' print formats; the Scale Manufacturers Association's protocol (Avery Weigh-Tronix).
Numbers have a point or a comma, their sign may stand apart. Masses are taken, and newtons at standard gravity; a line
that was cut, or says no unit, is kept as a problem. A line that begins with its number counts only when it is as wide
as its maker prints it: otherwise a line that lost its beginning would pass for a lighter weight. Answers to other
commands, and "not executable", say nothing.
"""

import re
from collections.abc import Callable
from decimal import Decimal

from gateway.contract import ScaleState, Weighing, WeightBasis
from gateway.decoders.decoded import Decoded, DecodeError

#: kilograms in one (the international pound, ounce and troy ounce; what weighs a newton at standard gravity)
_KILOGRAMS = {
    "kg": Decimal(1),
    "g": Decimal("0.001"),
    "mg": Decimal("0.000001"),
    "t": Decimal(1000),
    "lb": Decimal("0.45359237"),
    "oz": Decimal("0.028349523125"),
    "ozt": Decimal("0.0311034768"),
    "N": 1 / Decimal("9.80665"),
    "kN": 1000 / Decimal("9.80665"),
}
_SPELLINGS = {"lbs": "lb", "gr": "g", "n": "N", "kn": "kN", "kgs": "kg"}
_NUMBER = r"(?P<sign>[+-]?)\s*(?P<digits>\d{1,12}(?:[.,]\d{1,12})?|[.,]\d{1,12})"
_UNIT = r"(?P<unit>[A-Za-z%]{1,4})"
_STATUS = r"(?P<state>ST|US|OL|UL|QT|WT)"

_SICS = re.compile(rf"S[IRUX]?\s+(?P<state>[SDMN])\s+{_NUMBER}\s*{_UNIT}")
_SICS_OUT = re.compile(r"S[IRUX]?\s+(?P<state>[+-])")
#: command not executable, parameter wrong, errors of syntax and transmission; tare, zero, identification, display
_SICS_OTHER = re.compile(
    r"S[IRUX]?\s+[IL]|E[STLM]|ST\s+[A01DL]|(?:T|TA|TAC|TI|Z|ZI|ZC|SIR|SR|D|DW|K|I\d{1,2}|@|M\d{2})(?:\s.*)?"
)
_COMMON = re.compile(rf"(?:\d{{2}})?{_STATUS}\s*,\s*(?:(?P<basis>GS|NT|TR)\s*,?)?\s*{_NUMBER}\s*,?\s*{_UNIT}")
#: CAS: between weight and basis one byte is the scale's number, one its lamps
_CAS = re.compile(rf"{_STATUS},(?P<basis>GS|NT|TR),[\s\S]{{1,3}},?{_NUMBER}\s*{_UNIT}")
#: out of range the number is dashes, points, nines, or nothing
_COMMON_OUT = re.compile(
    r"(?:\d{2})?(?P<state>OL|UL)\s*,\s*(?:(?P<basis>GS|NT|TR)\b)?.*?(?P<unit>kg|mg|g|t|lb|oz)?", re.IGNORECASE
)
#: Dini Argeo's strings of microvolts and converter points
_COMMON_OTHER = re.compile(r"(?:\d{2})?(?:ST|US),(?:VL|RZ),.*")
#: scale's number, net weight, tare, pieces, unit, and perhaps the date
_DINI_EXTENDED = re.compile(
    rf"(?:\d{{2}})?\d?{_STATUS},\d?,?\s*{_NUMBER}\s*,\s*(?:PT)?\s*-?\s*[\d.,]+\s*,\s*-?\d+\s*,\s*{_UNIT}(?:,.*)?"
)
#: scale's number, gross weight with its unit, tare with its unit
_DINI_AF = re.compile(rf"(?:\d{{2}})?{_STATUS},\d,\s*{_NUMBER}\s*{_UNIT}\s*,\s*(?:PT)?\s*[\d.,-]+\s*[A-Za-z]{{1,3}}")
#: a print that says what it is, and not whether it stood still (Yaohua writes `wn` for net, `ww` for gross)
_NAMED = re.compile(rf"(?P<basis>GROSS|NET|GS|NT|G|N|B|wn|ww)\s*[:=]?\s*{_NUMBER}\s*{_UNIT}")
#: sign, number, unit behind at least eleven characters; `?` while it moves (Ohaus)
_WIDE = re.compile(
    r"(?=[ \d.,+\[\]-]{11,16}[A-Za-z])\s*(?P<sign>[+-]?)\s*(?P<digits>\d[\d.,]*(?:\[\d\])?)\s+"
    r"(?P<unit>[A-Za-z]{1,4})\s*(?P<moves>\?)?\s*(?P<basis>NET|GROSS|N|G|B|T|PT)?"
)
#: SBI with 22 characters: what the value is, in six
_SBI_NAMED = re.compile(
    r"(?P<basis>[A-Za-z][A-Za-z0-9#.-]{0,4}) *(?<=^.{6})(?P<sign>[+ -]) *(?P<digits>\d[\d.,]*(?:\[\d\])?) "
    r"+(?P<unit>[A-Za-z]{1,3})"
)
_SBI_OUT = re.compile(r"(?:Stat)?\s{4,}(?P<state>HH?|LL?|High|Low)|(?P<marks>[\^]{5,}|_{5,})\s*(?:kg|g|lb|oz)?")
_SBI_OTHER = re.compile(r"(?:Stat)?\s{4,}(?:C|--|Cal\..*)|(?:Qnt|Prc|nRef|pRef|wRef|Setp|Min|Max|n|s|srel|Nom\.?)\s.*")
#: status, range, basis, motion, then the number in ten characters and the unit
_SMA = re.compile(
    r"(?P<status>[ ZOUEIT])\d(?P<basis>[GNTgnt])(?P<motion>[M ])[ A-Za-z]"
    r"(?=[ \d.+-]{10})\s*(?P<sign>[+-]?)\s*(?P<digits>\d[\d.]*|-*)(?P<unit>[A-Za-z]{1,3})"
)

_STATES: dict[str, ScaleState] = {
    "S": "stable",
    "M": "stable",
    "D": "dynamic",
    "N": "dynamic",
    "+": "overload",
    "-": "underload",
    "ST": "stable",
    "WT": "stable",
    "QT": "stable",
    "US": "dynamic",
    "OL": "overload",
    "UL": "underload",
}
_BASES: dict[str, WeightBasis] = {
    "GS": "gross",
    "G": "gross",
    "G#": "gross",
    "GROSS": "gross",
    "B": "gross",
    "NT": "net",
    "N": "net",
    "N1": "net",
    "NET": "net",
    "wn": "net",
    "ww": "gross",
}
#: the tare that was set, not what lies on the scale
_TARES = frozenset({"TR", "T", "PT", "T1", "T2", "PT2"})

Found = re.Match[str]
Read = Callable[[str, Found, int], Weighing | None]


def decode(topic: str, payload: bytes, received_at_ms: int) -> Decoded:
    """Read the lines of one message on `scale/<name>/raw`.

    Raises:
        DecodeError: another topic, or bytes that are no text.
    """
    name, _, last = topic.partition("/")[2].rpartition("/")
    if not name or last != "raw":
        raise DecodeError("lines of scales are understood on scale/<name>/raw")
    text = payload.decode("latin-1")
    weighings: list[Weighing] = []
    problems: list[str] = []
    for line in re.split(r"[\r\n\x02\x03]+", text):
        if not line.strip():
            continue
        try:
            weighing = _read(f"scale:{name}", line.rstrip(), received_at_ms)
        except DecodeError as error:
            problems.append(str(error))
            continue
        if weighing is not None:
            weighings.append(weighing)
    return Decoded(problems=tuple(problems), weighings=tuple(weighings))


def _read(scale: str, line: str, at_ms: int) -> Weighing | None:
    """Raises DecodeError when the line is none that is known."""
    stripped = line.strip()
    for pattern, read in _LINES:
        if (found := pattern.fullmatch(stripped)) is not None:
            return read(scale, found, at_ms)
    for pattern, read in _WIDE_LINES:
        if (found := pattern.fullmatch(line)) is not None:
            return read(scale, found, at_ms)
    if not line.isascii():
        raise DecodeError("a scale's line is ASCII")
    raise DecodeError(f"{line!r:.60} is no line of a scale that is known")


def _nothing(scale: str, found: Found, at_ms: int) -> None:
    return None


def _sics(scale: str, found: Found, at_ms: int) -> Weighing | None:
    return _weighing(scale, found, _STATES[found["state"]], "net", at_ms)


def _sics_out(scale: str, found: Found, at_ms: int) -> Weighing | None:
    return _out(scale, _STATES[found["state"]], "kg", "net", at_ms)


def _common(scale: str, found: Found, at_ms: int) -> Weighing | None:
    state = _STATES[found["state"]]
    basis = found["basis"] or ""
    if basis in _TARES:
        return None
    return _weighing(scale, found, state, _BASES.get(basis, "unknown"), at_ms)


def _common_out(scale: str, found: Found, at_ms: int) -> Weighing | None:
    unit = (found["unit"] or "kg").lower()
    return _out(
        scale, _STATES[found["state"].upper()], unit, _BASES.get((found["basis"] or "").upper(), "unknown"), at_ms
    )


def _dini_extended(scale: str, found: Found, at_ms: int) -> Weighing | None:
    return _weighing(scale, found, _STATES[found["state"]], "net", at_ms)


def _dini_af(scale: str, found: Found, at_ms: int) -> Weighing | None:
    return _weighing(scale, found, _STATES[found["state"]], "gross", at_ms)


def _named(scale: str, found: Found, at_ms: int) -> Weighing | None:
    return _weighing(scale, found, "dynamic", _BASES[found["basis"]], at_ms)


def _wide(scale: str, found: Found, at_ms: int) -> Weighing | None:
    basis = (found["basis"] or "").upper()
    if basis in _TARES:
        return None
    state: ScaleState = "dynamic" if found.groupdict().get("moves") else "stable"
    return _weighing(scale, found, state, _BASES.get(basis, "unknown"), at_ms)


def _sbi_out(scale: str, found: Found, at_ms: int) -> Weighing | None:
    is_over = (found["state"] or found["marks"])[0] in "H^"
    return _out(scale, "overload" if is_over else "underload", "kg", "unknown", at_ms)


def _sma(scale: str, found: Found, at_ms: int) -> Weighing | None:
    basis = found["basis"].upper()
    if basis in _TARES:
        return None
    if found["status"] in "OU":
        state: ScaleState = "overload" if found["status"] == "O" else "underload"
        return _out(scale, state, found["unit"].lower(), _BASES[basis], at_ms)
    if found["status"] in "EIT" or not found["digits"].strip("-"):
        raise DecodeError(f"the scale reports an error: {found[0]!r:.60}")
    return _weighing(scale, found, "dynamic" if found["motion"] == "M" else "stable", _BASES[basis], at_ms)


#: asked in this order
_LINES: tuple[tuple[re.Pattern[str], Read], ...] = (
    (_SICS, _sics),
    (_SICS_OUT, _sics_out),
    (_COMMON_OUT, _common_out),
    (_COMMON, _common),
    (_COMMON_OTHER, _nothing),
    (_DINI_EXTENDED, _dini_extended),
    (_DINI_AF, _dini_af),
    (_SICS_OTHER, _nothing),
)
#: the same for lines whose blanks count
_WIDE_LINES: tuple[tuple[re.Pattern[str], Read], ...] = (
    (_CAS, _common),
    (_SMA, _sma),
    (_SBI_NAMED, _wide),
    (_WIDE, _wide),
    (_NAMED, _named),
    (_SBI_OUT, _sbi_out),
    (_SBI_OTHER, _nothing),
)


def _weighing(scale: str, found: Found, state: ScaleState, basis: WeightBasis, at_ms: int) -> Weighing:
    """Raises DecodeError when the number is none, or its unit is none of mass."""
    told = found["unit"]
    unit = _SPELLINGS.get(told.lower(), told.lower())
    if unit not in _KILOGRAMS:
        raise DecodeError(f"{told} is no unit of mass")
    if state in ("overload", "underload"):
        return _out(scale, state, unit, basis, at_ms)
    digits = found["digits"].replace("[", "").replace("]", "").replace(",", ".")
    if digits.count(".") > 1:
        raise DecodeError(f"{found['digits']!r:.30} is no number")
    shown = Decimal(found["sign"].strip() + digits)
    return Weighing(0, scale, float(shown * _KILOGRAMS[unit]), state, unit, at_ms, basis)


def _out(scale: str, state: ScaleState, unit: str, basis: WeightBasis, at_ms: int) -> Weighing:
    return Weighing(0, scale, None, state, unit, at_ms, basis, "gateway", "bad")
