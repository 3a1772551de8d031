"""GS1 element strings: what a bar code of goods says, read and written.

GS1 General Specifications: an element is an application identifier and its value. Some values have a fixed length; a
value of variable length ends at a separator, the symbol character FNC1, which scanners send as GS (29). Many keyboards
swallow that character, and then nothing tells `10AB` + `21C` from `10AB21C`. Such a string is refused, never guessed.
"""

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from biip import ParseError
from biip.checksums import gs1_standard_check_digit
from biip.gs1_application_identifiers import GS1ApplicationIdentifier

from cloud_api.catalog.errors import MalformedScan, SeparatorMissing
from cloud_api.kernel import clock

GS = "\x1d"
#: AIM symbology identifiers (ISO/IEC 15424) of symbols that carry element strings
CARRIERS = ("]C1", "]e0", "]e1", "]e2", "]d2", "]Q3", "]J1")
#: the longest that any symbol holds is about three times this
LONGEST = 1_000
_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_DATES = frozenset({"11", "12", "13", "15", "16", "17"})
#: keys whose last digit checks the others: of 14, 18 and 13 digits
_CHECKED = frozenset({"00", "01", "02", "03", *(f"41{last}" for last in range(8))})
_WEIGHT_KG = re.compile(r"310[0-5]")
_REMEDY = "set the scanner to send FNC1 as the character GS (29); if it does, say so with fnc1=true"


@dataclass(frozen=True, slots=True)
class Element:
    """An application identifier and its value, as they stand in the symbol."""

    ai: str
    value: str

    @property
    def title(self) -> str:
        """What GS1 calls it, as `BATCH/LOT`."""
        return GS1ApplicationIdentifier.extract(self.ai).data_title


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that one element string says."""

    elements: tuple[Element, ...]

    def value(self, ai: str) -> str | None:
        """The value of an application identifier; None: it does not stand there."""
        return next((element.value for element in self.elements if element.ai == ai), None)

    def day(self, ai: str) -> date | None:
        """The same as a day."""
        value = self.value(ai)
        return None if value is None else day_of(value)

    @property
    def gtin(self) -> str | None:
        """Of the goods themselves, or of what a logistic unit contains; 14 digits."""
        return self.value("01") or self.value("02")

    @property
    def count(self) -> int | None:
        """Pieces in a variable measure, or trade items in a logistic unit."""
        value = self.value("30") or self.value("37")
        return int(value) if value else None

    @property
    def net_weight_g(self) -> Decimal | None:
        """Grams; exact: the last identifier's digit says how many decimals the kilograms have."""
        for element in self.elements:
            if _WEIGHT_KG.fullmatch(element.ai):
                return Decimal(element.value).scaleb(3 - int(element.ai[3]))
        return None


def read(scan: str, *, fnc1: bool = False) -> Reading:
    """What an element string says; an AIM prefix and separators at its ends are taken off.

    Args:
        fnc1: the scanner is known to send separators. Otherwise a string that has none is refused wherever a missing
            one would change what it says.

    Raises:
        SeparatorMissing: when it can be read in more than one way.
        MalformedScan: when it cannot be read at all, naming what and where.
    """
    text = strip_aim(scan)[1].strip(GS)
    if not text:
        raise MalformedScan("the scan is empty", field="code")
    if len(text) > LONGEST:
        raise MalformedScan(f"the scan has {len(text)} characters: no bar code holds more than {LONGEST}", field="code")
    if any(not " " < character < "\x7f" and character != GS for character in text):
        raise MalformedScan("the scan has characters that no GS1 bar code holds: scan it again", field="code")
    sends = fnc1 or GS in strip_aim(scan)[1]
    elements = _elements(text, sends=sends)
    _refuse_contradictions(elements)
    return Reading(elements)


def strip_aim(scan: str) -> tuple[str, str]:
    """The AIM symbology identifier, or nothing, and what follows it; what scanners put at the ends is taken off."""
    text = scan.strip(" \t\r\n")
    return (text[:3], text[3:]) if _AIM.match(text) else ("", text)


def write(elements: Sequence[Element]) -> str:
    """An element string, with a separator wherever one is needed.

    Raises:
        MalformedScan: when a value does not fit its identifier.
    """
    written = []
    for place, element in enumerate(elements, 1):
        identifier = _identifier(element.ai)
        if identifier.ai != element.ai or not _fits(identifier, element.value):
            raise MalformedScan(f"({element.ai}) cannot be {element.value!r}", field="code")
        last = place == len(elements)
        written.append(element.ai + element.value + (GS if identifier.separator_required and not last else ""))
    return "".join(written)


