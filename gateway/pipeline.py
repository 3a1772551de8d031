"""From a message to rows on disk: five steps, run on the spool's thread inside the transaction that stores it."""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from gateway import decoders, rules
from gateway.contract import AlarmEvent, GatewayConfig, TagRead, Weighing
from gateway.decoders import device_time
from gateway.decoders.decoded import Decode, Decoded, DecodeError, Measurement, Sighting
from gateway.spool import ActiveAlarm, Spool, Store

#: (sensor, quantity) -> its limits, each with the offset that calibrates the raw value
Limits = dict[tuple[str, str], list[tuple[rules.Limit, float]]]

#: outside of these no cold store has ever been: the value is kept and marked
PLAUSIBLE = {
    "temperature": (-90.0, 150.0),
    "humidity": (0.0, 100.0),
    "battery": (0.0, 100.0),
    "pressure": (300.0, 1100.0),
}


Timed = TypeVar("Timed", Measurement, TagRead, Weighing)


class Message(msgspec.Struct, frozen=True, gc=False):
    """What a source received."""

    topic: str
    payload: bytes
    received_at_ms: int


@dataclass(slots=True)
class Work:
    """One message on its way through the steps."""

    message: Message
    store: Store
    decoder: Decode
    limits: Limits
    decoded: Decoded = field(default_factory=Decoded)
    alarms: list[AlarmEvent] = field(default_factory=list)


def decode(work: Work) -> None:
    """Bytes -> measurements; what cannot be read becomes a problem."""
    message = work.message
    try:
        work.decoded = work.decoder(message.topic, message.payload, message.received_at_ms)
    except DecodeError as error:
        work.decoded = Decoded(problems=(str(error),))


def validate(work: Work) -> None:
    """Not a number -> problem; neither plausible nor credible -> suspect."""
    decoded, received_at_ms = work.decoded, work.message.received_at_ms
    measurements, problems = [], list(decoded.problems)
    for measurement in decoded.measurements:
        if not math.isfinite(measurement.value):
            problems.append(f"{measurement.quantity}: {measurement.value} is no finite number")
            continue
        low, high = PLAUSIBLE.get(measurement.quantity, (-math.inf, math.inf))
        if not low <= measurement.value <= high and measurement.quality == "good":
            measurement = msgspec.structs.replace(measurement, quality="suspect")
        measurements.append(_in_time(measurement, received_at_ms))
    work.decoded = Decoded(
        tuple(measurements),
        tuple(problems),
        decoded.identity,
        tuple(Sighting(_in_time(seen.read, received_at_ms), seen.identity) for seen in decoded.sightings),
        tuple(_in_time(weighing, received_at_ms) for weighing in decoded.weighings),
    )


def _in_time(row: Timed, received_at_ms: int) -> Timed:
    """The row as it is, or, when its device's clock cannot be right, at the time of receipt and suspect."""
    if row.time_source == "gateway" or device_time.is_credible(row.recorded_at_ms, received_at_ms):
        return row
    quality = "suspect" if row.quality == "good" else row.quality
    return msgspec.structs.replace(row, recorded_at_ms=received_at_ms, time_source="gateway", quality=quality)


def deduplicate(work: Work) -> None:
    """Drop what the sensor itself numbers as a repeat; nothing is ever dropped for saying the same again."""
    decoded, remember = work.decoded, work.store.remember
    if decoded.identity is not None and not remember(decoded.identity):
        work.decoded = Decoded()
    elif decoded.sightings:
        new = tuple(seen for seen in decoded.sightings if seen.identity is None or remember(seen.identity))
        work.decoded = msgspec.structs.replace(decoded, sightings=new)


def judge(work: Work) -> None:
    """Calibrate, compare with the limits; where each stands is kept with the rows."""
    for measurement in work.decoded.measurements:
        if measurement.quality == "bad":
            continue
        for limit, offset in work.limits.get((measurement.sensor, measurement.quantity), ()):
            calibrated = measurement.value + offset
            if not math.isfinite(calibrated):  # two finite numbers can have an infinite sum
                continue
            series = (measurement.sensor, measurement.quantity, limit.rule)
            state = work.store.alarm_state(*series)
            after, event = rules.judge(limit, state, measurement.recorded_at_ms, calibrated)
            if after != state:
                work.store.save_alarm_state(*series, after)
            if event is not None:
                work.alarms.append(_alarm(measurement, limit, event))


