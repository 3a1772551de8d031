"""From a message to rows in the group that is committed next: five steps, run on the event loop as messages arrive.

Nothing here waits: what a message says is judged at once, so that a buzzer does not wait for a disk. Whoever submits is
told when all of it is on disk, and only then may acknowledge it. When the disk refuses, all that was remembered since
is forgotten, and read again from the disk (`gateway.spool.writer`).
"""

import logging
import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import TypeVar

import msgspec

from gateway import decoders
from gateway.alarms.judging import Judge
from gateway.contract import AlarmEvent, GatewayConfig, TagRead, Weighing
from gateway.decoders import device_time
from gateway.decoders.decoded import Decoded, DecodeError, LearningDecode, Measurement, Sighting
from gateway.rules import StateDict
from gateway.spool.blocks import QUALITY_FLAGS, SOURCE_FLAGS
from gateway.spool.group import MAX_IDENTITIES, Remembered, Settled
from gateway.spool.store import DeadLetter, RuleKey, SeriesKey
from gateway.spool.writer import Spool
from gateway.timeline import Timeline

_log = logging.getLogger(__name__)

#: outside of these no cold store has ever been: the value is kept and marked
PLAUSIBLE: Mapping[str, tuple[float, float]] = {
    "temperature": (-90.0, 150.0),
    "humidity": (0.0, 100.0),
    "battery": (0.0, 100.0),
    "pressure": (300.0, 1100.0),
}
_ANY = (-math.inf, math.inf)
_FINITE = 1.7976931348623157e308
#: names that devices give: a site has hundreds; one that invents them must not fill the memory
MAX_SERIES = 20_000
MAX_KNOWN = 20_000
#: of a message that cannot be used, so much is kept
_LETTER_BYTES = 65_536

Timed = TypeVar("Timed", Measurement, TagRead, Weighing)


class Message(msgspec.Struct, frozen=True, gc=False):
    """What a source received."""

    topic: str
    payload: bytes
    #: why it cannot be used, when the source knows already
    problem: str = ""


