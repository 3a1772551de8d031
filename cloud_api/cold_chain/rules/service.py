"""The verbs of rules."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.alerts import policies
from cloud_api.cold_chain.events import RuleEnded
from cloud_api.cold_chain.rules import limits
from cloud_api.cold_chain.rules.known import check, known
from cloud_api.cold_chain.rules.models import ANY_QUANTITY, AlertRule
from cloud_api.cold_chain.rules.schemas import RuleCreate, RuleUpdate
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import Invalid, NotFound, StaleVersion
from cloud_api.kernel.registers import flush_unique
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

#: what `duration_s` is when nobody says it
_DURATIONS_S = {"high": 600, "low": 600, "rising": 900, "falling": 900, "silent": 0}
_AN_HOUR_S = 3600


async def create_rule(db: AsyncSession, *, new: RuleCreate, seen: Visible = EVERYWHERE) -> AlertRule:
    """Add a rule, and give it to the gateways in its place.

    Raises:
        NotFound: when the place or the escalation policy is not there.
        Invalid: when a bound is missing, or the rule contradicts itself.
        AlreadyExists: when the name is taken.
    """
    await places.get_location(db, new.location_id, seen=seen)
    await _check_policy(db, new.escalation_policy_id)
    rule = AlertRule(**{**new.model_dump(), **_bounds(new)}, version=1, created_at=clock.now())
    check(known(rule))
    db.add(rule)
    await flush_unique(db, f"another rule is called {new.name!r}", field="name")
    await limits.configure_gateways_in(db, rule.location_id)
    return rule


async def update_rule(
    db: AsyncSession, rule_id: uuid.UUID, *, changes: RuleUpdate, seen: Visible = EVERYWHERE
) -> AlertRule:
    """Change a rule, here and at the gateways in its place. What it has raised is over when it is disabled.

    Raises:
        NotFound: when there is no such rule, or no such escalation policy.
        Invalid: when the rule would contradict itself.
        AlreadyExists: when the name is taken.
        StaleVersion: when somebody else has changed it since it was read.
    """
    rule = await get_rule(db, rule_id, seen=seen, locked=True)
    if changes.version is not None and changes.version != rule.version:
        raise StaleVersion(f"rule {rule.name!r}", seen=changes.version, current=rule.version)
    await _check_policy(db, changes.escalation_policy_id)
    was_enabled = rule.enabled
    for field, value in changes.model_dump(exclude_unset=True, exclude={"version"}).items():
        setattr(rule, field, value)
    rule.version += 1
    check(known(rule))
    await flush_unique(db, f"another rule is called {rule.name!r}", field="name")
    await limits.configure_gateways_in(db, rule.location_id)
    if was_enabled and not rule.enabled:
        outbox.emit(db, RuleEnded(rule.id))
    return rule


async def delete_rule(db: AsyncSession, rule_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> None:
    """Take a rule away, here and at the gateways in its place. What it has raised is over; excursions from it stay.

    Raises:
        NotFound: when there is no such rule.
    """
    rule = await get_rule(db, rule_id, seen=seen, locked=True)
    rule.deleted_at = clock.now()
    rule.enabled = False
    rule.version += 1
    await db.flush()
    await limits.configure_gateways_in(db, rule.location_id)
    outbox.emit(db, RuleEnded(rule.id))


async def get_rule(
    db: AsyncSession, rule_id: uuid.UUID, *, seen: Visible = EVERYWHERE, locked: bool = False
) -> AlertRule:
    """One rule; locked until the unit of work ends when it is to change.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(AlertRule).where(
        AlertRule.id == rule_id, AlertRule.deleted_at.is_(None), seen.locations(AlertRule.location_id)
    )
    rule = (await db.scalars(its.with_for_update() if locked else its)).one_or_none()
    if rule is None:
        raise NotFound(f"no alert rule with id {rule_id}")
    return rule


async def rule_named(db: AsyncSession, name: str) -> AlertRule:
    """The rule of this name.

    Raises:
        NotFound: when there is none.
    """
    its = select(AlertRule).where(AlertRule.name == name, AlertRule.deleted_at.is_(None))
    rule = (await db.scalars(its)).one_or_none()
    if rule is None:
        raise NotFound(f"no alert rule is called {name!r}", field="name")
    return rule


def _bounds(new: RuleCreate) -> dict[str, float | int]:
    """What a new rule of this kind has to say, whole.

    Raises:
        Invalid: naming what is missing.
    """
    needs_change, is_silent = new.kind in ("rising", "falling"), new.kind == "silent"
    if needs_change and new.change is None:
        raise Invalid(f"a {new.kind} rule needs the largest change allowed", field="change")
    if not (needs_change or is_silent) and new.set_at is None:
        raise Invalid(f"a {new.kind} rule needs the value that may not be passed", field="set_at")
    if new.quantity == ANY_QUANTITY and not is_silent:
        raise Invalid(f"a {new.kind} rule is about one quantity: {ANY_QUANTITY!r} is for silent ones", field="quantity")
    set_at = new.set_at or 0.0
    return {
        "set_at": set_at,
        "clear_at": set_at if new.clear_at is None else new.clear_at,
        "duration_s": _DURATIONS_S.get(new.kind, _AN_HOUR_S) if new.duration_s is None else new.duration_s,
        "change": new.change or 0.0,
    }


async def _check_policy(db: AsyncSession, policy_id: uuid.UUID | None) -> None:
    if policy_id is not None:
        await policies.get_policy(db, policy_id)
