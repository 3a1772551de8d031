"""Keys. UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, a counter, then random, so that keys sort by creation."""

import os
import uuid

from cloud_api.kernel import clock

_COUNTER_BITS = 12
#: (milliseconds, counter) of the last key of this process
_last = (0, 0)


def new_id() -> uuid.UUID:
    """A fresh UUIDv7; those of one process and one clock rise, also within a millisecond."""
    global _last
    milliseconds, counter = clock.now_ms(), 0
    if 0 <= _last[0] - milliseconds <= 1:  # the same millisecond, or the next one that a full counter borrowed
        milliseconds, counter = _last[0], _last[1] + 1
        if counter >> _COUNTER_BITS:
            milliseconds, counter = milliseconds + 1, 0
    _last = (milliseconds, counter)
    random_62 = int.from_bytes(os.urandom(8), "big") >> 2
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | counter << 64 | 0x2 << 62 | random_62)
