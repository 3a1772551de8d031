"""How long to wait after a failure, so that a fleet that lost its cloud or its broker does not come back as a storm."""

import secrets

_FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 300.0

uniform_s = secrets.SystemRandom().uniform


class Backoff:
    """Full jitter: after n failures wait anything up to 2^n seconds, and never longer than `longest_s`."""

    def __init__(self, longest_s: float = LONGEST_DELAY_S) -> None:
        self._longest_s = longest_s
        self.failures = 0

    def reset(self) -> None:
        """The other side has answered well."""
        self.failures = 0

    def next_delay_s(self, at_least_s: float = 0.0) -> float:
        """How long to wait now; the other side may have asked for `at_least_s`.

        What it asked for it has asked of the whole fleet at once, so that is spread too: by half of it at least.
        """
        ceiling_s = min(self._longest_s, _FIRST_DELAY_S * 2 ** min(self.failures, 16))
        self.failures += 1
        return at_least_s + uniform_s(0.0, max(ceiling_s, at_least_s / 2))
