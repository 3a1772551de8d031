"""Events that let mails and codes leave, and what the outbox has of them."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog
from prometheus_client import REGISTRY
from sqlalchemy import Select, select, update

from cloud_api.identity.events import MailDue, MailKind, SmsCodeDue
from cloud_api.kernel import clock, outbox, vault
from cloud_api.kernel.outbox import OutboxDelivery, OutboxEvent
from cloud_api.kernel.tenancy import SystemScope
from tests.platform_under_test import Platform

TOKEN, CODE = "tok-7f9b3c_Q", "493817"


def make_mail(kind: MailKind = "reset_password", **changes: object) -> MailDue:
    """A mail that is due to somebody at a farm; it works for an hour."""
    event = MailDue(
        kind=kind,
        to="asha@farm.example",
        name="Asha",
        organization="Hill Farm",
        sealed_token=vault.current().seal(TOKEN) if kind in {"verify_email", "reset_password", "invitation"} else "",
        expires_at=clock.now() + timedelta(hours=1),
    )
    return replace(event, **changes)  # type: ignore[arg-type]


def make_code(to: str = "+919812345678", *, lives_s: float = 300) -> SmsCodeDue:
    """A code that somebody waits for."""
    return SmsCodeDue(to, vault.current().seal(CODE), clock.now() + timedelta(seconds=lives_s))


async def emit(platform: Platform, event: object, *, request_id: str = "") -> None:
    """Write the event into the platform's outbox, as a request of that id would."""
    with structlog.contextvars.bound_contextvars(request_id=request_id):
        async with platform.database.unit_of_work(platform.tenant.organization) as db:
            outbox.emit(db, event)


async def deliver(platform: Platform, event: object) -> list[tuple[str, str]]:
    """Let the event through the real outbox; afterwards its deliveries as (state, last error)."""
    await emit(platform, event)
    await platform.deliver()
    return await deliveries(platform)


async def deliveries(platform: Platform) -> list[tuple[str, str]]:
    """(state, last error) of everything that this organisation's events became."""
    ours = select(OutboxDelivery).where(OutboxDelivery.event_id.in_(_events(platform)))
    async with platform.database.unit_of_work(SystemScope("test"), read_only=True) as db:
        rows = await db.scalars(ours.order_by(OutboxDelivery.event_id))
        return [(row.state, row.last_error or "") for row in rows]


async def deliver_again(platform: Platform) -> list[tuple[str, str]]:
    """Deliver what is waiting for its next try, or, as after a crash, what was done already."""
    await _put_all(platform, "pending")
    await platform.deliver()
    return await deliveries(platform)


async def give_up(platform: Platform) -> None:
    """Try nothing of this organisation again."""
    await _put_all(platform, "parked")


async def _put_all(platform: Platform, state: str) -> None:
    async with platform.database.unit_of_work(SystemScope("test")) as db:
        ours = update(OutboxDelivery).where(OutboxDelivery.event_id.in_(_events(platform)))
        await db.execute(ours.values(due_at=clock.machine_now(), state=state))


def _events(platform: Platform) -> Select[tuple[uuid.UUID]]:
    ours = OutboxEvent.organization_id == platform.tenant.organization.organization_id
    return select(OutboxEvent.id).where(ours)


def counted(name: str, **labels: str) -> float:
    """A metric's value."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, apart from what the tests' own SMTP server tells."""
    told = [record for record in caplog.records if not record.name.startswith("mail.")]
    return "\n".join(f"{record.name} {record.getMessage()} {record.args} {record.exc_text}" for record in told)