class Pipeline:
    """Takes messages from the sources, keeps within its bounds, tells when they are on disk."""

    def __init__(
        self,
        spool: Spool,
        timeline: Timeline,
        *,
        max_pending: int,
        decode: LearningDecode = decoders.decode,
        on_alarms: Callable[[Sequence[AlarmEvent]], None] = lambda _: None,
        publish: Callable[[str, bytes], object] = lambda _topic, _payload: None,
    ) -> None:
        """
        Args:
            max_pending: so many messages may wait for their commit.
            on_alarms: is told at once what was raised or cleared, before it is on disk; nothing, when what is active
                was read anew.
            publish: says something to the devices.
        """
        self.judge = Judge(GatewayConfig(0, []))
        #: sensor -> when it was heard last
        self.last_heard: dict[str, int] = {}
        self.dead_letters = 0
        self._spool = spool
        self._timeline = timeline
        self._max_pending = max_pending
        self._decode = decode
        self._on_alarms = on_alarms
        self._publish = publish
        self._pending = 0
        self._waiting_for_room: list[Callable[[], None]] = []
        remembered = spool.remembered()
        self._begin_from(remembered)
        self._unread: dict[RuleKey, StateDict] | None = remembered.states
        spool.on_lost = self._begin_again
        timeline.on_shift = self._shift

    def apply(self, config: GatewayConfig) -> None:
        """Judge by these limits and watches from the next message on.

        Raises:
            ValueError: one of them contradicts itself; those before stay.
        """
        self.judge.apply(config)
        if self._unread is not None:  # at the start: where those rules stood that still are
            self.judge.load(self._unread.items())
            self._unread = None
        self._keep_states()

    def submit(self, messages: Sequence[Message], settled: Settled, *, is_awaited: bool = False) -> None:
        """Process messages in order; `settled` is called once they are committed, in order of submission.

        It is given an error when the disk does not take them: then they must not be acknowledged. `is_awaited`: their
        sender waits for that before it sends the next.
        """
        if self._spool.failed is not None:
            settled(self._spool.failed)
            return
        group, now_ms = self._spool.group, self._timeline.now_ms()
        alarms: list[AlarmEvent] = []
        for message in messages:
            self._take(message, now_ms, alarms)
        count = len(messages)
        self._pending += count
        group.messages += count

        def done(error: sqlite3.Error | None) -> None:
            settled(error)
            self._settle(count)

        group.settled.append(done)
        self._tell(alarms, is_awaited=is_awaited)

    def tick(self) -> None:
        """Raise what only time can raise: silence, a door that stays open. To be called every second."""
        alarms = self.judge.tick(self._timeline.now_ms())
        if alarms:
            self._tell(list(alarms))

    def reset(self, rule: str) -> None:
        """A person has looked: the latched alarm of a rule may end. Raises ValueError when no rule is called so."""
        self._tell(list(self.judge.reset(rule, self._timeline.now_ms())))

    @property
    def is_full(self) -> bool:
        """Whether sources must stop reading until `when_room` calls them back."""
        return self._pending >= self._max_pending

    def when_room(self, callback: Callable[[], None]) -> None:
        """Call back, once, when half of the room is free again."""
        self._waiting_for_room.append(callback)

    async def drained(self) -> None:
        """Wait until all that was submitted is committed."""
        await self._spool.submit(lambda _: None)

    # the steps

    def _take(self, message: Message, now_ms: int, alarms: list[AlarmEvent]) -> None:
        decoded = self._read(message, now_ms)
        decoded = self._validate(decoded, now_ms)
        decoded = self._deduplicate(decoded)
        self._judge(decoded.measurements, alarms)
        self._store(message, decoded, now_ms)

    def _read(self, message: Message, now_ms: int) -> Decoded:
        """Bytes -> measurements; what cannot be read becomes a problem."""
        if message.problem:
            return Decoded(problems=(message.problem,))
        try:
            return self._decode(message.topic, message.payload, now_ms, self._known)
        except DecodeError as error:
            return Decoded(problems=(str(error),))

    def _validate(self, decoded: Decoded, now_ms: int) -> Decoded:
        """Not a number -> problem; neither plausible nor credible -> suspect. As a rule all is well."""
        for measurement in decoded.measurements:
            low, high = PLAUSIBLE.get(measurement.quantity, _ANY)
            if not (low <= measurement.value <= high and abs(measurement.value) <= _FINITE) or (
                measurement.time_source == "device"
            ):
                break
        else:
            if not decoded.sightings and not decoded.weighings:
                return decoded
        measurements, problems = [], list(decoded.problems)
        for measurement in decoded.measurements:
            if not math.isfinite(measurement.value):
                problems.append(f"{measurement.quantity}: {measurement.value} is no finite number")
                continue
            low, high = PLAUSIBLE.get(measurement.quantity, _ANY)
            if not low <= measurement.value <= high and measurement.quality == "good":
                measurement = msgspec.structs.replace(measurement, quality="suspect")
            measurements.append(self._in_time(measurement, now_ms))
        return msgspec.structs.replace(
            decoded,
            measurements=tuple(measurements),
            problems=tuple(problems),
            sightings=tuple(Sighting(self._in_time(seen.read, now_ms), seen.identity) for seen in decoded.sightings),
            weighings=tuple(self._in_time(weighing, now_ms) for weighing in decoded.weighings),
        )

    def _in_time(self, row: Timed, now_ms: int) -> Timed:
        """The row as it is, or, when its device's clock cannot be right or be checked, at the time of receipt."""
        if row.time_source == "gateway":
            return row
        if not self._timeline.is_trusted:
            return msgspec.structs.replace(row, recorded_at_ms=now_ms, time_source="gateway")
        if device_time.is_credible(row.recorded_at_ms, now_ms):
            return row
        quality = "suspect" if row.quality == "good" else row.quality
        return msgspec.structs.replace(row, recorded_at_ms=now_ms, time_source="gateway", quality=quality)

    def _deduplicate(self, decoded: Decoded) -> Decoded:
        """Drop what the sensor itself numbers as a repeat; nothing is ever dropped for saying the same again."""
        if decoded.identity is not None and not self._is_new(decoded.identity):
            return Decoded()
        if decoded.sightings:
            new = tuple(seen for seen in decoded.sightings if seen.identity is None or self._is_new(seen.identity))
            return msgspec.structs.replace(decoded, sightings=new)
        return decoded

    def _judge(self, measurements: Sequence[Measurement], alarms: list[AlarmEvent]) -> None:
        """Compare with the rules; where each stands is kept with the rows."""
        judge = self.judge.judge
        for row in measurements:
            events = judge(row.sensor, row.quantity, row.value, row.recorded_at_ms, row.quality)
            if events:
                alarms += events

    def _store(self, message: Message, decoded: Decoded, now_ms: int) -> None:
        """Put rows, what was learned and the dead letter into the group."""
        group = self._spool.group
        readings, numbers, last_heard = group.readings, self._numbers, self.last_heard
        series, times_ms, values, flags = readings.series, readings.times_ms, readings.values, readings.flags
        for row in decoded.measurements:
            number = numbers.get((row.sensor, row.quantity, row.unit))
            if number is None:
                number = self._number((row.sensor, row.quantity, row.unit))
                if number is None:
                    decoded = msgspec.structs.replace(decoded, problems=(*decoded.problems, _TOO_MANY_SERIES))
                    break
            series.append(number)
            times_ms.append(row.recorded_at_ms)
            values.append(row.value)
            flags.append(QUALITY_FLAGS[row.quality] + SOURCE_FLAGS[row.time_source])
            last_heard[row.sensor] = now_ms
        if decoded.sightings:
            group.events.setdefault("tags", []).extend(seen.read for seen in decoded.sightings)
            last_heard[decoded.sightings[0].read.reader] = now_ms
        if decoded.weighings:
            group.events.setdefault("weights", []).extend(decoded.weighings)
            last_heard[decoded.weighings[0].scale] = now_ms
        if decoded.learned:
            self._learn(decoded.learned)
        for request in decoded.requests:
            self._publish(request.topic, request.payload)
        if decoded.problems:
            self.dead_letters += 1
            reason = "; ".join(decoded.problems)[:500]
            group.dead_letters.append(
                DeadLetter("sensor", message.topic, message.payload[:_LETTER_BYTES], now_ms, reason)
            )

    # what is remembered

    def _begin_from(self, remembered: Remembered) -> None:
        self._numbers: dict[SeriesKey, int] = {key: number for number, key in enumerate(remembered.series)}
        self._identities = dict.fromkeys(remembered.identities)
        self._known = dict(remembered.known)

    def _begin_again(self, remembered: Remembered) -> None:
        self._begin_from(remembered)
        if self._unread is None:
            self.judge.load(remembered.states.items())
        self._on_alarms(())

    def _number(self, key: SeriesKey) -> int | None:
        """A number for a series that was never heard before; None when there are too many."""
        if len(self._numbers) >= MAX_SERIES:
            return None
        self._numbers[key] = number = self._spool.number_of(key)
        return number

    def _learn(self, facts: Mapping[str, str]) -> None:
        """Remember facts; of those that are new, as many as there is room for."""
        room = MAX_KNOWN - len(self._known)
        kept = {key: value for number, (key, value) in enumerate(facts.items()) if key in self._known or number < room}
        self._known.update(kept)
        self._spool.group.known.update(kept)

    def _is_new(self, identity: str) -> bool:
        number = int.from_bytes(blake2b(identity.encode(), digest_size=8).digest(), "big", signed=True)
        if number in self._identities:
            return False
        if len(self._identities) >= MAX_IDENTITIES:
            del self._identities[next(iter(self._identities))]
        self._identities[number] = None
        self._spool.group.identities.append(number)
        return True

    def _shift(self, delta_ms: int, since_ms: int) -> None:
        self.judge.shift(delta_ms, since_ms)
        self._keep_states()

    def _keep_states(self) -> None:
        states = self.judge.changed()
        if states:
            self._spool.group.states += states
            self._spool.wake()

    def _tell(self, alarms: list[AlarmEvent], *, is_awaited: bool = False) -> None:
        group = self._spool.group
        states = self.judge.changed()
        if states:
            group.states += states
        if alarms:
            group.events.setdefault("alarms", []).extend(alarms)
            self._on_alarms(alarms)
        self._spool.wake(is_urgent=bool(alarms), is_awaited=is_awaited)

    def _settle(self, messages: int) -> None:
        self._pending -= messages
        if self._waiting_for_room and self._pending <= self._max_pending // 2:
            waiting, self._waiting_for_room = self._waiting_for_room, []
            for callback in waiting:
                callback()


_TOO_MANY_SERIES = f"the gateway knows {MAX_SERIES} series already: sensors must not change their names"
