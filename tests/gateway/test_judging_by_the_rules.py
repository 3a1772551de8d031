"""Whatever happens, the judge in memory says what the pure rules say."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from hypothesis.stateful import rule as step

from gateway import rules
from gateway.alarms.judging import Judge, Key
from gateway.contract import AlarmEvent, GatewayConfig, LimitConfig, PauseConfig, Quality, WatchConfig
from gateway.rules import Event, Limit, Pause, Raised, Rule, State, StateDict, Watch
from tests.gateway.judged import written

NOON_MS = 1_768_471_950_000

#: small numbers, so that readings meet bounds, ticks meet readings and pauses begin in between
WORLD = [
    LimitConfig("high", "a", "t", "high", 8.0, 7.0, 2.0, offset=0.5, gain=1.25),
    LimitConfig("latched", "a", "t", "high", 6.0, 4.0, 0.0, latched=True),
    LimitConfig("low", "b", "t", "low", 0.0, 1.0, 1.0, offset=-1.0, gain=0.5),
    LimitConfig("door", "b", "t", "high", 5.0, 5.0, 1.5, holds=True),
    LimitConfig("latched-door", "b", "t", "high", 5.0, 4.0, 1.5, holds=True, latched=True),
]
WATCHES = [
    WatchConfig("silent", "a", "t", "silent", 2.0),
    WatchConfig("latched-silent", "b", "t", "silent", 3.0, latched=True),
    WatchConfig("rising", "b", "t", "rising", 4.0, 3.0),
    WatchConfig("falling", "a", "t", "falling", 4.0, 3.0, latched=True, gain=2.0),
]
PAUSES = [
    PauseConfig("a", "t", ["high", "falling"], NOON_MS + 3000, 2.0, every_s=9.0),
    PauseConfig("a", "t", ["latched"], NOON_MS, 3.0, every_s=7.0, relax_by=2.0),
    PauseConfig("b", "t", [], NOON_MS + 2000, 3.0, every_s=8.0),
]
CONFIGS = [
    GatewayConfig(1, WORLD, watches=WATCHES, pauses=PAUSES),
    GatewayConfig(2, WORLD, watches=WATCHES),
    GatewayConfig(3, [*WORLD[2:], msgspec.structs.replace(WORLD[0], set_at=7.5, clear_at=3.0)], watches=WATCHES[1:]),
]
Told = tuple[Key, str, str, float, int, int]


def shifted(alarm: AlarmEvent, delta_ms: int, since_ms: int) -> AlarmEvent:
    """An alarm that has not been sent yet, on a repaired time line: its incident is that of the repaired beginning."""
    started_at_ms, at_ms = (
        moment + delta_ms if moment >= since_ms else moment for moment in (alarm.started_at_ms, alarm.recorded_at_ms)
    )
    incident = rules.incident_key(alarm.sensor, alarm.quantity, alarm.rule, started_at_ms)
    return msgspec.structs.replace(alarm, started_at_ms=started_at_ms, recorded_at_ms=at_ms, incident=incident)


class _Pure:
    """The same rules by nothing but the pure functions."""

    def __init__(self, config: GatewayConfig) -> None:
        self.states: dict[Key, State] = {}
        self.rules: dict[Key, tuple[Rule, tuple[float, float], list[Pause]]] = {}
        self.now_ms = 0
        self.apply(config)

    def apply(self, config: GatewayConfig) -> None:
        self.rules = {}
        for limit in config.limits:
            bounds = (limit.kind, limit.set_at, limit.clear_at, limit.duration_s, limit.holds, limit.latched)
            self._add(config, limit.sensor, Limit(limit.rule, *bounds), (limit.gain, limit.offset))
        for told in config.watches:
            watch = Watch(told.rule, told.kind, told.duration_s, told.change, told.latched)
            self._add(config, told.sensor, watch, (told.gain, 0.0))
        self.states = {key: self.states.get(key, State()) for key in self.rules}

    def _add(self, config: GatewayConfig, sensor: str, rule: Rule, calibration: tuple[float, float]) -> None:
        pauses = [
            Pause(pause.starts_at_ms, pause.duration_s, pause.every_s, pause.relax_by)
            for pause in config.pauses
            if pause.sensor == sensor and (not pause.rules or rule.rule in pause.rules)
        ]
        self.rules[sensor, "t", rule.rule] = (rule, calibration, pauses)

    def read(self, sensor: str, value: float, at_ms: int) -> list[Told]:
        told: list[Told] = []
        of_sensor = [(key, *found) for key, found in self.rules.items() if key[0] == sensor]
        for key, rule, (gain, offset), pauses in sorted(of_sensor, key=lambda found: found[1].kind == "silent"):
            if isinstance(rule, Limit):
                outcome = rules.judge(rule, self.states[key], at_ms, value * gain + offset, pauses)
            elif rule.kind == "silent":
                outcome = rules.hear(rule, self.states[key], max(at_ms, self.now_ms))
            else:
                outcome = rules.follow(rule, self.states[key], at_ms, value * gain, pauses)
            told += self._note(key, rule, *outcome)
        return told

    def tick(self, now_ms: int) -> list[Told]:
        self.now_ms = now_ms
        return [
            told
            for key, (rule, _, pauses) in self.rules.items()
            for told in self._note(key, rule, *rules.tick(rule, self.states[key], now_ms, pauses))
        ]

    def reset(self, rule_id: str, at_ms: int) -> list[Told]:
        return [
            told
            for key, (rule, _, _) in self.rules.items()
            if rule.rule == rule_id
            for told in self._note(key, rule, *rules.reset(rule, self.states[key], at_ms))
        ]

    def load(self, disk: dict[Key, StateDict], *, is_new_process: bool) -> None:
        for key, (rule, _, _) in self.rules.items():
            heard_ms = None if is_new_process else self.states[key].last_at_ms
            state = State.from_dict(disk[key]) if key in disk else State()
            self.states[key] = replace(state, last_at_ms=heard_ms) if rule.kind == "silent" else state
        if is_new_process:
            self.now_ms = 0

    def shift(self, delta_ms: int, since_ms: int) -> None:
        self.states = {key: state.shifted(delta_ms, since_ms) for key, state in self.states.items()}
        self.now_ms += delta_ms if self.now_ms >= since_ms else 0

    def _note(self, key: Key, rule: Rule, state: State, event: Event | None) -> list[Told]:
        self.states[key] = state
        if event is None:
            return []
        name = "raised" if isinstance(event, Raised) else "cleared"
        return [(key, rule.kind, name, event.value, event.started_at_ms, event.at_ms)]


def told(alarms: Sequence[AlarmEvent]) -> list[Told]:
    for alarm in alarms:
        key = (alarm.sensor, alarm.quantity, alarm.rule)
        assert alarm.incident == rules.incident_key(*key, alarm.started_at_ms)
    return [
        (
            (alarm.sensor, alarm.quantity, alarm.rule),
            alarm.kind,
            alarm.event,
            alarm.value,
            alarm.started_at_ms,
            alarm.recorded_at_ms,
        )
        for alarm in alarms
    ]


class JudgeAgainstRules(RuleBasedStateMachine):
    @initialize(number=st.integers(0, 2))
    def start(self, number: int) -> None:
        self.config = CONFIGS[number]
        self.judge, self.pure = Judge(self.config), _Pure(self.config)
        self.disk: dict[Key, StateDict] = {}
        self.now_ms = self.started_ms = NOON_MS

    @step(
        sensor=st.sampled_from("ab"),
        steps=st.lists(st.tuples(st.integers(0, 900), st.integers(-3, 22)), min_size=1, max_size=12),
    )
    def read(self, sensor: str, steps: list[tuple[int, int]]) -> None:
        for step_ms, halves in steps:
            self.now_ms += step_ms
            alarms = self.judge.judge(sensor, "t", halves / 2, self.now_ms)
            assert told(alarms) == self.pure.read(sensor, halves / 2, self.now_ms)

    @step(sensor=st.sampled_from("ab"), behind_ms=st.integers(-500, 30_000), halves=st.integers(-3, 22))
    def read_by_another_clock(self, sensor: str, behind_ms: int, halves: int) -> None:
        alarms = self.judge.judge(sensor, "t", halves / 2, self.now_ms - behind_ms)
        assert told(alarms) == self.pure.read(sensor, halves / 2, self.now_ms - behind_ms)

    @step(sensor=st.sampled_from("ab"), value=st.sampled_from([float("nan"), float("inf"), 99.0]))
    def read_nothing_good(self, sensor: str, value: float) -> None:
        quality: Quality = "bad" if value == 99.0 else "good"
        assert self.judge.judge(sensor, "t", value, self.now_ms, quality) == ()

    @step(steps=st.lists(st.integers(0, 3000), min_size=1, max_size=5))
    def tick(self, steps: list[int]) -> None:
        for step_ms in steps:
            self.now_ms += step_ms
            assert told(self.judge.tick(self.now_ms)) == self.pure.tick(self.now_ms)

    @step(rule_id=st.sampled_from(["latched", "latched-door", "latched-silent", "falling", "low"]))
    def reset(self, rule_id: str) -> None:
        if any(rule.rule == rule_id for rule, _, _ in self.pure.rules.values()):
            assert told(self.judge.reset(rule_id, self.now_ms)) == self.pure.reset(rule_id, self.now_ms)

    @step()
    def commit(self) -> None:
        written(self.judge, self.disk)
        for key, state in self.pure.states.items():
            kept = State.from_dict(self.disk[key]) if key in self.disk else State()
            assert replace(kept, last_at_ms=None, window=()) == replace(state, last_at_ms=None, window=())

    @step()
    def the_disk_refuses(self) -> None:
        self.judge.changed()
        self.judge.load(self.disk.items())
        self.pure.load(self.disk, is_new_process=False)

    @step(off_ms=st.integers(1, 60_000))
    def restart(self, off_ms: int) -> None:
        self.judge = Judge(self.config)
        self.judge.load(self.disk.items())
        self.pure.load(self.disk, is_new_process=True)
        self.now_ms += off_ms
        self.started_ms = self.now_ms

    @step(delta_ms=st.integers(-(10**9), 10**9) | st.integers(-5000, 5000))
    def repair_the_clock(self, delta_ms: int) -> None:
        self.judge.shift(delta_ms, self.started_ms)
        self.pure.shift(delta_ms, self.started_ms)
        self.now_ms += delta_ms
        self.started_ms += delta_ms

    @step(number=st.integers(0, 2))
    def configure(self, number: int) -> None:
        self.commit()
        self.config = CONFIGS[number]
        self.judge.apply(self.config)
        self.pure.apply(self.config)
        written(self.judge, self.disk)
        assert set(self.disk) <= set(self.pure.rules)

    @invariant()
    def the_active_alarms_are_the_same(self) -> None:
        if not hasattr(self, "judge"):
            return
        active = {(alarm.sensor, alarm.quantity, alarm.rule): alarm for alarm in self.judge.active()}
        states = {key: state for key, state in self.pure.states.items() if state.phase == "active"}
        assert {key: (alarm.started_at_ms, alarm.peak) for key, alarm in active.items()} == {
            key: (state.started_at_ms, state.peak) for key, state in states.items()
        }


TestJudgeAgainstRules = JudgeAgainstRules.TestCase
TestJudgeAgainstRules.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@given(
    st.sampled_from(["rising", "falling"]), st.lists(st.tuples(st.integers(0, 400), st.integers(-6, 6)), max_size=80)
)
def test_a_change_is_found_in_memory_as_by_the_rules(kind: rules.WatchKind, steps: list[tuple[int, int]]) -> None:
    judge = Judge(GatewayConfig(1, [], watches=[WatchConfig("r", "a", "t", kind, 1.6, 4.0)]))
    watch, state, at_ms = Watch("r", kind, 1.6, 4.0), State(), NOON_MS
    for step_ms, value in steps:
        at_ms += step_ms
        state, event = rules.follow(watch, state, at_ms, value)
        found = [(alarm.event == "raised", alarm.value) for alarm in judge.judge("a", "t", value, at_ms)]
        assert found == ([] if event is None else [(isinstance(event, Raised), event.value)])


_walks = st.lists(
    st.tuples(st.sampled_from(["a", "b", "tick"]), st.integers(0, 1500), st.integers(-3, 22)), max_size=60
)


def _walk(judge: Judge, walk: Sequence[tuple[str, int, int]], now_ms: int) -> tuple[list[AlarmEvent], int]:
    alarms: list[AlarmEvent] = []
    for who, step_ms, halves in walk:
        now_ms += step_ms
        alarms += judge.tick(now_ms) if who == "tick" else judge.judge(who, "t", halves / 2, now_ms)
    return alarms, now_ms


@given(_walks, _walks, st.sampled_from([-259_200_000, 315_360_000_000, -1, 7000]))
def test_a_clock_that_was_wrong_until_it_was_repaired_makes_no_other_alarms(
    first: list[tuple[str, int, int]], second: list[tuple[str, int, int]], wrong_by_ms: int
) -> None:
    right, wrong = Judge(CONFIGS[1]), Judge(CONFIGS[1])
    before, now_ms = _walk(right, first, NOON_MS)
    meanwhile, _ = _walk(wrong, first, NOON_MS + wrong_by_ms)
    assert [shifted(alarm, -wrong_by_ms, NOON_MS + wrong_by_ms) for alarm in meanwhile] == before
    wrong.shift(-wrong_by_ms, NOON_MS + wrong_by_ms)
    assert wrong.active() == right.active()
    assert _walk(wrong, second, now_ms) == _walk(right, second, now_ms)
