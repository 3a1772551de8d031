"""The gateway's own time: it follows the kernel's monotonic clock, so that setting the wall clock does not move it.

A box in a cold store has no battery behind its clock: it may wake up in the past, and be set by days when the network
comes. So time here is `monotonic + offset`; the offset is chosen at the start from the system's wall clock (never
earlier than what this gateway has already seen), and judged by the cloud's time at first contact. When it was wrong,
it is put right once: every row stored under the wrong offset is repaired when it is sent, and the alarms' states move
with it. From then on it is only slewed, too slowly to change an order. Nothing is sent before the cloud was heard.

An *anchor* is one such stretch of time. Rows name theirs, and so their boot and their place on its monotonic clock.
"""

import ctypes
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

_log = logging.getLogger(__name__)

#: the cloud's time is not exact, nor is ours: what differs less than this, and half a round trip, is the same
TOLERANCE_MS = 2000
#: an answer that took longer says too little about the time to slew by it
_SLOWEST_ROUND_TRIP_S = 10.0
#: one slew; answers come every second at most, so that time never runs faster or slower by more than a twentieth
_SLEW_MS = 50
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_STA_UNSYNC = 0x40


class Ticking(Protocol):
    """What the timeline needs of `gateway.clock.Clock`."""

    def wall_ms(self) -> int: ...
    def monotonic_s(self) -> float: ...


class Anchor(msgspec.Struct, frozen=True):
    """A stretch of time with one offset."""

    number: int
    boot_id: str
    #: where it begins on the gateway's time, and on the kernel's monotonic clock
    since_ms: int
    mono_ms: int
    #: to be added to the gateway's own times of this anchor: what the offset was wrong by
    repair_ms: int = 0
    #: whether the cloud has agreed
    confirmed: bool = False

    def repaired(self, at_ms: int) -> int:
        """A time of the gateway's own clock, as it is known now."""
        return at_ms + self.repair_ms if at_ms >= self.since_ms else at_ms


class Timeline:
    """Tells the time. `anchor` must be kept on disk, and what `on_anchor` tells of it later."""

    def __init__(
        self,
        clock: Ticking,
        last: Anchor | None,
        floor_ms: int,
        *,
        boot_id: str | None = None,
        is_synchronised: Callable[[], bool] | None = None,
        is_agreed: bool = False,
    ) -> None:
        """Go on under the `last` anchor when the box has not started anew since, else begin another.

        Args:
            floor_ms: the newest time that this gateway has given to anything.
            is_synchronised: whether the system's clock is set by the network; the kernel is asked when None.
            is_agreed: all parties have one clock anyway, as in a demonstration.
        """
        self.boot_id = boot_id or _read_boot_id()
        #: told of each new anchor, and of an old one that was repaired or confirmed
        self.on_anchor: Callable[[Anchor], None] = lambda _: None
        #: told (delta_ms, since_ms): what stands at or after `since_ms` on the time before is delta_ms later on the new
        self.on_shift: Callable[[int, int], None] = lambda _delta_ms, _since_ms: None
        self.jumps = 0
        self._clock = clock
        mono_ms = self._mono_ms()
        self._told_ms = floor_ms
        synchronised = is_synchronised or kernel_clock_is_synchronised
        if last is not None and last.boot_id == self.boot_id and last.mono_ms <= mono_ms:
            self._offset_ms = last.since_ms + last.repair_ms - last.mono_ms
            self._synchronised = last.confirmed or synchronised()
            self.anchor = last
            if last.repair_ms:  # its rows are being repaired: ours must not be
                now_ms = mono_ms + self._offset_ms
                self.anchor = Anchor(last.number + 1, self.boot_id, now_ms, mono_ms, confirmed=True)
        else:
            since_ms = max(clock.wall_ms(), floor_ms)
            number = last.number + 1 if last else 1
            self.anchor = Anchor(number, self.boot_id, since_ms, mono_ms, confirmed=is_agreed)
            self._offset_ms = since_ms - mono_ms
            self._synchronised = since_ms - clock.wall_ms() < TOLERANCE_MS and synchronised()
        self._ahead_ms = self.system_ahead_ms

    @property
    def is_trusted(self) -> bool:
        """Whether the cloud, or a clock that the network sets, stands behind the time."""
        return self.anchor.confirmed or self._synchronised

    @property
    def system_ahead_ms(self) -> int:
        """How far the system's wall clock is ahead of the gateway's time."""
        return self._clock.wall_ms() - (self._mono_ms() + self._offset_ms)

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC, as well as they are known; never less than before."""
        now_ms = self._mono_ms() + self._offset_ms
        if now_ms < self._told_ms:  # only by a slew, by milliseconds
            return self._told_ms
        self._told_ms = now_ms
        return now_ms

    def watch_system_clock(self) -> None:
        """Count the jumps of the system's wall clock; to be called every few seconds."""
        ahead_ms = self.system_ahead_ms
        if abs(ahead_ms - self._ahead_ms) > TOLERANCE_MS:
            self.jumps += 1
            _log.warning("the system's clock has jumped by %.1f s; time goes on", (ahead_ms - self._ahead_ms) / 1000)
        self._ahead_ms = ahead_ms

    def heard_from_cloud(self, server_time_ms: int, round_trip_s: float) -> None:
        """The cloud has told its time, in an answer that took `round_trip_s`."""
        wrong_by_ms = round(server_time_ms + round_trip_s * 500) - (self._mono_ms() + self._offset_ms)
        tolerance_ms = TOLERANCE_MS + round_trip_s * 500
        if self.anchor.confirmed:
            if abs(wrong_by_ms) <= tolerance_ms and round_trip_s <= _SLOWEST_ROUND_TRIP_S:
                self._offset_ms += max(-_SLEW_MS, min(_SLEW_MS, wrong_by_ms // 2))
            return
        if abs(wrong_by_ms) > tolerance_ms:
            self._repair(wrong_by_ms)
        else:
            self.anchor = msgspec.structs.replace(self.anchor, confirmed=True)
            self.on_anchor(self.anchor)

    def _repair(self, wrong_by_ms: int) -> None:
        _log.warning("the gateway's time was wrong by %.1f s and has been put right", -wrong_by_ms / 1000)
        wrong = self.anchor
        self.on_anchor(msgspec.structs.replace(wrong, repair_ms=wrong_by_ms, confirmed=True))
        self._offset_ms += wrong_by_ms
        mono_ms = self._mono_ms()
        now_ms = mono_ms + self._offset_ms
        self._told_ms = now_ms
        self.anchor = Anchor(wrong.number + 1, self.boot_id, now_ms, mono_ms, confirmed=True)
        self.on_anchor(self.anchor)
        self.on_shift(wrong_by_ms, wrong.since_ms)
        self._ahead_ms = self.system_ahead_ms

    def _mono_ms(self) -> int:
        return int(self._clock.monotonic_s() * 1000)


def _read_boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:  # no Linux: each process is a boot of its own
        return os.urandom(16).hex()


def kernel_clock_is_synchronised() -> bool:
    """Whether the kernel says that its clock is set by the network (adjtimex(2)); False when it cannot be asked."""
    buffer = ctypes.create_string_buffer(256)  # struct timex is 208 bytes on 64-bit Linux, all zero: change nothing
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        state = libc.adjtimex(buffer)
    except (OSError, AttributeError):
        return False
    # unsigned modes; long offset, freq, maxerror, esterror; int status: long is aligned to its size
    width = ctypes.sizeof(ctypes.c_long)
    status = ctypes.c_int.from_buffer(buffer, width * 5).value
    return state != -1 and state != 5 and not status & _STA_UNSYNC
