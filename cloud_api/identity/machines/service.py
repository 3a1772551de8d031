"""The verbs of API keys."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.machines import credentials
from cloud_api.identity.machines.errors import NotUsable, UnknownScope
from cloud_api.identity.machines.models import ApiKey, MachineCredential
from cloud_api.identity.machines.schemas import ApiKeyCreate, ApiKeyUpdate
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.roles.catalogue import expand
from cloud_api.identity.roles.service import check_grantable
from cloud_api.kernel import clock
from cloud_api.kernel.addresses import parse_networks
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.permissions import Principal

#: how exactly `last_used_at` is known
USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Issued:
    """A key and its secrets, which nobody sees again."""

    row: ApiKey
    key: str
    #: None when it stays what it was
    signing_secret: str | None


async def create_api_key(db: AsyncSession, *, new: ApiKeyCreate, by: Principal) -> Issued:
    """Make a key for a program.

    Raises:
        UnknownScope: when a scope is no permission.
        RoleTooMighty: when a scope goes beyond what the maker has.
        Invalid: when a range is none, or the end lies in the past.
    """
    secret, signing_secret = credentials.draw(), credentials.draw()
    row = ApiKey(
        name=new.name,
        prefix=credentials.draw_prefix(),
        secret_sha256=credentials.sha256(secret),
        signing_secret=signing_secret,
        scopes=checked_scopes(new.scopes, by=by),
        ip_ranges=_ranges(new.ip_ranges),
        expires_at=_future(new.expires_at),
        created_by=by.id,
        created_at=clock.now(),
    )
    db.add(row)
    await db.flush()
    return Issued(row, _key(row, secret), signing_secret)


async def update_api_key(db: AsyncSession, id: uuid.UUID, *, changes: ApiKeyUpdate, by: Principal) -> ApiKey:
    """Rename it, change what it may do, from where and for how long. Nobody changes a key mightier than themselves.

    Raises:
        NotFound: when there is none.
        NotUsable: when it is revoked.
        UnknownScope, RoleTooMighty, Invalid: as for a new one.
    """
    row = await _usable(db, id, by=by)
    changed = changes.model_dump(exclude_unset=True)
    if "scopes" in changed:
        changed["scopes"] = checked_scopes(changes.scopes, by=by)
    if "ip_ranges" in changed:
        changed["ip_ranges"] = _ranges(changes.ip_ranges)
    if "expires_at" in changed:
        _future(changes.expires_at)
    for field, value in changed.items():
        setattr(row, field, value)
    await db.flush()
    return row


async def revoke_api_key(db: AsyncSession, id: uuid.UUID) -> None:
    """It opens nothing from now on, whichever of its secrets comes. Revoking it again changes nothing.

    Raises:
        NotFound: when there is none.
    """
    row = await _api_key(db, id)
    row.revoked_at = row.revoked_at or clock.now()


async def rotate_api_key(db: AsyncSession, id: uuid.UUID, *, overlap: timedelta, by: Principal) -> Issued:
    """Give it another secret; the present one is taken for `overlap` longer.

    Without an overlap, because something has leaked, the signing secret is another one too.

    Raises:
        NotFound: when there is none.
        NotUsable: when it is revoked.
        RoleTooMighty: when the key may do more than who asks: its secret would be theirs.
    """
    row = await _usable(db, id, by=by)
    secret, signing_secret = credentials.draw(), None if overlap else credentials.draw()
    credentials.replace(row, secret, overlap=overlap)
    if signing_secret is not None:
        row.signing_secret = signing_secret
    await db.flush()
    return Issued(row, _key(row, secret), signing_secret)


async def api_key_called(db: AsyncSession, prefix: str) -> ApiKey | None:
    """The key of this prefix, of an organisation that is active. Needs a system session."""
    statement = select(ApiKey).join(Organization, Organization.id == ApiKey.organization_id)
    return (await db.scalars(statement.where(ApiKey.prefix == prefix, Organization.is_active))).one_or_none()


async def signing_secret_of(db: AsyncSession, id: uuid.UUID) -> str | None:
    """What a key signs its sensitive requests with."""
    secret: str | None = await db.scalar(select(ApiKey.signing_secret).where(ApiKey.id == id))
    return secret


def use_is_to_be_noted(row: MachineCredential) -> bool:
    """Whether the last use that was noted is a minute ago."""
    return row.last_used_at is None or row.last_used_at <= clock.now() - USE_NOTED_EVERY


async def note_use(db: AsyncSession, row: MachineCredential) -> None:
    """Note that it was used just now; once, however many requests come at this moment. Needs a system session."""
    model, now = type(row), clock.now()
    stale = or_(model.last_used_at.is_(None), model.last_used_at <= now - USE_NOTED_EVERY)
    await db.execute(update(model).where(model.id == row.id, stale).values(last_used_at=now))


def checked_scopes(scopes: list[str], *, by: Principal) -> list[str]:
    """These scopes, in order and each once.

    Raises:
        UnknownScope: when one stands for no permission.
        RoleTooMighty: when one goes beyond what `by` has.
    """
    if unknown := sorted(scope for scope in scopes if not expand(scope)):
        raise UnknownScope(f"no permission is called {', '.join(map(repr, unknown[:3]))}", field="scopes")
    check_grantable(scopes, by=by, field="scopes")
    return sorted(set(scopes))


async def _api_key(db: AsyncSession, id: uuid.UUID) -> ApiKey:
    row = await db.get(ApiKey, id, with_for_update=True)
    if row is None:
        raise NotFound(f"no API key with id {id}")
    return row


async def _usable(db: AsyncSession, id: uuid.UUID, *, by: Principal) -> ApiKey:
    row = await _api_key(db, id)
    if row.revoked_at is not None:
        raise NotUsable
    check_grantable(row.scopes, by=by, field="scopes")
    return row


def _key(row: ApiKey, secret: str) -> str:
    return f"{credentials.API_KEY}_{row.prefix}_{secret}"


def _ranges(ranges: list[str]) -> list[str]:
    return sorted({str(network) for network in parse_networks(ranges, field="ip_ranges")})


def _future(expires_at: datetime | None) -> datetime | None:
    if expires_at is not None and expires_at <= clock.now():
        raise Invalid("expires_at lies in the past: revoke the key instead", field="expires_at")
    return expires_at
