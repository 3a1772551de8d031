"""The keys that sign access tokens: the settings' secret until a key is drawn, then the newest drawn.

A drawn key replaces the one before it, which is believed until every token it signed has expired. Signing asks the
database which key is the newest: a process that has slept through a rotation must not sign with a key that others no
longer believe. Verifying, which every request does, goes by what the process read in the last minute, and looks again
at once when a token names a key it does not know.
"""

import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations.models import PLATFORM_SLUG, Organization
from cloud_api.identity.sessions.models import SigningKey
from cloud_api.identity.tokens import ACCESS_TOKEN_LIFE
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import SystemScope, TenancyViolation

#: how long processes may go on without looking, and thus the overlap beyond a token's life
_LOOKS_AGAIN = timedelta(seconds=60)
#: how long a key is believed after another has taken its place
OVERLAP = ACCESS_TOKEN_LIFE + _LOOKS_AGAIN
#: id of the settings' secret
SETTINGS_KEY = "settings"


@dataclass(frozen=True)
class _Known:
    """What stood in the database when a process looked."""

    #: those that were not over
    drawn: Mapping[str, SigningKey] = field(default_factory=dict)
    #: when the settings' secret was replaced
    first_drawn_at: datetime | None = None


class Keyring:
    """`tokens.Keys`, from the settings and the database."""

    def __init__(self, settings_secret: str) -> None:
        self._settings_secret = settings_secret
        self._known = _Known()
        self._looked_at_s = float("-inf")

    async def newest(self, db: AsyncSession) -> tuple[str, str]:
        """(key id, secret) that signs at this moment. Needs a system session: others see no keys.

        Raises:
            TenancyViolation: in the session of an organisation.
        """
        if not isinstance(db.sync_session.info["scope"], SystemScope):
            raise TenancyViolation("access tokens are signed in a system session")
        newest = (
            await db.scalars(
                select(SigningKey).where(SigningKey.retires_at.is_(None)).order_by(SigningKey.created_at.desc())
            )
        ).first()
        return (str(newest.id), newest.secret) if newest else (SETTINGS_KEY, self._settings_secret)

    async def secret(self, database: Database, key_id: str) -> str | None:
        """The secret of a key that is still believed."""
        if time.monotonic() - self._looked_at_s >= _LOOKS_AGAIN.total_seconds():
            await self.look(database)
        if key_id not in self._known.drawn and _may_be_drawn(key_id):
            await self.look(database)
        return self._find(key_id)

    async def look(self, database: Database) -> None:
        """Read the drawn keys anew."""
        looked_at_s = time.monotonic()
        still_believed = or_(SigningKey.retires_at.is_(None), SigningKey.retires_at > clock.now())
        async with database.unit_of_work(SystemScope("read the signing keys"), read_only=True) as db:
            drawn = {str(key.id): key for key in await db.scalars(select(SigningKey).where(still_believed))}
            first_drawn_at = await db.scalar(select(func.min(SigningKey.created_at)))
        self._known, self._looked_at_s = _Known(drawn, first_drawn_at), looked_at_s

    def _find(self, key_id: str) -> str | None:
        if key_id == SETTINGS_KEY:
            first = self._known.first_drawn_at
            return self._settings_secret if first is None or clock.now() < first + OVERLAP else None
        key = self._known.drawn.get(key_id)
        if key is None or (key.retires_at is not None and clock.now() >= key.retires_at):
            return None
        return key.secret


def _may_be_drawn(key_id: str) -> bool:
    """Whether it has the form of a drawn key's id: nothing else is worth a look."""
    try:
        return str(uuid.UUID(key_id)) == key_id
    except ValueError:
        return False


async def draw_key(db: AsyncSession) -> SigningKey:
    """Draw a key that signs from now on; the one before retires with its last token. Needs a system session."""
    # two rotations at once would leave two keys that sign: the row of the platform's own organisation is the lock
    await db.scalars(select(Organization.id).where(Organization.slug == PLATFORM_SLUG).with_for_update(key_share=True))
    for key in await db.scalars(select(SigningKey).where(SigningKey.retires_at.is_(None)).with_for_update()):
        key.retires_at = clock.now() + OVERLAP
    drawn = SigningKey(id=uuid.uuid4(), secret=secrets.token_urlsafe(48), created_at=clock.now(), retires_at=None)
    db.add(drawn)
    await db.flush()
    return drawn
