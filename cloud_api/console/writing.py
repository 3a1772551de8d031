"""How things are written for a reader: moments in their zone, money in their currency, codes as words."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from cloud_api.kernel import clock

_SIGNS = {"INR": "₹", "USD": "$", "EUR": "€", "GBP": "£"}
_BETWEEN = re.compile(r"[_\-.]+")
#: codes that are said letter by letter, in every language
_INITIALS = frozenset({"otp", "rfid", "sms", "upi"})
_AGO = ((86_400, "{count} d ago"), (3_600, "{count} h ago"), (60, "{count} min ago"), (0, "{count} s ago"))


class Writing:
    """Writes for one reader.

    Args:
        say: translates; see `texts.speaker`.
    """

    def __init__(self, say: Callable[..., str], zone: ZoneInfo, currency: str) -> None:
        self._say = say
        self.zone = zone
        self.currency = currency

    def known(self) -> Mapping[str, Callable[..., object]]:
        """What templates call, by the names that they call it."""
        named = (self.moment, self.when, self.clock_time, self.ago, self.money, self.word, self.words)
        return {one.__name__: one for one in named}

    def moment(self, said: str | datetime | None) -> datetime | None:
        """A moment of the API's, where the reader is."""
        if not said:
            return None
        at = datetime.fromisoformat(said) if isinstance(said, str) else said
        return at.astimezone(self.zone)

    def when(self, said: str | datetime | None, form: str = "%d %b %Y, %H:%M") -> str:
        """Day and time."""
        at = self.moment(said)
        return "–" if at is None else at.strftime(form)

    def clock_time(self, said: str | datetime | None) -> str:
        """The time of day."""
        return self.when(said, "%H:%M")

    def field_of(self, said: str | None) -> str:
        """A moment of the API's as a field of day and time has it; empty where there is none."""
        return self.when(said, "%Y-%m-%dT%H:%M") if said else ""

    def instant(self, typed: str) -> str | None:
        """What somebody typed into a field of day and time, for the API; what is no moment goes as it is."""
        try:
            return datetime.fromisoformat(typed).replace(tzinfo=self.zone).isoformat() if typed else None
        except ValueError:
            return typed

    def ago(self, said: str | datetime | None) -> str:
        """How long ago."""
        at = self.moment(said)
        if at is None:
            return self._say("never")
        seconds = max(0, int((clock.now() - at.astimezone(UTC)).total_seconds()))
        size, text = next((size, text) for size, text in _AGO if seconds >= size)
        return self._say(text, count=seconds // max(1, size))

    def money(self, minor: int | None, currency: str = "") -> str:
        """From the smallest unit, as the API has it."""
        if minor is None:
            return "–"
        code = currency or self.currency
        return f"{_SIGNS.get(code, code)}{Decimal(minor) / 100:,.2f}"

    def word(self, code: str | None) -> str:
        """A code of the API as a word: `out_for_delivery` is "Out for delivery"."""
        if code in _INITIALS:
            return code.upper()
        text = _BETWEEN.sub(" ", code or "").strip()
        return self._say(text[:1].upper() + text[1:])

    def words(self, codes: Iterable[str]) -> list[tuple[str, str]]:
        """Codes of the API with their words, to choose from."""
        return [(code, self.word(code)) for code in codes]


def number(said: object, places: int | None = None) -> str:
    """A quantity without the zeros that say nothing; with `places`, exactly so many."""
    if said in (None, ""):
        return "–"
    try:
        value = Decimal(str(said))
    except InvalidOperation:
        return str(said)
    if places is not None:
        return f"{value:,.{places}f}"
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
