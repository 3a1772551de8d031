"""The verbs of OAuth clients: registered, removed, given another secret, given tokens (RFC 6749, section 4.4)."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import service as audit
from cloud_api.identity.machines import credentials, service
from cloud_api.identity.machines.errors import GrantRefused
from cloud_api.identity.machines.models import OAuthClient
from cloud_api.identity.machines.schemas import ClientCreate
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.roles.catalogue import expand
from cloud_api.identity.roles.service import check_grantable
from cloud_api.identity.tokens import AccessClaims
from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.permissions import ALL, Principal, grants
from cloud_api.kernel.tenancy import Actor


@dataclass(frozen=True)
class Registered:
    """A client and its secret, which nobody sees again."""

    row: OAuthClient
    client_secret: str


def registered() -> Select[tuple[OAuthClient]]:
    """Clients that were not removed."""
    return select(OAuthClient).where(OAuthClient.removed_at.is_(None))


async def register_client(db: AsyncSession, *, new: ClientCreate, by: Principal) -> Registered:
    """Register a program.

    Raises:
        UnknownScope: when a scope is no permission.
        RoleTooMighty: when a scope goes beyond what who registers it has.
    """
    row = OAuthClient(
        name=new.name,
        client_id=f"coldfleet-{credentials.draw_prefix()}",
        scopes=service.checked_scopes(new.scopes, by=by),
        secret_sha256="",
        created_by=by.id,
        created_at=clock.now(),
    )
    issued = _secret(row)
    row.secret_sha256 = credentials.sha256(issued)
    db.add(row)
    await db.flush()
    return Registered(row, issued)


async def remove_client(db: AsyncSession, id: uuid.UUID) -> None:
    """It gets no more tokens, and those it has open nothing from now on.

    Raises:
        NotFound: when there is none.
    """
    (await _client(db, id)).removed_at = clock.now()


async def rotate_client(db: AsyncSession, id: uuid.UUID, *, overlap: timedelta, by: Principal) -> Registered:
    """Give it another secret; the present one is taken for `overlap` longer.

    Raises:
        NotFound: when there is none.
        RoleTooMighty: when it may do more than who asks: its secret would be theirs.
    """
    row = await _client(db, id)
    check_grantable(row.scopes, by=by, field="scopes")
    issued = _secret(row)
    credentials.replace(row, issued, overlap=overlap)
    await db.flush()
    return Registered(row, issued)


async def grant(db: AsyncSession, *, client_id: str, secret: str, wanted: str) -> AccessClaims:
    """What a client's token says: the scopes it wants, by blanks, or all it has. Needs a system session.

    Raises:
        GrantRefused: when client or secret are wrong, or it wants more than it has.
    """
    row = await _active(db, OAuthClient.client_id == client_id)
    if row is None:
        raise GrantRefused("invalid_client")
    actor = Actor("oauth_client", row.id, row.name)
    if row.removed_at is not None or not credentials.is_right(row, secret):
        audit.raise_security_event(
            db,
            type="oauth_client_refused",
            severity="medium",
            organization_id=row.organization_id,
            details={"client_id": client_id, "reason": "removed" if row.removed_at else "wrong secret"},
            actor=actor,
        )
        raise GrantRefused("invalid_client")
    scopes = wanted.split() or row.scopes
    if beyond := [scope for scope in scopes if not _covers(row.scopes, scope)]:
        raise GrantRefused("invalid_scope", f"this client has no scope {beyond[0]}")
    row.last_used_at = clock.now()
    return AccessClaims(row.id, kind="client", scope=" ".join(sorted(set(scopes))))


async def principal_of(db: AsyncSession, claims: AccessClaims) -> Principal | None:
    """Who a client's token stands for, while the client has what the token says. Needs a system session."""
    row = await _active(db, OAuthClient.id == claims.subject)
    scopes = claims.scope.split()
    if row is None or row.removed_at is not None or not all(_covers(row.scopes, scope) for scope in scopes):
        return None
    return Principal(
        kind="oauth_client",
        id=row.id,
        organization_id=row.organization_id,
        permissions=frozenset(scopes),
        name=row.name,
    )


async def _active(db: AsyncSession, condition: object) -> OAuthClient | None:
    """Removed ones too, but of active organisations only."""
    statement = select(OAuthClient).join(Organization, Organization.id == OAuthClient.organization_id)
    return (await db.scalars(statement.where(condition, Organization.is_active))).one_or_none()  # type: ignore[arg-type]


def _covers(scopes: Sequence[str], scope: str) -> bool:
    if scope == ALL:
        return ALL in scopes
    return bool(expand(scope)) and all(grants(scopes, single) for single in expand(scope))


async def _client(db: AsyncSession, id: uuid.UUID) -> OAuthClient:
    row = (await db.scalars(registered().where(OAuthClient.id == id).with_for_update())).one_or_none()
    if row is None:
        raise NotFound(f"no OAuth client with id {id}")
    return row


def _secret(row: OAuthClient) -> str:
    return f"{credentials.CLIENT_SECRET}_{row.client_id.removeprefix('coldfleet-')}_{credentials.draw()}"
