"""What the gateway itself does about alarms, with the cloud or without: a buzzer at a pin, a message on a topic.

An output is on while a rule that it is for is active; a latched one until its reset. With `cloud_silent_s` it is also
on when the cloud has not been heard for so long. All is called on the event loop, right after judging and before the
commit: a pin is switched within microseconds, a message goes into a socket's buffer.

A topic gets, retained, whenever its alarms change (and again while nobody has taken it):

    {"active": true, "cloud_silent": false, "alarms": [{"sensor": "z2m:cold-room-1", "quantity": "temperature",
     "rule": "too-warm", "kind": "high", "started_at_ms": 1768471950000}]}

Pins are `gpiozero`'s (`pip install 'coldfleet[gpio]'`), which is imported when the first one is configured: that takes
a tenth of a second and 11 MB. Where there is no such pin the gateway warns once and works on without.
"""

import asyncio
import importlib
import logging
import sys
import warnings
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Protocol

import msgspec

from gateway.alarms.judging import ActiveAlarm
from gateway.contract import OutputConfig

log = logging.getLogger(__name__)

_BEAT_S = 0.5

#: of the gateway's own drivers those whose errors are no kind of gpiozero's
_DRIVERS = ("lgpio", "pigpio")


class _Pin(Protocol):
    def on(self) -> None: ...
    def off(self) -> None: ...
    def close(self) -> None: ...


class _Alarm(msgspec.Struct, frozen=True):
    sensor: str
    quantity: str
    rule: str
    kind: str
    started_at_ms: int


class _Shown(msgspec.Struct, frozen=True):
    """What a topic is told."""

    active: bool
    cloud_silent: bool
    alarms: list[_Alarm]


class _Topic:
    """A topic of the gateway's own listener or of the site's broker."""

    warning = ""

    def __init__(self, name: str, publish: Callable[[str, bytes], int]) -> None:
        self._name = name
        self._publish = publish

    def tell(self, shown: _Shown) -> bool:
        """Whether anybody has taken it."""
        return self._publish(self._name, msgspec.json.encode(shown)) > 0

    def close(self) -> None:
        """Nothing is held."""


class _Switch:
    """A pin, if there is one."""

    def __init__(self, name: str) -> None:
        #: why nothing is switched
        self.warning = ""
        self._name = name
        self._pin: _Pin | None = None
        self._errors: tuple[type[BaseException], ...] = ()
        try:
            gpiozero = importlib.import_module("gpiozero")
        except ImportError:
            self._warn("gpiozero is not installed: pip install 'coldfleet[gpio]'")
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it tells of every driver that it tries
                self._pin = gpiozero.DigitalOutputDevice(name)
        except _pin_errors(gpiozero) as error:
            self._warn(f"{error}: correct the output's target, or free the pin")
        self._errors = _pin_errors(gpiozero)

    def tell(self, shown: _Shown) -> bool:
        """Whether there is no more to be done."""
        if self._pin is None:
            return True
        try:
            (self._pin.on if shown.active else self._pin.off)()
        except self._errors as error:
            self._warn(f"{error}: free the pin")
            return False
        self.warning = ""
        return True

    def close(self) -> None:
        """Free the pin, which goes quiet with that."""
        if self._pin is not None:
            self._pin.close()

    def _warn(self, why: str) -> None:
        warning = f"output {self._name} does nothing: {why}"
        if warning != self.warning:
            self.warning = warning
            log.warning(warning)


class _Output:
    """A target and what it knows."""

    def __init__(self, config: OutputConfig, publish: Callable[[str, bytes], int]) -> None:
        self.config = config
        self.target = _Switch(config.target) if config.kind == "gpio" else _Topic(config.target, publish)
        self._shown: _Shown | None = None

    def show(self, shown: _Shown) -> None:
        """Tell it, unless it knows."""
        if shown != self._shown:
            self._shown = shown if self.target.tell(shown) else None

    def blink(self, *, is_on: bool) -> None:
        """Unless an alarm is shown."""
        if self._shown is None or not self._shown.active or not self._shown.alarms:
            self.show(_Shown(active=is_on, cloud_silent=False, alarms=[]))


