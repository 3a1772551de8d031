"""The verbs of the cold chain: rules, and the life of an excursion."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain import limits
from cloud_api.cold_chain.events import ExcursionClosed, ExcursionOpened, ExcursionRecovered
from cloud_api.cold_chain.models import AlertRule, Excursion
from cloud_api.cold_chain.schemas import RuleCreate, RuleUpdate
from cloud_api.cold_chain.states import EXCURSION, ExcursionAction, ExcursionStatus
from cloud_api.devices.models import Sensor
from cloud_api.inventory import holds
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.numbers import next_number
from cloud_api.kernel.registers import flush_unique
from cloud_api.notifications import service as notifications
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

_SYMBOLS = {"Cel": "°C", "%": "%", "hPa": "hPa", "V": "V"}


async def create_rule(db: AsyncSession, *, new: RuleCreate, seen: Visible = EVERYWHERE) -> AlertRule:
    """Add a rule, and give it to the gateways in its place.

    Raises:
        NotFound: when the place is not there.
        Invalid: when `clear_at` lies on the wrong side of `set_at`.
        AlreadyExists: when the name is taken.
    """
    await places.get_location(db, new.location_id, seen=seen)
    rule = AlertRule(**new.model_dump(), created_at=clock.now())
    limits.limit_of(rule)
    db.add(rule)
    await flush_unique(db, f"another rule is called {new.name!r}", field="name")
    await limits.configure_gateways_in(db, rule.location_id)
    return rule


async def update_rule(
    db: AsyncSession, rule_id: uuid.UUID, *, changes: RuleUpdate, seen: Visible = EVERYWHERE
) -> AlertRule:
    """Change a rule, here and at the gateways in its place.

    Raises:
        NotFound: when there is no such rule.
        Invalid: when `clear_at` would lie on the wrong side of `set_at`.
        AlreadyExists: when the name is taken.
    """
    rule = await get_rule(db, rule_id, seen=seen)
    for field, value in changes.model_dump(exclude_unset=True).items():
        setattr(rule, field, value)
    limits.limit_of(rule)
    await flush_unique(db, f"another rule is called {rule.name!r}", field="name")
    await limits.configure_gateways_in(db, rule.location_id)
    return rule


async def get_rule(db: AsyncSession, rule_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> AlertRule:
    """One rule.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(AlertRule).where(AlertRule.id == rule_id, seen.locations(AlertRule.location_id))
    rule = (await db.scalars(its)).one_or_none()
    if rule is None:
        raise NotFound(f"no alert rule with id {rule_id}")
    return rule


async def open_excursion(
    db: AsyncSession,
    *,
    incident: str,
    sensor: Sensor,
    rule: AlertRule,
    started_at_ms: int,
    raised_at_ms: int,
    value: float,
    raised_by: str,
) -> Excursion:
    """Open an excursion, hold what lies in the sensor's place, and tell those who may acknowledge it.

    The same incident, or another of the same kind while one goes on at this sensor, opens none.
    """
    known = await _known(db, incident, sensor, rule.kind)
    if known is not None:
        return known
    assert sensor.location_id is not None  # noqa: S101 - a sensor without a place has no rules
    excursion = Excursion(
        number=await next_number(db, "EXC"),
        incident=incident,
        location_id=sensor.location_id,
        sensor_id=sensor.id,
        rule_id=rule.id,
        quantity=sensor.quantity,
        unit=sensor.unit,
        kind=rule.kind,
        set_at=rule.set_at,
        clear_at=rule.clear_at,
        severity=rule.severity,
        started_at=clock.from_ms(started_at_ms),
        raised_at=clock.from_ms(raised_at_ms),
        peak_value=value,
        raised_by=raised_by,
    )
    db.add(excursion)
    await db.flush()
    held = await holds.hold(db, location_id=sensor.location_id, reason=_breach(excursion), source=_source(excursion))
    place = await places.get_location(db, sensor.location_id)
    await notifications.notify(
        db,
        permission="alerts:ack",
        title=f"{place.name}: {_breach(excursion)}",
        message=f"{_measured(excursion, value)} since {excursion.started_at:%H:%M} UTC. "
        f"{len(held)} lots there are on hold. {excursion.number}",
        severity="error" if rule.severity == "critical" else "warning",
        category="quality",
        subject=_source(excursion),
    )
    outbox.emit(db, ExcursionOpened(excursion.id, excursion.location_id))
    return excursion


