"""The newest lines of the log, kept in memory for whoever asks from afar; secrets are struck out."""

import logging
import re
from collections import deque
from collections.abc import Iterable

MOST_LINES = 1000
_LONGEST_LINE = 500
_STRUCK_OUT = "[secret]"
#: the gateway's own secrets are 64 hexadecimal digits; a bearer token is whatever follows the word
_SECRETS = r"\b[0-9a-fA-F]{64}\b|(?<=Bearer )\S+"
#: a shorter password would strike out half of the log
_SHORTEST = 4


class RecentLog(logging.Handler):
    """Add it to the root logger."""

    def __init__(self, passwords: Iterable[str]) -> None:
        """`passwords` are what the settings hold, and what no line may show."""
        super().__init__()
        words = sorted({word for word in passwords if len(word) >= _SHORTEST}, key=len, reverse=True)
        self._secrets = re.compile("|".join([_SECRETS, *map(re.escape, words)]))
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname).1s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the lines of one record."""
        try:
            lines = self.format(record).splitlines()
        except (TypeError, ValueError):  # arguments that do not fit the message: logging reports it elsewhere
            return
        # Struck out before it is cut: half a secret is still one.
        self._lines.extend(self._secrets.sub(_STRUCK_OUT, line)[:_LONGEST_LINE] for line in lines)

    def lines(self) -> list[str]:
        """Oldest first."""
        return list(self._lines)
