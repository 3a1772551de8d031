"""What rules say of devices and of changes: alerts, and nothing of the goods."""

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.alerts import service as alerts
from cloud_api.cold_chain.excursions import words
from cloud_api.cold_chain.excursions.incidents import Watched
from cloud_api.kernel import clock
from cloud_api.places import service as places

_CHANGES = {"rising": "rises too quickly", "falling": "falls too quickly"}


async def warn(db: AsyncSession, at: Watched, *, at_ms: int, value: float) -> None:
    """Raise the alert of a rule at a sensor."""
    location_id = at.sensor.location_id
    if location_id is None:
        return
    place, rule = await places.get_location(db, location_id), at.rule
    what = (
        f"{at.sensor.quantity.replace('_', ' ')} {_CHANGES[rule.kind]}"
        if rule.kind in _CHANGES
        else words.breach(rule.kind, at.sensor.quantity, at.sensor.unit, rule.set_at)
    )
    await alerts.raise_alert(
        db,
        group=f"{rule.kind}:{at.sensor.quantity}:{location_id}",
        subject=subject_of(at.rule.id, at.sensor.id),
        alert_type=_type_of(at),
        severity=rule.severity,
        title=f"{place.name}: {what}",
        message=f"{words.measured(at.sensor.quantity, at.sensor.unit, value)} at {at.sensor.code}, rule {rule.name}",
        location_id=location_id,
        policy_id=rule.policy_id,
        rule_id=rule.id,
        at=clock.from_ms(at_ms),
    )


async def calm(db: AsyncSession, at: Watched, *, at_ms: int) -> None:
    """It is over."""
    await alerts.clear_alert(db, subject=subject_of(at.rule.id, at.sensor.id), at=clock.from_ms(at_ms))


def subject_of(rule_id: uuid.UUID, sensor_id: uuid.UUID) -> str:
    """Of the alert of a rule at a sensor."""
    return f"rule:{rule_id}:{sensor_id}"


def _type_of(at: Watched) -> str:
    if at.rule.kind in _CHANGES:
        return "rate"
    if at.sensor.quantity == "battery":
        return "battery"
    if at.sensor.unit == "bool" or at.sensor.quantity == "door":
        return "door"
    return words.alert_type(at.rule.kind, at.sensor.quantity)
