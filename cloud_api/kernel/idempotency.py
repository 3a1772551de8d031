"""`Idempotency-Key`: a write that is sent twice happens once.

Same key and same request: the first answer again. Same key, another request: 409. The key is claimed, and the answer
written beside it, in the unit of work that does the work, so that none of the three can be without the others. Kept
seven days. Gateways do not use it: what they send has identities of its own.

An answer that shows a secret (`@shown_once`) is not kept: sent again, such a request is refused.
"""

import hashlib
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from fastapi import Request, Response
from sqlalchemy import UniqueConstraint, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel import clock
from cloud_api.kernel.db import Base, insert_missing
from cloud_api.kernel.errors import Conflict, Invalid
from cloud_api.kernel.permissions import Principal
from cloud_api.kernel.tenancy import OrganizationOwned

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(days=7)
_SHOWN_ONCE = "coldfleet_shown_once"
F = TypeVar("F", bound=Callable[..., object])


class IdempotencyKey(OrganizationOwned, Base):
    """One claimed key, and the answer once there is one."""

    __tablename__ = "idempotency_keys"
    __audited__ = False
    __table_args__ = (UniqueConstraint("organization_id", "principal_id", "key"),)

    principal_id: Mapped[uuid.UUID]
    key: Mapped[str]
    request_sha256: Mapped[str]
    claimed_by: Mapped[uuid.UUID]
    status: Mapped[int | None]
    body: Mapped[bytes | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class KeyReused(Conflict):
    """The key belongs to another request."""

    code = "IDEMPOTENCY_KEY_REUSED"


class AnsweredOnce(Conflict):
    """It was done, and its answer showed a secret that nobody keeps."""

    code = "SHOWN_ONCE"


def shown_once(endpoint: F) -> F:
    """Mark an operation whose answer shows a secret: the answer is not kept."""
    setattr(endpoint, _SHOWN_ONCE, True)
    return endpoint


class Replay(Exception):
    """Carries the first answer out of the unit of work."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


async def claim(db: AsyncSession, request: Request, principal: Principal) -> None:
    """Claim the request's key, if it carries one.

    Another request with the same key that is still at work is waited for (PostgreSQL: on the unique key; SQLite: on
    the writer's lock).

    Raises:
        Replay: when this request was answered before.
        KeyReused: when the key came with another method, path or body.
        AnsweredOnce: when this request was answered before, and the answer showed a secret.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return
    if not 1 <= len(key) <= 255:
        raise Invalid(f"{HEADER} must have 1 to 255 characters", field=HEADER)
    fingerprint = await _fingerprint(request)
    await db.execute(delete(IdempotencyKey).where(IdempotencyKey.expires_at < clock.now()))
    claimed_by = uuid.uuid4()
    await insert_missing(
        db,
        IdempotencyKey,
        {
            "principal_id": principal.id,
            "key": key,
            "request_sha256": fingerprint,
            "claimed_by": claimed_by,
            "expires_at": clock.now() + KEPT_FOR,
        },
    )
    row = (
        await db.scalars(
            select(IdempotencyKey)
            .where(IdempotencyKey.principal_id == principal.id, IdempotencyKey.key == key)
            .with_for_update()
        )
    ).one()
    if row.request_sha256 != fingerprint:
        raise KeyReused(f"{HEADER} {key!r} was used for another request: draw a new one", field=HEADER)
    if row.claimed_by == claimed_by or row.status is None:  # None: refused, in a unit of work that was kept
        request.state.idempotency_key = row
        return
    if _shows_a_secret(request):
        raise AnsweredOnce("this was done before, and its secret is shown once: have another one made", field=HEADER)
    raise Replay(row.status, row.body or b"")


async def remember(db: AsyncSession, request: Request, response: Response) -> None:
    """Write the answer beside the claimed key, in the same unit of work."""
    row: IdempotencyKey | None = getattr(request.state, "idempotency_key", None)
    if row is not None:
        row.status = response.status_code
        row.body = None if _shows_a_secret(request) else bytes(response.body)
        await db.flush()


def _shows_a_secret(request: Request) -> bool:
    return bool(getattr(request.scope.get("endpoint"), _SHOWN_ONCE, False))


async def _fingerprint(request: Request) -> str:
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    # a body that went by without being kept is known by its hash
    streamed: str | None = getattr(request.state, "body_sha256", None)
    digest.update(await request.body() if streamed is None else streamed.encode())
    return digest.hexdigest()
