"""What judges know of a gateway's sensors without asking: which rules are about them, and which stand clear.

Facts are kept as long as the gateway's `facts_version` is the same. What stands clear is known as far as this process
has judged it itself: when somebody else has judged a sensor since, its newest reading is another than the one we saw.
"""

import uuid
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.rules import limits
from cloud_api.cold_chain.rules.allowances import Allowance, DayOf
from cloud_api.cold_chain.rules.known import KnownRule, pauses_for
from cloud_api.devices.sensors.known import EVER, KnownSensor, known_sensors
from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel import clock
from cloud_api.telemetry.judges import StoredBatch
from gateway.contract import PauseConfig
from gateway.rules import FAR_MS, Limit, Pause, Watch

_MOST_GATEWAYS = 512


@dataclass(frozen=True, slots=True)
class Stretch:
    """[from_ms, to_ms): while a sensor was where a rule holds."""

    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Applied:
    """One rule as it is about one sensor."""

    rule: KnownRule
    judged: Limit | Watch | Allowance
    stretches: tuple[Stretch, ...]
    pauses: tuple[Pause, ...]
    day_of: DayOf
    is_of_goods: bool


@dataclass(slots=True)
class Facts:
    """Of one gateway at one version."""

    by_sensor: dict[uuid.UUID, tuple[Applied, ...]]
    #: of sensors whose rules were all clear: the newest reading then
    clear_through: dict[uuid.UUID, int] = field(default_factory=dict)


_kept: OrderedDict[tuple[uuid.UUID, int], Facts] = OrderedDict()


async def facts_of(db: AsyncSession, batch: StoredBatch) -> Facts:
    """What is known for a batch; read anew only when it may have changed."""
    sensors = [series.sensor for series in batch.series]
    if batch.facts_version is None:
        return Facts(await applied_to(db, batch.gateway_id, sensors))
    key = (batch.gateway_id, batch.facts_version)
    if key not in _kept:
        whole = await known_sensors(db, gateway_id=batch.gateway_id)
        _kept[key] = Facts(await applied_to(db, batch.gateway_id, list(whole.values())))
        while len(_kept) > _MOST_GATEWAYS:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    return _kept[key]


async def applied_to(
    db: AsyncSession, gateway_id: uuid.UUID, sensors: Collection[KnownSensor], *, rules: Sequence[KnownRule] = ()
) -> dict[uuid.UUID, tuple[Applied, ...]]:
    """The rules that judge the readings of each sensor: enabled ones, or those given instead."""
    found = list(rules) or await limits.enabled_rules(db, {sensor.quantity for sensor in sensors})
    judging = [rule for rule in found if rule.kind != "silent"]
    if not judging:
        return {}
    places = {place.location_id for sensor in sensors for place in sensor.placements}
    near = await limits.around(db, {place for place in places if place is not None})
    pauses = await limits.pauses_of(db, gateway_id)
    zone = (await db.scalars(select(Organization.timezone))).one()
    day_of = days_in(zone)
    return {
        sensor.id: tuple(
            applied
            for rule in judging
            if rule.quantity == sensor.quantity and (applied := _apply(rule, sensor, near, pauses, day_of)).stretches
        )
        for sensor in sensors
        if sensor.status == "active"
    }


@lru_cache(maxsize=64)
def days_in(zone: str) -> DayOf:
    """The local days of a time zone."""
    place = ZoneInfo(zone)

    @lru_cache(maxsize=4096)
    def of_hour(hour: int) -> tuple[int, int]:
        local = clock.from_ms(hour * 900_000).astimezone(place)
        begins = datetime(local.year, local.month, local.day, tzinfo=place)
        ends = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), place)
        return clock.to_ms(begins), clock.to_ms(ends)

    def day_of(at_ms: int) -> tuple[int, int]:
        return of_hour(at_ms // 900_000)  # no zone's midnight lies within a quarter of an hour

    return day_of


def _apply(
    rule: KnownRule,
    sensor: KnownSensor,
    near: dict[uuid.UUID, set[uuid.UUID]],
    pauses: Sequence[PauseConfig],
    day_of: DayOf,
) -> Applied:
    return Applied(
        rule=rule,
        judged=rule.judged(sensor.unit),
        stretches=_stretches(rule, sensor, near),
        pauses=pauses_for(pauses, sensor=sensor.code, quantity=sensor.quantity, rule=rule),
        day_of=day_of,
        is_of_goods=rule.concerns_goods(sensor.unit),
    )


def _stretches(rule: KnownRule, sensor: KnownSensor, near: dict[uuid.UUID, set[uuid.UUID]]) -> tuple[Stretch, ...]:
    """When the sensor was in the rule's place, moves within it aside."""
    edges = [EVER, *(place.from_ms for place in sensor.placements[1:]), FAR_MS]
    found: list[Stretch] = []
    for place, from_ms, to_ms in zip(sensor.placements, edges[:-1], edges[1:], strict=True):
        if place.location_id is None or rule.location_id not in near[place.location_id]:
            continue
        if found and found[-1].to_ms == from_ms:
            found[-1] = Stretch(found[-1].from_ms, to_ms)
        else:
            found.append(Stretch(from_ms, to_ms))
    return tuple(found)
