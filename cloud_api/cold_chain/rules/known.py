"""A rule as judges keep it in memory, and as the pure state machines of `gateway.rules` take it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from cloud_api.cold_chain.rules.allowances import Allowance
from cloud_api.cold_chain.rules.models import AlertRule
from cloud_api.kernel.errors import Invalid
from gateway.contract import PauseConfig
from gateway.rules import Kind, Limit, Pause, Watch, WatchKind

Severity = Literal["info", "warning", "critical"]
#: what says something of a device and nothing of the goods
_OF_DEVICES = frozenset({"battery", "voltage", "battery_voltage", "link_quality", "linkquality", "rssi", "snr", "door"})
#: how long a silence that is reckoned by a sensor's own period may last beyond it
GRACE_S = 10


@dataclass(frozen=True, slots=True)
class KnownRule:
    """The facts of a rule."""

    id: uuid.UUID
    version: int
    name: str
    location_id: uuid.UUID
    quantity: str
    kind: str
    set_at: float
    clear_at: float
    duration_s: int
    change: float
    latched: bool
    severity: Severity
    policy_id: uuid.UUID | None

    @property
    def side(self) -> Kind:
        """On which side of its bound the bad values lie."""
        return "high" if self.kind in ("high", "cumulative_high", "rising") else "low"

    @property
    def is_bound(self) -> bool:
        """Whether it judges each value by a bound; otherwise it judges changes, or silence."""
        return self.kind in ("high", "low", "cumulative_high", "cumulative_low")

    def concerns_goods(self, unit: str) -> bool:
        """Whether breaking it is an excursion: something that was done to goods, and not only worth an alert."""
        return self.is_bound and self.quantity not in _OF_DEVICES and unit != "bool"

    def limit(self, *, holds: bool = False) -> Limit:
        """Of a high or low rule.

        Raises:
            ValueError: when it contradicts itself.
        """
        return Limit(
            str(self.id), self.side, self.set_at, self.clear_at, self.duration_s, holds=holds, latched=self.latched
        )

    def watch(self) -> Watch:
        """Of a rising or falling rule.

        Raises:
            ValueError: when it could never be broken.
        """
        return Watch(str(self.id), cast(WatchKind, self.kind), self.duration_s, self.change, latched=self.latched)

    def allowance(self) -> Allowance:
        """Of a cumulative rule.

        Raises:
            ValueError: when it allows no time at all.
        """
        return Allowance(str(self.id), self.side, self.set_at, self.duration_s)

    def judged(self, unit: str = "") -> Limit | Watch | Allowance:
        """What judges the readings of a sensor of this unit; not of a silent rule."""
        if self.kind in ("high", "low"):
            return self.limit(holds=unit == "bool")  # a contact says when it changes, and nothing in between
        return self.watch() if self.kind in ("rising", "falling") else self.allowance()


def known(rule: AlertRule) -> KnownRule:
    """The rule's facts as they are now."""
    return KnownRule(
        id=rule.id,
        version=rule.version,
        name=rule.name,
        location_id=rule.location_id,
        quantity=rule.quantity,
        kind=rule.kind,
        set_at=rule.set_at,
        clear_at=rule.clear_at,
        duration_s=rule.duration_s,
        change=rule.change,
        latched=rule.latched,
        severity=cast(Severity, rule.severity),
        policy_id=rule.escalation_policy_id,
    )


def check(rule: KnownRule) -> None:
    """Whether the rule can be judged by.

    Raises:
        Invalid: naming the field that contradicts the rest.
    """
    if rule.latched and rule.kind not in ("high", "low"):
        raise Invalid(f"only high and low rules can be latched, this one is {rule.kind}", field="latched")
    if rule.kind == "silent":
        return
    field = {"high": "clear_at", "low": "clear_at"}.get(rule.kind, "duration_s")
    if rule.kind in ("rising", "falling") and rule.change <= 0:
        field = "change"
    try:
        rule.judged()
    except ValueError as error:
        raise Invalid(str(error), field=field) from None


def pauses_for(pauses: Sequence[PauseConfig], *, sensor: str, quantity: str, rule: KnownRule) -> tuple[Pause, ...]:
    """Those of a gateway's pauses that are about one rule of one sensor, as the state machines take them."""
    return tuple(
        Pause(pause.starts_at_ms, pause.duration_s, pause.every_s, pause.relax_by)
        for pause in pauses
        if (pause.sensor, pause.quantity) == (sensor, quantity) and (not pause.rules or str(rule.id) in pause.rules)
    )
