"""How much at a time, and how fast: what the answers of the cloud teach about the way to it.

Both learn from how long answers take beyond what they take at best: a satellite's delay is nobody's fault, a queue in
front of a slow line or a busy server is ours. The backlog yields (additive increase, multiplicative decrease, as TCP
does), so that live rows find the way free. A cloud that is quick is never waited for.
"""

_BEST_FORGETS = 1.002
#: an answer this much later than at best says that something queues
_QUEUE_S = 0.5
#: with so many a lane begins: what they take says what an answer takes when little is sent
_FIRST_ROWS = 100
_FEWEST_ROWS = 50
#: of a batch's body as it travels; the cloud takes 1 MB
_MOST_BYTES = 256_000
_FIRST_RATE = 4_000.0
_LEAST_RATE = 100.0
_MOST_RATE = 400_000.0
_STEP = 2_000.0
#: answers that were under way together tell of one queue, not of many
_SAME_QUEUE_S = 1.0


class Baseline:
    """The shortest answer lately; a longer way is learnt within some hundred answers."""

    def __init__(self) -> None:
        self._best_s = float("inf")

    def excess_s(self, took_s: float) -> float:
        """How much longer than at best this answer has taken."""
        self._best_s = min(self._best_s * _BEST_FORGETS, took_s)
        return took_s - self._best_s


class BatchSize:
    """How many rows of a lane to send at once."""

    def __init__(self, most_rows: int) -> None:
        self._most_rows = most_rows
        self._rows = min(most_rows, _FIRST_ROWS)
        self._row_bytes = 0.0
        self._baseline = Baseline()

    @property
    def rows(self) -> int:
        """>= 1."""
        rows = min(self._rows, self._most_rows)
        if self._row_bytes:
            rows = min(rows, max(1, int(_MOST_BYTES / self._row_bytes)))
        return rows

    def taken(self, rows: int, sent_bytes: int, took_s: float) -> None:
        """The cloud has taken a batch: more next time, fewer when the line was busy with it for too long."""
        if rows >= _FEWEST_ROWS:  # a small batch is all header
            self._row_bytes = sent_bytes / rows
        excess_s = self._baseline.excess_s(took_s)
        if excess_s > 2 * _QUEUE_S:
            self.unanswered(rows)
        elif excess_s <= _QUEUE_S:
            self._rows = min(self._most_rows, self._rows * 2)

    def unanswered(self, rows: int) -> None:
        """Fewer may come through."""
        self._rows = max(min(_FEWEST_ROWS, self._rows), min(self._rows, rows) // 2)

    def narrow(self, rows: int) -> None:
        """The cloud refuses what these rows hold: find out where, by halves."""
        self._rows = max(1, rows // 2)

    def too_large(self, rows: int) -> None:
        """The cloud never takes so many."""
        self._most_rows = max(1, rows // 2)


class Pace:
    """How fast the backlog may go, in rows a second. Times are seconds of one clock."""

    def __init__(self) -> None:
        self.rows_per_s = _FIRST_RATE
        self._starts = True
        self._free_at_s = 0.0
        self._slowed_at_s = float("-inf")
        self._baseline = Baseline()
        self._live_baseline = Baseline()

    def delay_s(self, now_s: float) -> float:
        """How long to wait before the next batch."""
        return max(0.0, self._free_at_s - now_s)

    def spend(self, rows: int, now_s: float) -> None:
        """A batch leaves now."""
        self._free_at_s = max(self._free_at_s, now_s) + rows / self.rows_per_s

    def answered(self, rows: int, took_s: float, now_s: float) -> None:
        """A batch of the backlog was taken."""
        if self._baseline.excess_s(took_s) > _QUEUE_S:
            self._slow_down(rows / took_s, now_s)
        elif self._starts:
            self.rows_per_s = min(_MOST_RATE, self.rows_per_s * 2)
        else:
            self.rows_per_s = min(_MOST_RATE, self.rows_per_s + _STEP)

    def live_answered(self, took_s: float, now_s: float) -> None:
        """A batch of those that go first was taken."""
        if self._live_baseline.excess_s(took_s) > _QUEUE_S:
            self._slow_down(self.rows_per_s, now_s)

    def start_again(self) -> None:
        """There was an outage: nobody knows what the way bears now."""
        self.rows_per_s = min(self.rows_per_s, _FIRST_RATE)
        self._starts = True

    def _slow_down(self, achieved: float, now_s: float) -> None:
        if now_s - self._slowed_at_s < _SAME_QUEUE_S:
            return
        self._slowed_at_s = now_s
        self._starts = False
        self.rows_per_s = max(_LEAST_RATE, min(self.rows_per_s, achieved) / 2)
        self._free_at_s = max(self._free_at_s, now_s + 1 / self.rows_per_s)
