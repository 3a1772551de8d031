"""Access tokens: JWT, signed with the secret key, one hour. Expiry is judged by our own clock."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

import jwt

from cloud_api.kernel import clock

ACCESS_TOKEN_LIFE = timedelta(hours=1)
REFRESH_TOKEN_LIFE = timedelta(days=7)
_ISSUER = "coldfleet"


@dataclass(frozen=True)
class AccessClaims:
    """What an access token says."""

    user_id: uuid.UUID
    session_id: uuid.UUID


def issue_access_token(claims: AccessClaims, secret_key: str) -> str:
    """A signed token for one hour from now."""
    payload = {
        "iss": _ISSUER,
        "sub": str(claims.user_id),
        "sid": str(claims.session_id),
        "exp": int((clock.now() + ACCESS_TOKEN_LIFE).timestamp()),
    }
    return jwt.encode(payload, secret_key, algorithm="HS256")


def read_access_token(token: str, secret_key: str) -> AccessClaims | None:
    """What `token` says, or None when it is forged, malformed or expired."""
    try:
        payload = jwt.decode(
            token,
            secret_key,
            algorithms=["HS256"],
            issuer=_ISSUER,
            options={"require": ["exp", "sub", "sid", "iss"], "verify_exp": False, "enforce_minimum_key_length": True},
        )
        claims = AccessClaims(uuid.UUID(payload["sub"]), uuid.UUID(payload["sid"]))
    except (jwt.InvalidTokenError, ValueError):
        return None
    return claims if payload["exp"] > clock.now().timestamp() else None