def spool(work: Work) -> None:
    """Put rows, alarms and the dead letter into the transaction."""
    decoded = work.decoded
    work.store.append_readings(decoded.measurements)
    work.store.append_events("tags", [seen.read for seen in decoded.sightings])
    work.store.append_events("weights", decoded.weighings)
    work.store.append_events("alarms", work.alarms)
    if decoded.problems:
        message = work.message
        reason = "; ".join(decoded.problems)
        work.store.add_dead_letter("sensor", message.topic, message.payload, message.received_at_ms, reason)


STEPS = (decode, validate, deduplicate, judge, spool)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of some messages, once committed."""

    rows: int = 0
    dead_letters: int = 0
    alarms: tuple[AlarmEvent, ...] = ()
    #: all limits broken now; told only when `alarms` is not empty
    active: tuple[ActiveAlarm, ...] = ()


class Pipeline:
    """Takes messages from the sources, keeps within its bounds, tells when they are on disk."""

    def __init__(
        self,
        spool: Spool,
        *,
        max_pending: int,
        max_dead_letters: int,
        on_committed: Callable[[Outcome], None],
        decoder: Decode = decoders.decode,
    ) -> None:
        self._spool = spool
        self._max_pending = max_pending
        self._max_dead_letters = max_dead_letters
        self._on_committed = on_committed
        self._decoder = decoder
        self._limits: Limits = {}
        self._pending = 0
        self._waiting_for_room: list[Callable[[], None]] = []

    def apply(self, config: GatewayConfig) -> None:
        """Judge by these limits from the next message on.

        Raises:
            ValueError: a limit contradicts itself; the limits before stay.
        """
        self._limits = limits_of(config)

    def submit(self, messages: Sequence[Message]) -> "asyncio.Future[Outcome]":
        """Process messages in order; the future is done when they are committed, in order of submission.

        The future raises sqlite3.Error when the disk does not take them: they must not be acknowledged.
        """
        limits = self._limits
        future = self._spool.submit(lambda store: self._process(store, messages, limits))
        self._pending += len(messages)
        future.add_done_callback(lambda done: self._settle(done, len(messages)))
        return future

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

    def _process(self, store: Store, messages: Sequence[Message], limits: Limits) -> Outcome:
        rows, dead_letters, alarms = 0, 0, []
        for message in messages:
            work = Work(message, store, self._decoder, limits)
            for step in STEPS:
                step(work)
            rows += work.decoded.rows
            dead_letters += bool(work.decoded.problems)
            alarms += work.alarms
        if dead_letters:
            store.trim_dead_letters(self._max_dead_letters)
        return Outcome(rows, dead_letters, tuple(alarms), tuple(store.active_alarms()) if alarms else ())

    def _settle(self, done: "asyncio.Future[Outcome]", messages: int) -> None:
        self._pending -= messages
        if self._pending <= self._max_pending // 2:
            waiting, self._waiting_for_room = self._waiting_for_room, []
            for callback in waiting:
                callback()
        if not done.cancelled() and done.exception() is None:
            self._on_committed(done.result())


def limits_of(config: GatewayConfig) -> Limits:
    """The limits by series. Raises ValueError when one contradicts itself."""
    limits: Limits = {}
    for told in config.limits:
        if not math.isfinite(told.offset):
            raise ValueError(f"limit {told.rule}: offset {told.offset} is no finite number")
        limit = rules.Limit(told.rule, told.kind, told.set_at, told.clear_at, told.duration_s)
        limits.setdefault((told.sensor, told.quantity), []).append((limit, told.offset))
    return limits


def _alarm(measurement: Measurement, limit: rules.Limit, event: rules.Event) -> AlarmEvent:
    return AlarmEvent(
        sequence=0,  # the spool gives it
        sensor=measurement.sensor,
        quantity=measurement.quantity,
        rule=limit.rule,
        kind=limit.kind,
        event="raised" if isinstance(event, rules.Raised) else "cleared",
        incident=rules.incident_key(measurement.sensor, measurement.quantity, limit.rule, event.started_at_ms),
        value=event.value,
        started_at_ms=event.started_at_ms,
        recorded_at_ms=event.at_ms,
    )
