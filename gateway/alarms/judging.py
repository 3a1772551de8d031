"""Every rule of every series, and where each stands: what the pipeline shows its readings to.

`rules` says what happens; `quiet` says when nothing can, which is nearly always, and costs two comparisons a rule. All
states are in memory. What must outlive the process goes to disk with the very rows that changed it (`changed`), and is
read back (`load`) when the process starts, or when the disk has refused a group: what was judged in memory is then
forgotten, and judged again when the sensors send it again.

Saved is a state whose phase, beginning, peak, held value or latch has changed. A newer `last_at_ms` alone is not worth
a page on the disk for every reading; it is saved once an hour (with the values a rise is measured from: every ten
minutes), so that history that comes late, and again after a restart, is known for what it is up to then. When a silent
sensor was heard is never saved: after a restart nobody was listening, and silence is counted from the first tick.

Readings of quality `bad` and values that are not finite are neither judged nor heard: a sensor that sends nothing but
errors is silent.
"""

import logging
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import msgspec

from gateway import rules
from gateway.alarms.quiet import quiet
from gateway.contract import AlarmEvent, AlarmKind, GatewayConfig, Quality
from gateway.rules import FAR_MS, Event, Limit, Outcome, Pause, Rule, State, StateDict, Watch

log = logging.getLogger(__name__)

#: sensor, quantity, rule
Key = tuple[str, str, str]

_NEVER_MS = -FAR_MS
_SAVE_LIMIT_EVERY_MS = 3_600_000
_SAVE_CHANGE_EVERY_MS = 600_000


class ActiveAlarm(msgspec.Struct, frozen=True):
    """A rule that is broken now, or was and waits for its reset."""

    sensor: str
    quantity: str
    rule: str
    started_at_ms: int
    #: worst value so far; of watches the change, or the silence in seconds when it was raised
    peak: float
    kind: AlarmKind


class _Standing:
    """One rule of one series, and where it stands. Changed in place: a copy a reading would cost more than judging."""

    __slots__ = (
        "due_ms",
        "gain",
        "high",
        "key",
        "last_at_ms",
        "low",
        "offset",
        "pauses",
        "rule",
        "save_at_ms",
        "state",
        "step",
        "until_ms",
    )

    def __init__(self, key: Key, rule: Rule, calibration: tuple[float, float], pauses: tuple[Pause, ...]) -> None:
        self.key = key
        self.rule = rule
        self.gain, self.offset = calibration
        self.pauses = pauses
        self.step = _step_of(rule)
        #: when the newest reading alone makes the state worth saving
        self.save_at_ms = _NEVER_MS if rule.kind != "silent" else FAR_MS
        self.take(State())

    def take(self, state: State) -> None:
        """Stand there."""
        self.state = state
        self.last_at_ms = _NEVER_MS if state.last_at_ms is None else state.last_at_ms
        self.low, self.high, until_ms, self.due_ms = quiet(self.rule, state, self.pauses)
        self.until_ms = min(until_ms, self.save_at_ms)

    def current(self) -> State:
        """The state, its time brought up to date."""
        last_at_ms = None if self.last_at_ms == _NEVER_MS else self.last_at_ms
        return self.state if self.state.last_at_ms == last_at_ms else replace(self.state, last_at_ms=last_at_ms)

    def restore(self, state: State, *, is_saved: bool) -> None:
        """Stand where the disk, or the configuration before, says; but what was heard has been heard."""
        if self.rule.kind == "silent":
            state = replace(state, last_at_ms=None if self.last_at_ms == _NEVER_MS else self.last_at_ms)
        elif is_saved:
            self.put_off_saving(state)
        else:
            self.save_at_ms = _NEVER_MS
        self.take(state)

    def put_off_saving(self, state: State) -> None:
        """The state is saved; readings alone need not be for a while."""
        if self.rule.kind != "silent" and state.last_at_ms is not None:
            every_ms = _SAVE_LIMIT_EVERY_MS if isinstance(self.rule, Limit) else _SAVE_CHANGE_EVERY_MS
            self.save_at_ms = state.last_at_ms + every_ms


class _Series:
    __slots__ = ("judges", "listeners")

    def __init__(self) -> None:
        #: rules that a reading's value decides
        self.judges: list[_Standing] = []
        #: rules that only want to hear of it
        self.listeners: list[_Standing] = []


