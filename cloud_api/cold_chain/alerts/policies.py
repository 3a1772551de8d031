"""Escalation policies: an organisation's own, and what holds where it has none."""

import uuid
from collections.abc import Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.alerts.models import EscalationPolicy
from cloud_api.cold_chain.alerts.schemas import PolicyCreate, PolicyUpdate, StepEntry
from cloud_api.cold_chain.alerts.tellings import DEFAULTS, Telling, steps_of, tellings_of
from cloud_api.kernel import clock, versions
from cloud_api.kernel.errors import AlreadyExists, Detail, Invalid, NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.notifications import audience, on_call


async def tellings_for(db: AsyncSession, policy_id: uuid.UUID | None, *, severity: str) -> list[Telling]:
    """What an alert is told by: the policy named, else the organisation's for this severity, else the built-in one."""
    policy = None if policy_id is None else await db.get(EscalationPolicy, policy_id)
    if policy is None:
        theirs = select(EscalationPolicy).where(EscalationPolicy.default_for == severity)
        policy = (await db.scalars(theirs)).one_or_none()
    return tellings_of(DEFAULTS[severity] if policy is None else steps_of(policy.steps))


async def create_policy(db: AsyncSession, *, new: PolicyCreate) -> EscalationPolicy:
    """Add a policy.

    Raises:
        Invalid: naming the step whose person, role or list is not there.
        AlreadyExists: when the name is taken, or another policy is the default for this severity.
    """
    policy = EscalationPolicy(
        name=new.name, default_for=new.default_for, steps=await _checked(db, new.steps), created_at=clock.now()
    )
    db.add(policy)
    await _flush(db, policy)
    return policy


async def update_policy(db: AsyncSession, policy_id: uuid.UUID, *, changes: PolicyUpdate) -> EscalationPolicy:
    """Change a policy. Alerts that were raised before keep what it said then.

    Raises:
        NotFound: when there is no such policy.
        StaleVersion: when `changes` was made of another version than there is now.
        Invalid: naming the step whose person, role or list is not there.
        AlreadyExists: when the name is taken, or another policy is the default for this severity.
    """
    policy = await get_policy(db, policy_id, locked=True)
    await versions.count(db, policy, seen=changes.version, what=f"escalation policy {policy.name!r}")
    sent = changes.model_fields_set
    if "name" in sent:
        policy.name = changes.name
    if "default_for" in sent:
        policy.default_for = changes.default_for
    if "steps" in sent:
        policy.steps = await _checked(db, changes.steps)
    await _flush(db, policy)
    return policy


async def get_policy(db: AsyncSession, policy_id: uuid.UUID, *, locked: bool = False) -> EscalationPolicy:
    """One policy.

    Raises:
        NotFound: when there is none.
    """
    its = select(EscalationPolicy).where(EscalationPolicy.id == policy_id)
    policy = (await db.scalars(its.with_for_update() if locked else its)).one_or_none()
    if policy is None:
        raise NotFound(f"no escalation policy with id {policy_id}", field="policy_id")
    return policy


async def delete_policy(db: AsyncSession, policy_id: uuid.UUID) -> None:
    """Take a policy away. Rules that name it follow the organisation's default from now on.

    Raises:
        NotFound: when there is no such policy.
    """
    await db.delete(await get_policy(db, policy_id, locked=True))


async def _checked(db: AsyncSession, steps: Sequence[StepEntry]) -> list[dict[str, object]]:
    """The steps as a policy keeps them, once everybody they name is there."""
    wrong = [
        Detail(f"steps.{number}.to.{field}", message)
        for number, step in enumerate(steps)
        for field, message in await _complaints(db, step)
    ]
    if wrong:
        raise Invalid("; ".join(detail.message for detail in wrong[:3]), details=wrong)
    kept: list[dict[str, object]] = msgspec.to_builtins([step.as_step() for step in steps])
    return kept


async def _complaints(db: AsyncSession, step: StepEntry) -> list[tuple[str, str]]:
    """(field, what is wrong with it)."""
    to = step.to
    if to.user_id is not None and not await audience.active(db, [to.user_id]):
        return [("user_id", f"nobody active here has the id {to.user_id}")]
    if to.role is not None and (unknown := await audience.unknown_roles(db, [to.role])):
        return [("role", f"there is no role {unknown[0]!r}")]
    if to.list_id is not None and not await on_call.exists(db, to.list_id):
        return [("list_id", f"no on-call list with id {to.list_id}")]
    return []


async def _flush(db: AsyncSession, policy: EscalationPolicy) -> None:
    if policy.default_for is not None:
        other = select(EscalationPolicy.name).where(
            EscalationPolicy.default_for == policy.default_for, EscalationPolicy.id != policy.id
        )
        with db.no_autoflush:
            name = await db.scalar(other)
        if name is not None:
            message = f"{name!r} is the default for {policy.default_for} alerts: take it from there first"
            raise AlreadyExists(message, field="default_for")
    await flush_unique(db, f"another escalation policy is called {policy.name!r}", field="name")
