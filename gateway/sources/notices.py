"""What the operator should look into: counted, told in the heartbeat, and in the log at most once a minute."""

import logging
import time
from dataclasses import dataclass

_log = logging.getLogger(__name__)

_TOLD_FOR_S = 3600.0
_LOG_EVERY_S = 60.0
_LONGEST_DETAIL = 200


@dataclass(slots=True)
class _Notice:
    count: int = 0
    detail: str = ""
    noted_at_s: float = 0.0
    logged_at_s: float = -_LOG_EVERY_S


class Notices:
    """Kinds of trouble. There are as many as the code has sentences for, so they stay few."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._notices: dict[str, _Notice] = {}

    def note(self, what: str, detail: str, *, count: int = 1) -> None:
        """It has happened (again).

        Args:
            what: the kind of trouble and its remedy, always in the same words.
            detail: this time.
        """
        notice = self._notices.setdefault(what, _Notice(logged_at_s=time.monotonic() - _LOG_EVERY_S))
        notice.count += count
        notice.detail = detail = _one_line(detail)
        notice.noted_at_s = now_s = time.monotonic()
        if now_s - notice.logged_at_s >= _LOG_EVERY_S:
            notice.logged_at_s = now_s
            _log.warning("%s: %s: %s (%d times since the start)", self._source, what, detail, notice.count)

    def told(self) -> list[str]:
        """A sentence for each kind that has happened within the last hour."""
        since_s = time.monotonic() - _TOLD_FOR_S
        return [
            f"{what}: {notice.count} times, last {notice.detail}"
            for what, notice in self._notices.items()
            if notice.noted_at_s >= since_s
        ]


def _one_line(text: str) -> str:
    """Names and topics are what strangers make of them: nothing in them may look like a line of the log, or fill it."""
    text = text if len(text) <= _LONGEST_DETAIL else f"{text[:_LONGEST_DETAIL]}..."
    return text if text.isprintable() else repr(text)
