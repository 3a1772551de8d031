"""What happened, as sentences: the API has codes."""

from collections.abc import Mapping

from cloud_api.console.asking import Answer
from cloud_api.console.cold_rooms.limits import SYMBOLS
from cloud_api.console.pages import Visitor
from cloud_api.console.writing import number

#: of a limit's kind
_BREACHES: Mapping[str, str] = {
    "high": "{quantity} above {limit}",
    "low": "{quantity} below {limit}",
    "cumulative_high": "{quantity} above {limit} for too long in a day",
    "cumulative_low": "{quantity} below {limit} for too long in a day",
}
#: of an excursion's timeline
MOMENTS: Mapping[str, str] = {
    "started": "First reading beyond the limit",
    "raised": "Raised as an excursion",
    "acted": "Corrective action",
    "acknowledged": "Acknowledged",
    "recovered": "Back within the limit",
    "reset": "Latch taken off",
    "retracted": "Taken back: readings that came late prove that it never was",
    "closed": "Closed",
}
#: of an alert's
EVENTS: Mapping[str, str] = {
    "raised": "Alert raised",
    "joined": "Raised again by something else",
    "worsened": "Became more severe",
    "escalated": "Escalated by hand",
    "told": "People were told",
    "told_nobody": "There was nobody to tell",
    "over": "What raised it is over",
    "returned": "Came back",
    "acknowledged": "Acknowledged",
    "snoozed": "Put off",
    "woke": "Woke from being put off",
    "resolved": "Resolved",
    "noted": "Note",
}
#: events of an alert that an excursion's own timeline does not have
ONLY_THE_ALERT = frozenset(
    {"joined", "worsened", "escalated", "told", "told_nobody", "returned", "snoozed", "woke", "noted"}
)


def breach(excursion: Answer, visitor: Visitor) -> str:
    """`Temperature above 8 °C`."""
    unit = SYMBOLS.get(excursion["unit"], excursion["unit"])
    quantity = visitor.writing.word(excursion["quantity"])
    text = _BREACHES.get(excursion["kind"])
    if text is None:
        return f"{quantity}: {visitor.writing.word(excursion['kind'])}"
    return visitor.say(text, quantity=quantity, limit=f"{number(excursion['set_at'])} {unit}")


def lasting(minutes: float, visitor: Visitor) -> str:
    """`3 h 20 min`."""
    hours, rest = divmod(round(minutes), 60)
    if hours >= 48:
        return visitor.say("{days} d {hours} h", days=hours // 24, hours=hours % 24)
    return (
        visitor.say("{hours} h {minutes} min", hours=hours, minutes=rest)
        if hours
        else visitor.say("{minutes} min", minutes=rest)
    )