def day_of(digits: str) -> date:
    """A day as GS1 writes it, YYMMDD: day 00 is the last of the month, and the century is the one that lies nearest.

    General Specifications 7.12: 51 to 99 years ahead means the century before, 50 to 99 back the one to come.

    Raises:
        ValueError: when there is no such day.
    """
    year, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    this = clock.now().year
    ahead = year - this % 100
    century = this - this % 100 + (-100 if ahead >= 51 else 100 if ahead <= -50 else 0)
    if day == 0 and 1 <= month <= 12:
        day = calendar.monthrange(century + year, month)[1]
    return date(century + year, month, day)


def _elements(text: str, *, sends: bool) -> tuple[Element, ...]:
    found: list[Element] = []
    at = 0
    while at < len(text):
        identifier = _identifier(text[at:], at=at)
        begin = at + len(identifier.ai)
        if identifier.separator_required:
            end = text.find(GS, begin)
            end = len(text) if end < 0 else end
        else:
            end = begin + _length(identifier)
        value = text[begin:end]
        fits = _fits(identifier, value)
        if identifier.separator_required and not (fits and sends) and _hides_more(identifier, value):
            raise SeparatorMissing(
                f"({identifier.ai}) {identifier.data_title} may be {value!r}, or end earlier with more after it: the "
                f"scan has no FNC1; {_REMEDY}",
                field="code",
            )
        if not fits:
            raise MalformedScan(
                f"({identifier.ai}) {identifier.data_title} at character {at + 1} cannot be {value[:40]!r}: "
                f"{_complaint(identifier, value)}",
                field="code",
            )
        found.append(Element(identifier.ai, value))
        at = end + 1 if text[end : end + 1] == GS else end
    return tuple(found)


def _identifier(text: str, *, at: int = 0) -> GS1ApplicationIdentifier:
    try:
        return GS1ApplicationIdentifier.extract(text)
    except ParseError:
        raise MalformedScan(
            f"{text[:4]!r} at character {at + 1} is no application identifier of GS1: this is no element string, or "
            f"a part of it is missing",
            field="code",
        ) from None


def _length(identifier: GS1ApplicationIdentifier) -> int:
    """Of a value of fixed length: the format says `N2+N14`."""
    return int(identifier.format.rpartition("N")[2])


def _fits(identifier: GS1ApplicationIdentifier, value: str) -> bool:
    if not value or not re.fullmatch(identifier.pattern, identifier.ai + value):
        return False
    if identifier.ai in _CHECKED:
        return gs1_standard_check_digit(value[:-1]) == int(value[-1])
    return identifier.ai not in _DATES or _is_day(value)


def _is_day(digits: str) -> bool:
    try:
        day_of(digits)
    except ValueError:
        return False
    return True


def _complaint(identifier: GS1ApplicationIdentifier, value: str) -> str:
    if identifier.ai in _CHECKED and re.fullmatch(identifier.pattern, identifier.ai + value):
        return "its check digit is wrong, a digit was misread"
    if identifier.ai in _DATES and re.fullmatch(r"\d{6}", value):
        return "there is no such day"
    return f"its format is {identifier.format.partition('+')[2]}"


def _hides_more(identifier: GS1ApplicationIdentifier, value: str) -> bool:
    """Whether a shorter value is possible, followed by further elements up to the end."""
    known: dict[int, bool] = {}
    return any(
        _fits(identifier, value[:cut]) and _is_chain(value, cut, {identifier.ai}, known) for cut in range(1, len(value))
    )


def _is_chain(text: str, at: int, before: set[str], known: dict[int, bool]) -> bool:
    """Whether elements without separators fill the rest of a text. `before` do not come twice."""
    if at == len(text):
        return True
    if at not in known:
        known[at] = False  # while it is being looked at: no element is empty, so nobody asks
        known[at] = _begins_chain(text, at, before, known)
    return known[at]


def _begins_chain(text: str, at: int, before: set[str], known: dict[int, bool]) -> bool:
    try:
        identifier = GS1ApplicationIdentifier.extract(text[at:])
    except ParseError:
        return False
    if identifier.ai in before:
        return False
    begin = at + len(identifier.ai)
    if not identifier.separator_required:
        end = begin + _length(identifier)
        return _fits(identifier, text[begin:end]) and _is_chain(text, end, before, known)
    return any(
        _fits(identifier, text[begin:end]) and _is_chain(text, end, before, known)
        for end in range(len(text), begin, -1)
    )


def _refuse_contradictions(elements: Sequence[Element]) -> None:
    said: dict[str, str] = {}
    for element in elements:
        if said.setdefault(element.ai, element.value) != element.value:
            raise MalformedScan(
                f"({element.ai}) {element.title} stands there twice, as {said[element.ai]!r} and {element.value!r}",
                field="code",
            )