class Judge:
    """Lives on the event loop; not for two threads."""

    def __init__(self, config: GatewayConfig) -> None:
        """Raises ValueError when a limit, watch or pause contradicts itself."""
        self._standings: dict[Key, _Standing] = {}
        self._series: dict[tuple[str, str], _Series] = {}
        self._ticking: list[_Standing] = []
        #: in order of change
        self._unsaved: dict[Key, _Standing | None] = {}
        self._now_ms = _NEVER_MS
        self._due_ms = _NEVER_MS
        self.apply(config)

    # what may raise alarms

    def judge(
        self, sensor: str, quantity: str, value: float, at_ms: int, quality: Quality = "good"
    ) -> Sequence[AlarmEvent]:
        """What a reading brings about, as the sensor sent it: it is calibrated here."""
        series = self._series.get((sensor, quantity))
        if series is None or quality == "bad":
            return ()
        alarms: Sequence[AlarmEvent] = ()
        for standing in series.judges:
            calibrated = value * standing.gain + standing.offset
            if standing.low <= calibrated <= standing.high and standing.last_at_ms <= at_ms < standing.until_ms:
                standing.last_at_ms = at_ms
            elif math.isfinite(calibrated):  # of finite numbers it may be none
                before = standing.current()
                after, event = standing.step(standing.rule, before, at_ms, calibrated, standing.pauses)
                alarms = self._follow_up(standing, before, after, event, alarms)
        if series.listeners and math.isfinite(value):
            alarms = self._hear(series.listeners, at_ms, alarms)
        return alarms

    def tick(self, now_ms: int) -> Sequence[AlarmEvent]:
        """What the time alone brings about: silence, and values that hold. To be called once a second."""
        self._now_ms = now_ms
        alarms: Sequence[AlarmEvent] = ()
        if now_ms < self._due_ms:
            return alarms
        for standing in self._ticking:
            if standing.due_ms <= now_ms:
                before = standing.current()
                after, event = rules.tick(standing.rule, before, now_ms, standing.pauses)
                alarms = self._follow_up(standing, before, after, event, alarms)
        self._due_ms = min((standing.due_ms for standing in self._ticking), default=FAR_MS)
        return alarms

    def reset(self, rule: str, at_ms: int) -> Sequence[AlarmEvent]:
        """A person takes the latch off, at every series that has the rule.

        Raises:
            ValueError: no series has it.
        """
        standings = [standing for standing in self._standings.values() if standing.rule.rule == rule]
        if not standings:
            raise ValueError(f"rule {rule} is not known here: no limit and no watch of this gateway has that id")
        alarms: Sequence[AlarmEvent] = ()
        for standing in standings:
            before = standing.current()
            after, event = rules.reset(standing.rule, before, at_ms)
            alarms = self._follow_up(standing, before, after, event, alarms)
        return alarms

    def active(self) -> list[ActiveAlarm]:
        """The alarms that are raised now, in the configuration's order."""
        found = []
        for standing in self._standings.values():
            state = standing.state
            if state.phase == "active" and state.started_at_ms is not None and state.peak is not None:
                found.append(ActiveAlarm(*standing.key, state.started_at_ms, state.peak, standing.rule.kind))
        return found

    # what outlives the process

    def changed(self) -> list[tuple[Key, StateDict | None]]:
        """What to save, in the transaction of the readings judged since the last call. None: to be deleted."""
        unsaved, self._unsaved = self._unsaved, {}
        return [(key, None if standing is None else standing.current().to_dict()) for key, standing in unsaved.items()]

    def load(self, saved: Iterable[tuple[Key, StateDict]]) -> None:
        """Stand where the disk says, and nowhere else. What cannot be read begins anew, and the log says so."""
        found = {}
        self._unsaved = {}
        for key, told in saved:
            if key not in self._standings:
                self._unsaved[key] = None
                continue
            try:
                found[key] = State.from_dict(msgspec.convert(told, StateDict))
            except msgspec.ValidationError as error:
                log.warning("alarm state of %s cannot be read (%s): judged anew", "/".join(key), error)
        for key, standing in self._standings.items():
            standing.restore(found.get(key, State()), is_saved=key in found)
        self._due_ms = _NEVER_MS

    def apply(self, config: GatewayConfig) -> None:
        """Judge by these rules from now on. A rule that stays, with its kind, stays where it stands.

        Raises:
            ValueError: a limit, watch or pause contradicts itself; the rules before stay.
        """
        standings = _standings_of(config)
        for key, before in self._standings.items():
            now = standings.get(key)
            if now is not None and now.rule.kind == before.rule.kind:
                now.save_at_ms, now.last_at_ms = before.save_at_ms, before.last_at_ms
                now.take(before.current())
                if self._unsaved.get(key):
                    self._unsaved[key] = now
            else:
                self._unsaved[key] = None
        self._standings = standings
        self._series = {}
        for (sensor, quantity, _), standing in standings.items():
            series = self._series.setdefault((sensor, quantity), _Series())
            (series.listeners if standing.rule.kind == "silent" else series.judges).append(standing)
        self._ticking = [standing for standing in standings.values() if _ticks(standing.rule)]
        self._due_ms = _NEVER_MS

    def shift(self, delta_ms: int, since_ms: int) -> None:
        """The gateway's time was wrong: what it took for `since_ms` or later was `delta_ms` later."""
        for key, standing in self._standings.items():
            before = standing.current()
            after = before.shifted(delta_ms, since_ms)
            if after != before:
                standing.put_off_saving(after)
                standing.take(after)
                self._unsaved[key] = standing
        if self._now_ms >= since_ms:
            self._now_ms += delta_ms
        self._due_ms = _NEVER_MS

    def _hear(self, listeners: list[_Standing], at_ms: int, alarms: Sequence[AlarmEvent]) -> Sequence[AlarmEvent]:
        # By the gateway's time when the device's is behind: a sensor that sends its history is not silent.
        heard_ms = max(at_ms, self._now_ms)
        for standing in listeners:
            if standing.until_ms == FAR_MS:
                standing.last_at_ms = max(standing.last_at_ms, heard_ms)
            else:
                before = standing.current()
                after, event = standing.step(standing.rule, before, heard_ms)
                alarms = self._follow_up(standing, before, after, event, alarms)
        return alarms

    def _follow_up(
        self, standing: _Standing, before: State, after: State, event: Event | None, alarms: Sequence[AlarmEvent]
    ) -> Sequence[AlarmEvent]:
        """Stand at `after`, remember to save it if it is worth it; the alarms, and the one that `event` makes."""
        if replace(before, last_at_ms=after.last_at_ms, window=after.window) != after or (
            after.last_at_ms is not None and after.last_at_ms >= standing.save_at_ms
        ):
            standing.put_off_saving(after)
            self._unsaved[standing.key] = standing
        standing.take(after)
        self._due_ms = min(self._due_ms, standing.due_ms)
        return alarms if event is None else [*alarms, _alarm(standing, event)]


