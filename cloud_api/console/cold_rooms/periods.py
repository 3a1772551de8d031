"""The stretch of time that a page shows: a day, a week or a month, until now or until a moment before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from fastapi import Request

from cloud_api.kernel import clock

#: by the name in the address: how long it is, how wide the chart's buckets are, some 300 to a picture, and the table's
SPANS: Mapping[str, tuple[timedelta, str, str]] = {
    "day": (timedelta(days=1), "5m", "hour"),
    "week": (timedelta(days=7), "30m", "day"),
    "month": (timedelta(days=30), "2h", "day"),
}


@dataclass(frozen=True)
class Period:
    """[since, until) of a page."""

    path: str
    span: str
    until: datetime
    #: whether it goes on with the time
    follows: bool
    #: what else stands in the page's address
    kept: Sequence[tuple[str, str]] = ()

    @property
    def since(self) -> datetime:
        """When it begins."""
        return self.until - SPANS[self.span][0]

    @property
    def chart_bucket(self) -> str:
        """How wide a point of the chart is."""
        return SPANS[self.span][1]

    @property
    def table_bucket(self) -> str:
        """How wide a row of the table is."""
        return SPANS[self.span][2]

    @property
    def counts_minutes(self) -> bool:
        """Whether the table says how long limits were passed: of a month too many readings would be looked at."""
        return self.span != "month"

    @property
    def asked(self) -> dict[str, str]:
        """The same for the API."""
        return {"since": self.since.isoformat(), "until": self.until.isoformat()}

    @property
    def query(self) -> str:
        """The same for another page of ours."""
        return self._query(self.span, None if self.follows else self.until)

    def of_span(self, span: str) -> str:
        """The same page with another span."""
        return self._address(span, None if self.follows else self.until)

    @property
    def earlier(self) -> str:
        """The page of the time before."""
        return self._address(self.span, self.since)

    @property
    def later(self) -> str | None:
        """The page of the time after; None: that is to come."""
        if self.follows:
            return None
        until = self.until + SPANS[self.span][0]
        return self._address(self.span, None if until >= clock.now() else until)

    def _address(self, span: str, until: datetime | None) -> str:
        return f"{self.path}?{self._query(span, until)}"

    def _query(self, span: str, until: datetime | None) -> str:
        ends = [] if until is None else [("until", until.isoformat(timespec="seconds"))]
        return urlencode([*self.kept, ("span", span), *ends])


def period_of(request: Request, path: str, kept: Sequence[tuple[str, str]] = ()) -> Period:
    """What the address asks for; what it says wrongly is not heard.

    Args:
        kept: what else stands in it, and stays when the time is another.
    """
    span = request.query_params.get("span", "")
    now = clock.now()
    try:
        until = datetime.fromisoformat(request.query_params.get("until", ""))
    except ValueError:
        until = now
    follows = until.tzinfo is None or until >= now
    return Period(path, span if span in SPANS else "day", now if follows else until, follows, kept)