class Outputs:
    """All of a gateway's outputs. Lives on the event loop."""

    def __init__(self, configs: Sequence[OutputConfig], publish: Callable[[str, bytes], int]) -> None:
        """`publish` sends a retained message, and tells how many have taken it.

        Raises:
            ValueError: as `apply`.
        """
        self._publish = publish
        self._outputs: dict[tuple[str, str], _Output] = {}
        self._active: Sequence[ActiveAlarm] = ()
        self._now_s: float | None = None
        self._cloud_heard_s: float | None = None
        self.apply(configs)

    @property
    def warnings(self) -> list[str]:
        """What the operator should look into."""
        return [output.target.warning for output in self._outputs.values() if output.target.warning]

    def apply(self, configs: Sequence[OutputConfig]) -> None:
        """Have these outputs from now on; those that go are switched off. Nothing is shown before `show` or `tick`.

        Raises:
            ValueError: two outputs have one target, or a topic is none; the outputs before stay.
        """
        _check(configs)
        before, self._outputs = self._outputs, {}
        wanted = {(config.kind, config.target): config for config in configs}
        for key, output in before.items():
            if key not in wanted:
                output.show(_Shown(active=False, cloud_silent=False, alarms=[]))
                output.target.close()
        for key, config in wanted.items():
            output = before.get(key) or _Output(config, self._publish)
            output.config = config
            self._outputs[key] = output

    def show(self, active: Sequence[ActiveAlarm]) -> None:
        """These alarms are active now. To be called after every change, and once at the start."""
        self._active = active
        self._update()

    def note_cloud(self, at_s: float) -> None:
        """The cloud has answered. Seconds of a clock that never goes back."""
        self._cloud_heard_s = at_s
        self.tick(at_s)

    async def blink(self, seconds: float) -> None:
        """Let the box be found: on and off twice a second, but for what shows an alarm already."""
        for beat in range(round(seconds / _BEAT_S)):
            for output in self._outputs.values():
                output.blink(is_on=beat % 2 == 0)
            await asyncio.sleep(_BEAT_S)
        self._update()

    def tick(self, now_s: float) -> None:
        """Notice the cloud's silence, and tell again what was not taken. To be called once a second."""
        self._now_s = now_s
        if self._cloud_heard_s is None:
            self._cloud_heard_s = now_s  # nobody was listening before
        self._update()

    def close(self) -> None:
        """Let go of the pins: they go quiet. Topics keep what they were told last."""
        for output in self._outputs.values():
            output.target.close()

    def _update(self) -> None:
        for output in self._outputs.values():
            ids = output.config.rules
            alarms = [
                _Alarm(alarm.sensor, alarm.quantity, alarm.rule, alarm.kind, alarm.started_at_ms)
                for alarm in self._active
                if not ids or alarm.rule in ids
            ]
            cloud_silent = self._is_cloud_silent(output.config.cloud_silent_s)
            output.show(_Shown(bool(alarms) or cloud_silent, cloud_silent, alarms))

    def _is_cloud_silent(self, after_s: float | None) -> bool:
        if after_s is None or self._now_s is None or self._cloud_heard_s is None:
            return False
        return self._now_s - self._cloud_heard_s >= after_s


def _check(configs: Sequence[OutputConfig]) -> None:
    targets = [(config.kind, config.target) for config in configs]
    for config in configs:
        if targets.count((config.kind, config.target)) > 1:
            raise ValueError(f"output {config.target} is there twice: one entry names all of its rules")
        if config.kind == "mqtt" and (not config.target or set("+#\0") & set(config.target)):
            raise ValueError(f"output {config.target!r} is no topic to publish to: a name without + and #")


def _pin_errors(gpiozero: ModuleType) -> tuple[type[BaseException], ...]:
    drivers = [sys.modules[name].error for name in _DRIVERS if name in sys.modules]
    return (gpiozero.GPIOZeroError, ImportError, OSError, RuntimeError, *drivers)
