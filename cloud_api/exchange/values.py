"""What a cell says. Nothing is guessed: what can be read in two ways is refused, with what to say to have it read."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

DateFormat = Literal["iso", "dmy", "mdy", "ymd"]
NumberFormat = Literal["plain", "western", "indian", "european"]
#: as a reader gives it: text, or what a sheet knows to be a number, a truth value or a date
Cell = str | int | Decimal | bool | date | None

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?")
_PARTS = re.compile(r"(\d{1,4})[./ -](\d{1,2})[./ -](\d{1,4})")
_ORDERS: dict[str, tuple[int, int, int]] = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}
_NUMBERS: dict[str, re.Pattern[str]] = {
    "plain": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)"),
    "western": re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?"),
    "indian": re.compile(r"[+-]?(\d+|\d{1,3}|\d{1,2}(,\d{2})*,\d{3})(\.\d+)?"),
    "european": re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?"),
}
_TRUE, _FALSE = frozenset({"true", "yes", "y", "1"}), frozenset({"false", "no", "n", "0"})
#: days are counted from here in the two systems of spreadsheets; the first believes in 29 February 1900
_EPOCHS = {1900: date(1899, 12, 30), 1904: date(1904, 1, 1)}
_FIRST_SERIAL = 61
#: dates of goods lie within
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(2200, 1, 1)


class Unclear(ValueError):
    """What is wrong with a cell, and how to write it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the cells of one file are read."""

    dates: DateFormat = "iso"
    numbers: NumberFormat = "plain"
    #: of a sheet: 1900 or 1904; None: numbers are no dates
    day_system: int | None = None


def as_text(cell: Cell) -> str:
    """A cell as text: a whole number without a point, a date as ISO."""
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case Decimal():
            return str(int(cell)) if cell == cell.to_integral_value() else f"{cell:f}"
        case datetime():
            return cell.isoformat()
        case _:
            return str(cell).strip()


def as_date(cell: Cell, reading: Reading) -> date:
    """The day that a cell says, where it was written: no time zone ever moves it.

    Raises:
        Unclear: when it is no day, or may be two.
    """
    match cell:
        case bool():
            raise Unclear("is no date: write it as 2026-01-31")
        case datetime():
            return _within(cell.date())
        case date():
            return _within(cell)
        case int() | Decimal():
            return _within(_of_serial(cell, reading))
        case _:
            return _within(_of_text(as_text(cell), reading))


def as_decimal(cell: Cell, reading: Reading) -> Decimal:
    """The number that a cell says, exactly.

    Raises:
        Unclear: when it is none, or is written with grouping that nobody spoke of.
    """
    if isinstance(cell, bool | date):
        raise Unclear("is no number")
    if isinstance(cell, int | Decimal):
        return Decimal(cell)
    text = as_text(cell)
    if not _NUMBERS[reading.numbers].fullmatch(text) or not text.isascii():
        fitting = [name for name, pattern in _NUMBERS.items() if text.isascii() and pattern.fullmatch(text)]
        if fitting:
            raise Unclear(f"{text!r} is written otherwise than was said: say number_format={' or '.join(fitting)}")
        raise Unclear(f"{text[:40]!r} is no number: write it as 1234.5")
    if reading.numbers == "european":
        return Decimal(text.replace(".", "").replace(",", "."))
    return Decimal(text.replace(",", ""))


def as_whole(cell: Cell, reading: Reading) -> int:
    """The whole number that a cell says.

    Raises:
        Unclear: when it is none.
    """
    number = as_decimal(cell, reading)
    if number != number.to_integral_value() or abs(number) >= 10**15:
        raise Unclear(f"{as_text(cell)[:40]!r} must be a whole number")
    return int(number)


def as_truth(cell: Cell) -> bool:
    """Yes or no.

    Raises:
        Unclear: when it is neither.
    """
    if isinstance(cell, bool):
        return cell
    text = as_text(cell).casefold()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise Unclear(f"{text[:40]!r} must be yes or no")


def _within(day: date) -> date:
    if not _FIRST_DAY <= day < _LAST_DAY:
        raise Unclear(f"{day.isoformat()} is no date of goods: it must lie between 1970 and 2199")
    return day


def _of_serial(number: int | Decimal, reading: Reading) -> date:
    if reading.day_system is None:
        raise Unclear(f"{as_text(number)} is a number: write the date as 2026-01-31")
    days = int(number)
    if not _FIRST_SERIAL <= days <= 2_958_465:
        raise Unclear(f"{days} is no day that a spreadsheet counts: write the date as 2026-01-31")
    return _EPOCHS[reading.day_system] + timedelta(days=days)


def _of_text(text: str, reading: Reading) -> date:
    if match := _ISO.fullmatch(text):
        return _day(int(match[1]), int(match[2]), int(match[3]), text)
    match = _PARTS.fullmatch(text)
    if match is None or not text.isascii():
        raise Unclear(f"{text[:40]!r} is no date: write it as 2026-01-31")
    if reading.dates == "iso":
        raise Unclear(f"{text!r} may be two days: say date_format=dmy, mdy or ymd, or write it as 2026-01-31")
    year, month, day = (match[1 + place] for place in _ORDERS[reading.dates])
    if len(year) != 4:
        raise Unclear(f"{text!r} is not written as {reading.dates} with four digits for the year")
    if len(month) > 2 or len(day) > 2:
        raise Unclear(f"{text!r} is not written as {reading.dates}")
    return _day(int(year), int(month), int(day), text)


def _day(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Unclear(f"{text!r} is no day of the calendar") from None
