"""What identity had sent to somebody: read where it waits for the post office."""

from sqlalchemy import select

from cloud_api.kernel import vault
from cloud_api.kernel.outbox import OutboxEvent
from cloud_api.kernel.tenancy import SystemScope
from tests.platform_under_test import Platform


async def mails(platform: Platform, to: str) -> list[str]:
    """The kinds of mail that are due to this address, oldest first."""
    return [str(payload["kind"]) for payload in await _due(platform, "MailDue", to)]


async def mailed_token(platform: Platform, to: str, kind: str) -> str:
    """The token of the last mail of this kind."""
    tokens = [payload["sealed_token"] for payload in await _due(platform, "MailDue", to) if payload["kind"] == kind]
    return vault.current().open(str(tokens[-1]))


async def sent_code(platform: Platform, to: str) -> str:
    """The code of the last SMS to this number."""
    return vault.current().open(str((await _due(platform, "SmsCodeDue", to))[-1]["sealed_code"]))


async def _due(platform: Platform, kind: str, to: str) -> list[dict[str, object]]:
    async with platform.database.unit_of_work(SystemScope("test"), read_only=True) as db:
        events = await db.scalars(select(OutboxEvent).where(OutboxEvent.type == kind).order_by(OutboxEvent.id))
        return [event.payload for event in events if event.payload["to"] == to]