def _standings_of(config: GatewayConfig) -> dict[Key, _Standing]:
    pauses: dict[tuple[str, str], list[tuple[list[str], Pause]]] = {}
    for told in config.pauses:
        pause = Pause(told.starts_at_ms, told.duration_s, told.every_s, told.relax_by)
        pauses.setdefault((told.sensor, told.quantity), []).append((told.rules, pause))
    standings: dict[Key, _Standing] = {}
    for sensor, quantity, rule, calibration in _rules_of(config):
        key = (sensor, quantity, rule.rule)
        if key in standings:
            raise ValueError(f"rule {rule.rule}: {sensor} has it twice for {quantity}; a rule's id is given once")
        its_pauses = (pause for ids, pause in pauses.get((sensor, quantity), ()) if not ids or rule.rule in ids)
        standings[key] = _Standing(key, rule, calibration, tuple(its_pauses))
    return standings


def _rules_of(config: GatewayConfig) -> Iterable[tuple[str, str, Rule, tuple[float, float]]]:
    """(sensor, quantity, rule, (gain, offset)). An offset changes no change, and nothing changes a silence."""
    for told in config.limits:
        if not math.isfinite(told.offset):
            raise ValueError(f"limit {told.rule}: offset {told.offset} is no finite number")
        _check_gain(f"limit {told.rule}", told.gain)
        bounds = (told.set_at, told.clear_at, told.duration_s)
        limit = Limit(told.rule, told.kind, *bounds, told.holds, told.latched)
        yield told.sensor, told.quantity, limit, (told.gain, told.offset)
    for asked in config.watches:
        _check_gain(f"watch {asked.rule}", asked.gain)
        watch = Watch(asked.rule, asked.kind, asked.duration_s, asked.change, asked.latched)
        yield asked.sensor, asked.quantity, watch, (asked.gain, 0.0)


def _check_gain(whose: str, gain: float) -> None:
    if not 0 < gain < math.inf:
        raise ValueError(f"{whose}: gain {gain} is no positive number")


def _step_of(rule: Rule) -> Callable[..., Outcome]:
    if isinstance(rule, Limit):
        return rules.judge
    return rules.hear if rule.kind == "silent" else rules.follow


def _ticks(rule: Rule) -> bool:
    return rule.holds if isinstance(rule, Limit) else rule.kind == "silent"


def _alarm(standing: _Standing, event: Event) -> AlarmEvent:
    return AlarmEvent(
        sequence=0,  # the spool gives it
        sensor=standing.key[0],
        quantity=standing.key[1],
        rule=standing.key[2],
        kind=standing.rule.kind,
        event="raised" if isinstance(event, rules.Raised) else "cleared",
        incident=rules.incident_key(*standing.key, event.started_at_ms),
        value=event.value,
        started_at_ms=event.started_at_ms,
        recorded_at_ms=event.at_ms,
    )
