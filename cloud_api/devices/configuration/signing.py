"""Signed configuration: a gateway does what the platform says, and nobody who stands between them.

One pair of Ed25519 keys (RFC 8032) for the whole platform, made when it is needed first. The private one stands sealed
in the database; a gateway is given the public one when it is provisioned.
"""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.configuration.models import ConfigKey
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database, insert_missing
from cloud_api.kernel.tenancy import SystemScope


async def make_key(db: AsyncSession) -> ConfigKey:
    """The platform's key, made when there is none yet. Needs a system session."""
    present = await _key(db)
    if present is not None:
        return present
    drawn = Ed25519PrivateKey.generate()
    values = {
        "id": 1,
        "private_key": drawn.private_bytes_raw().hex(),
        "public_key": drawn.public_key().public_bytes_raw().hex(),
        "created_at": clock.now(),
    }
    await insert_missing(db, ConfigKey, values)  # another process may have been quicker: then its key is the one
    return (await db.scalars(select(ConfigKey))).one()


async def signature_of(db: AsyncSession, database: Database, body: bytes) -> str:
    """The signature of `body`, in base64."""
    key = await _key(db)
    if key is None:
        async with database.unit_of_work(SystemScope("make the key that signs configuration")) as system:
            key = await make_key(system)
    signature = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key.private_key)).sign(body)
    return base64.b64encode(signature).decode()


async def _key(db: AsyncSession) -> ConfigKey | None:
    return (await db.scalars(select(ConfigKey))).one_or_none()
