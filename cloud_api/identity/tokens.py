"""Access tokens: JWT (HS256) for one hour, judged by our own clock. Which keys sign and verify, the keyring knows."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

import jwt
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Unauthenticated

ACCESS_TOKEN_LIFE = timedelta(hours=1)
_ISSUER = "coldfleet"
_AUDIENCE = "coldfleet-api"

Kind = Literal["person", "client"]


class TokenExpired(Unauthenticated):
    """Signed by us, and too old: refresh, or sign in again."""

    code = "TOKEN_EXPIRED"

    def __init__(self) -> None:
        super().__init__("this access token has expired: refresh it, or sign in again")


@dataclass(frozen=True)
class AccessClaims:
    """What an access token says: a person's, with the sign-in it came from, or an OAuth client's."""

    subject: uuid.UUID
    kind: Kind = "person"
    #: people only
    session_id: uuid.UUID | None = None
    #: OAuth clients only: what of the client's scopes was asked for, by blanks
    scope: str = ""


class Keys(Protocol):
    """Where the secrets are that sign tokens."""

    async def newest(self, db: AsyncSession) -> tuple[str, str]:
        """(key id, secret) that signs. Needs a system session."""

    async def secret(self, database: Database, key_id: str) -> str | None:
        """The secret of a key that is still believed."""


async def issue(claims: AccessClaims, keys: Keys, db: AsyncSession) -> str:
    """A signed token for one hour from now. Needs a system session, as signing in has one."""
    key_id, secret = await keys.newest(db)
    payload = {
        "iss": _ISSUER,
        "aud": _AUDIENCE,
        "sub": str(claims.subject),
        "kind": claims.kind,
        "sid": str(claims.session_id or ""),
        "scope": claims.scope,
        "iat": int(clock.now().timestamp()),
        "exp": int((clock.now() + ACCESS_TOKEN_LIFE).timestamp()),
    }
    return jwt.encode(payload, secret, algorithm="HS256", headers={"kid": key_id})


async def read(token: str, keys: Keys, database: Database) -> AccessClaims | None:
    """What `token` says, or None when it is forged, malformed or not ours.

    Raises:
        TokenExpired: when it is ours, and over.
    """
    try:
        secret = await keys.secret(database, str(jwt.get_unverified_header(token).get("kid", "")))
        if secret is None:
            return None
        payload = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            issuer=_ISSUER,
            audience=_AUDIENCE,
            options={
                "require": ["exp", "iat", "sub", "sid", "iss", "aud", "kind", "scope"],
                "verify_exp": False,
                "verify_iat": False,
                "enforce_minimum_key_length": True,
            },
        )
        session_id = uuid.UUID(payload["sid"]) if payload["sid"] else None
        claims = AccessClaims(uuid.UUID(payload["sub"]), payload["kind"], session_id, payload["scope"])
    except (jwt.InvalidTokenError, ValueError):
        return None
    if payload["exp"] <= clock.now().timestamp():
        raise TokenExpired
    return claims


def expires_at() -> datetime:
    """When a token that is issued now ends."""
    return clock.now() + ACCESS_TOKEN_LIFE