async def recover_excursion(
    db: AsyncSession, *, sensor: Sensor, incident: str, ended_at_ms: int, peak: float | None
) -> None:
    """The place is well again. Its goods stay on hold until the excursion is closed; an ended one stays ended."""
    excursion = await _lock_incident(db, sensor, incident)
    if excursion is None:
        return
    if peak is not None:
        _worsen(excursion, peak)
    if ExcursionAction.RECOVER not in EXCURSION.allowed(ExcursionStatus(excursion.status)):
        return
    excursion.status = EXCURSION.apply(ExcursionStatus(excursion.status), ExcursionAction.RECOVER)
    excursion.ended_at = clock.from_ms(ended_at_ms)
    await holds.stop_covering_arrivals(db, source=_source(excursion))
    outbox.emit(db, ExcursionRecovered(excursion.id, excursion.location_id))


async def note_peak(db: AsyncSession, *, sensor: Sensor, incident: str, peak: float) -> None:
    """Keep the worst value of an excursion."""
    excursion = await _lock_incident(db, sensor, incident)
    if excursion is not None:
        _worsen(excursion, peak)


async def acknowledge_excursion(
    db: AsyncSession, excursion_id: uuid.UUID, *, user_id: uuid.UUID, note: str, seen: Visible = EVERYWHERE
) -> Excursion:
    """Somebody is on it.

    Raises:
        NotFound: when there is no such excursion.
        InvalidTransition: when it is not open.
    """
    excursion = await get_excursion(db, excursion_id, seen=seen, locked=True)
    excursion.status = EXCURSION.apply(ExcursionStatus(excursion.status), ExcursionAction.ACKNOWLEDGE)
    excursion.acknowledged_at = clock.now()
    excursion.acknowledged_by = user_id
    excursion.note = note
    return excursion


async def close_excursion(
    db: AsyncSession,
    excursion_id: uuid.UUID,
    *,
    user_id: uuid.UUID,
    disposition: str,
    note: str,
    seen: Visible = EVERYWHERE,
) -> Excursion:
    """Decide about the goods: `release` frees those that no other hold covers.

    Raises:
        NotFound: when there is no such excursion.
        InvalidTransition: when nobody acknowledged it and it goes on, or it is closed already.
    """
    excursion = await get_excursion(db, excursion_id, seen=seen, locked=True)
    excursion.status = EXCURSION.apply(ExcursionStatus(excursion.status), ExcursionAction.CLOSE)
    excursion.closed_at = clock.now()
    excursion.closed_by = user_id
    excursion.disposition = disposition
    excursion.note = note
    await db.flush()
    if disposition == "release":
        await holds.release(db, source=_source(excursion))
    else:
        await holds.stop_covering_arrivals(db, source=_source(excursion))
    outbox.emit(db, ExcursionClosed(excursion.id, disposition))
    return excursion


async def get_excursion(
    db: AsyncSession, excursion_id: uuid.UUID, *, seen: Visible = EVERYWHERE, locked: bool = False
) -> Excursion:
    """One excursion; locked until the unit of work ends when it is to change.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(Excursion).where(Excursion.id == excursion_id, seen.locations(Excursion.location_id))
    excursion = (await db.scalars(its.with_for_update() if locked else its)).one_or_none()
    if excursion is None:
        raise NotFound(f"no excursion with id {excursion_id}")
    return excursion


async def _known(db: AsyncSession, incident: str, sensor: Sensor, kind: str) -> Excursion | None:
    """The sensor's excursion of this incident, or the one of its kind that goes on."""
    goes_on = (Excursion.kind == kind) & Excursion.status.in_((ExcursionStatus.OPEN, ExcursionStatus.ACKNOWLEDGED))
    its = select(Excursion).where(Excursion.sensor_id == sensor.id, (Excursion.incident == incident) | goes_on)
    return (await db.scalars(its.limit(1))).one_or_none()


async def _lock_incident(db: AsyncSession, sensor: Sensor, incident: str) -> Excursion | None:
    its = (Excursion.sensor_id == sensor.id, Excursion.incident == incident)
    locked = select(Excursion).where(*its).with_for_update()
    return (await db.scalars(locked, execution_options={"populate_existing": True})).one_or_none()


def _worsen(excursion: Excursion, value: float) -> None:
    """Gateway and judge may each have seen the worst of it, in either order; a closed excursion is settled."""
    if excursion.status != ExcursionStatus.CLOSED:
        worse = max if excursion.kind == "high" else min
        excursion.peak_value = worse(excursion.peak_value, value)


def _source(excursion: Excursion) -> str:
    return f"excursion:{excursion.id}"


def _measured(excursion: Excursion, value: float) -> str:
    return f"{excursion.quantity} {value:.1f} {_SYMBOLS.get(excursion.unit, excursion.unit)}"


def _breach(excursion: Excursion) -> str:
    side = "above" if excursion.kind == "high" else "below"
    return f"{excursion.quantity} {side} {excursion.set_at:g} {_SYMBOLS.get(excursion.unit, excursion.unit)}"
