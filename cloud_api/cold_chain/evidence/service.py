"""The verbs of evidence: make it, sign it, and say with which key."""

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.evidence import verify
from cloud_api.cold_chain.evidence.bundle import Bundle
from cloud_api.cold_chain.evidence.gathering import Case
from cloud_api.devices.configuration.models import ConfigKey
from cloud_api.devices.configuration.signing import make_key, signature_of
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import SystemScope

#: where the public key stands, under the platform's own address
KEY_PATH = "/api/v1/evidence/key"
#: where evidence is written: each piece keeps a processor busy for seconds
_WRITERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="evidence")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A signed piece of evidence, to be read from its beginning."""

    file: IO[bytes]
    length: int


async def seal(db: AsyncSession, database: Database, case: Case, *, public_url: str) -> Sealed:
    """A case as a ZIP, signed with the platform's key.

    Raises:
        NotInstalled: when PDFs cannot be written here.
    """
    bundle = Bundle(case)
    key_url = public_url.rstrip("/") + KEY_PATH
    manifest = await asyncio.get_running_loop().run_in_executor(_WRITERS, bundle.write, key_url)
    signature = base64.b64decode(await signature_of(db, database, verify.DOMAIN + manifest)).hex()
    key = await _signed_with(db, database)
    return Sealed(bundle.file, bundle.seal(manifest, public_key=key, signature=signature))


async def public_key(db: AsyncSession) -> str:
    """The key that evidence is signed with, in hexadecimal digits. The first who asks makes it: in a system session."""
    return (await make_key(db)).public_key


async def _signed_with(db: AsyncSession, database: Database) -> str:
    """The public key of a signature that was just made; its maker may have begun later than what `db` can see."""
    key = await db.scalar(select(ConfigKey.public_key))
    if key is not None:
        return key
    async with database.unit_of_work(SystemScope("look at the key that evidence was signed with")) as system:
        return await public_key(system)
