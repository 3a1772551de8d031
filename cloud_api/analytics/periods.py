"""Days, weeks and months as an organisation's calendar has them, and what of the clock lies in each."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import Depends, Query
from sqlalchemy import CTE, ColumnElement, Integer, and_, column, values
from sqlalchemy.orm import InstrumentedAttribute

from cloud_api.identity.organizations import service as organizations
from cloud_api.kernel.columns import UtcDateTime
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.unit_of_work import Db

Step = Literal["day", "week", "month"]
#: nobody asks for more at once, and no calendar of ours goes further
LONGEST_DAYS = 366
_FIRST, _LAST = date(2000, 1, 1), date(2100, 1, 1)
#: what is shown when no beginning is named
_DAYS, _WEEKS, _MONTHS = 30, 12, 12
#: the number of the period before, among the spans
BEFORE = -1
AskedFrom = Annotated[
    date | None, Query(alias="from", description="the first day; by default 30 days, 12 weeks or 12 months, by `by`")
]
AskedTo = Annotated[date | None, Query(alias="to", description="the last day; by default today")]
AskedStep = Annotated[
    Step, Query(description="told by days, weeks (from Monday) or months of the organisation's calendar")
]
_Moment = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]


@dataclass(frozen=True)
class Span:
    """Some days on end: from the first instant of `first` until the day after `last` begins."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def begins(self) -> datetime:
        """Its first instant."""
        return midnight(self.first, self.zone)

    @property
    def ends(self) -> datetime:
        """The first instant that is not in it."""
        return midnight(self.last + timedelta(days=1), self.zone)

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Period(Span):
    """What is asked for, and by which steps it is told."""

    by: Step = "day"

    @property
    def before(self) -> Span:
        """What it is compared with: as many whole months before whole months, else as many days."""
        last = self.first - timedelta(days=1)
        if self.first.day == 1 and (self.last + timedelta(days=1)).day == 1:
            months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
            return Span(_month_of(self.first, -months), last, self.zone)
        return Span(self.first - timedelta(days=self.days), last, self.zone)

    @property
    def spans(self) -> list[Span]:
        """Its steps, the first first; weeks begin on Mondays. The first and the last may be cut short."""
        cut, found = self.first, []
        while cut <= self.last:
            after = _after(cut, self.by)
            found.append(Span(cut, min(after - timedelta(days=1), self.last), self.zone))
            cut = after
        return found

    def place(self, instant: datetime) -> int:
        """In which of the steps an instant lies that is not before the first."""
        return bisect_right([span.begins for span in self.spans], instant) - 1


def spans_of(period: Period, *, with_before: bool = False) -> CTE:
    """The steps as rows (number, begins, ends), to which facts are joined by `within`.

    Args:
        with_before: the period before too, whole, under the number `BEFORE`.
    """
    numbered = [*enumerate(period.spans), *([(BEFORE, period.before)] if with_before else [])]
    return _rows([(number, span.begins, span.ends) for number, span in numbered])


def moments(numbered: Sequence[tuple[int, datetime, datetime]]) -> CTE:
    """Other stretches of time, as `spans_of` has those of a period."""
    return _rows(numbered)


def _rows(numbered: Sequence[tuple[int, datetime, datetime]]) -> CTE:
    named = (column("number", Integer), column("begins", UtcDateTime()), column("ends", UtcDateTime()))
    return values(*named, name="steps").data(list(numbered)).cte("spans")


def within(spans: CTE, moment: _Moment) -> ColumnElement[bool]:
    """Whether a moment lies in a row of `spans_of`: an index that begins with it is searched, once for each span."""
    return and_(moment >= spans.c.begins, moment < spans.c.ends)


def year_until(day: date, zone: ZoneInfo) -> Period:
    """The month of a day so far, and the eleven before it, by months."""
    return Period(_month_of(day, 1 - _MONTHS), day, zone, "month")


def growth(now: int | float, before: int | float) -> float | None:
    """By which share it grew; None: there was nothing before."""
    return None if before == 0 else round((now - before) / abs(before), 4)


async def asked_period(db: Db, since: AskedFrom = None, until: AskedTo = None, by: AskedStep = "day") -> Period:
    """The days that a request names, both ends included, where the organisation is.

    Raises:
        Invalid: when they end before they begin, or are too many.
    """
    zone = await organizations.zone(db)
    last = until or await organizations.today(db)
    check_days(last, last, most=LONGEST_DAYS)
    first = since or _usual_first(last, by)
    check_days(first, last, most=LONGEST_DAYS)
    return Period(first, last, zone, by)


def check_days(first: date, last: date, *, most: int) -> None:
    """Let days pass that can be told of.

    Raises:
        Invalid: when they end before they begin, or are too many.
    """
    if not _FIRST <= last <= _LAST:
        raise Invalid(f"figures are of days between {_FIRST} and {_LAST}", field="to")
    if first > last:
        raise Invalid("the first day must not lie after the last", field="from")
    if (last - first).days >= most:
        raise Invalid(f"at most {most} days are told at once", field="from")


AskedPeriod = Annotated[Period, Depends(asked_period, scope="function")]


def _usual_first(last: date, by: Step) -> date:
    if by == "day":
        return last - timedelta(days=_DAYS - 1)
    if by == "week":
        return last - timedelta(days=last.weekday(), weeks=_WEEKS - 1)
    return _month_of(last, 1 - _MONTHS)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a date: where clocks are set at midnight, it may be shown twice, or not at all."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _month_of(day: date, months: int) -> date:
    """The first of the month that lies so many months after that of `day`."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _after(day: date, by: Step) -> date:
    if by == "day":
        return day + timedelta(days=1)
    if by == "week":
        return day + timedelta(days=7 - day.weekday())
    return _month_of(day, 1)
