"""How long to wait after a failure, so that a fleet that lost its cloud or its broker does not come back as a storm."""

import secrets

_FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 300.0


class Backoff:
    """Full jitter: after n failures wait anything up to 2^n seconds, and never longer than `longest_s`."""

    def __init__(self, longest_s: float = LONGEST_DELAY_S) -> None:
        self._longest_s = longest_s
        self._failures = 0

    def reset(self) -> None:
        """The other side has answered well."""
        self._failures = 0

    def next_delay_s(self, at_least_s: float = 0.0) -> float:
        """How long to wait now; the other side may have asked for `at_least_s`."""
        ceiling_s = min(self._longest_s, _FIRST_DELAY_S * 2 ** min(self._failures, 16))
        self._failures += 1
        return max(secrets.SystemRandom().uniform(0.0, ceiling_s), at_least_s)
