"""How a gateway comes by its credential, changes it and loses it: announced, claimed, rotated, decommissioned."""

import hashlib
import re
import secrets
import uuid
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.configuration.service import first_version
from cloud_api.devices.errors import WrongClaimCode
from cloud_api.devices.gateways.service import (
    check_software_version,
    get_gateway,
    get_serving_gateway,
    tell_watchers,
)
from cloud_api.devices.models import HEARTBEAT_INTERVAL_S, Gateway
from cloud_api.devices.sensors.service import retire_sensors_of
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.registers import flush_unique
from cloud_api.places.queries import EVERYWHERE, Visible

CLAIM_CODE_LIFE = timedelta(days=1)
_SECRET = re.compile(r"[0-9a-f]{64}")


async def register_gateway(db: AsyncSession, *, name: str) -> tuple[Gateway, str]:
    """Announce a gateway to come. Returns it with its claim code, which is shown this once.

    Raises:
        AlreadyExists: when the name is taken.
    """
    claim_code = _draw_claim_code()
    gateway = Gateway(
        name=name,
        claim_code_sha256=digest_of(claim_code),
        claim_expires_at=clock.now() + CLAIM_CODE_LIFE,
        config_version=1,
        heartbeat_interval_s=HEARTBEAT_INTERVAL_S,
        created_at=clock.now(),
    )
    db.add(gateway)
    await flush_unique(db, f"another gateway is called {name!r}", field="name")
    db.add(first_version(gateway))
    await db.flush()
    tell_watchers(db, gateway)
    return gateway, claim_code


async def renew_claim_code(
    db: AsyncSession, gateway_id: uuid.UUID, *, seen: Visible = EVERYWHERE
) -> tuple[Gateway, str]:
    """Draw a new claim code, for a box that replaces the present one. The present credential goes on working.

    Raises:
        NotFound: when there is no such gateway.
        GatewayDecommissioned: when it was taken out of service.
    """
    gateway = await get_serving_gateway(db, gateway_id, seen=seen)
    claim_code = _draw_claim_code()
    gateway.claim_code_sha256 = digest_of(claim_code)
    gateway.claim_expires_at = clock.now() + CLAIM_CODE_LIFE
    gateway.status = "pending"
    tell_watchers(db, gateway)
    return gateway, claim_code


async def claim_gateway(db: AsyncSession, *, claim_code: str, secret: str, software_version: str) -> Gateway:
    """Bind the gateway of `claim_code` to `secret`. Asking again with the same secret gives the same answer.

    Needs a system session.

    Raises:
        Invalid: when the secret is none.
        WrongClaimCode: when the code is unknown, too old, or was used with another secret.
    """
    _check_secret(secret)
    check_software_version(software_version)
    gateway = (
        await db.scalars(select(Gateway).where(Gateway.claim_code_sha256 == digest_of(claim_code)).with_for_update())
    ).one_or_none()
    if gateway is None or gateway.status == "decommissioned":
        raise WrongClaimCode
    asked_again = gateway.status == "active" and gateway.secret_sha256 == digest_of(secret)
    if not asked_again and (gateway.status != "pending" or gateway.claim_expires_at < clock.now()):
        raise WrongClaimCode
    gateway.secret_sha256 = digest_of(secret)
    gateway.next_secret_sha256 = None
    gateway.software_version = software_version
    gateway.status = "active"
    tell_watchers(db, gateway)
    await db.flush()
    return gateway


async def rotate_secret(db: AsyncSession, gateway_id: uuid.UUID, *, secret: str) -> Gateway:
    """Take what the gateway has drawn as its next secret. The present one is good until the next one is used.

    Asking again with the same secret, or with the present one, changes nothing; with another one, that is the next.

    Raises:
        Invalid: when the secret is none.
    """
    _check_secret(secret)
    gateway = await get_gateway(db, gateway_id)
    if gateway.secret_sha256 != digest_of(secret):
        gateway.next_secret_sha256 = digest_of(secret)
    return gateway


async def gateway_by_secret(db: AsyncSession, *, gateway_id: uuid.UUID, secret: str) -> Gateway | None:
    """The gateway in service with this credential, in force already or next. Needs a system session."""
    gateway = await db.get(Gateway, gateway_id)
    if gateway is None or gateway.status == "decommissioned":
        return None
    known = [kept for kept in (gateway.secret_sha256, gateway.next_secret_sha256) if kept is not None]
    digest = digest_of(secret)
    return gateway if any([secrets.compare_digest(kept, digest) for kept in known]) else None


def is_in_force(gateway: Gateway, secret: str) -> bool:
    """Whether this is the gateway's present secret, and not its next one."""
    return gateway.secret_sha256 is not None and secrets.compare_digest(gateway.secret_sha256, digest_of(secret))


async def put_in_force(db: AsyncSession, *, gateway_id: uuid.UUID, secret: str) -> None:
    """Let the next secret, which has just been used, replace the present one. Needs a system session.

    When another request was quicker, nothing is left to do.
    """
    gateway = (await db.scalars(select(Gateway).where(Gateway.id == gateway_id).with_for_update())).one()
    digest = digest_of(secret)
    if gateway.next_secret_sha256 is not None and secrets.compare_digest(gateway.next_secret_sha256, digest):
        gateway.secret_sha256 = digest
        gateway.next_secret_sha256 = None


async def decommission_gateway(
    db: AsyncSession, gateway_id: uuid.UUID, *, keep_sensors: bool = False, seen: Visible = EVERYWHERE
) -> None:
    """Take a gateway out of service, for good: its credential and its claim code open nothing any more.

    What it has sent stays, and its name is free. Its sensors, which nobody else can speak for, are retired unless
    they are to be kept. Doing it again changes nothing more.

    Raises:
        NotFound: when there is no such gateway.
    """
    gateway = await get_gateway(db, gateway_id, seen=seen)
    if not keep_sensors:
        await retire_sensors_of(db, gateway_id)
    if gateway.status == "decommissioned":
        return
    gateway.name = f"{gateway.name} (until {clock.now():%Y-%m-%d}, {gateway.id.hex[-8:]})"
    gateway.status = "decommissioned"
    gateway.secret_sha256 = None
    gateway.next_secret_sha256 = None
    tell_watchers(db, gateway)


def _check_secret(secret: str) -> None:
    if not _SECRET.fullmatch(secret):
        raise Invalid("secret must be 64 hexadecimal digits", field="secret")


def _draw_claim_code() -> str:
    """Sixteen characters that can be read out over a telephone: 80 bits."""
    alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    drawn = "".join(secrets.choice(alphabet) for _ in range(16))
    return "-".join(drawn[at : at + 4] for at in range(0, 16, 4))


def digest_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
