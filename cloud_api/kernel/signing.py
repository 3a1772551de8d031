"""Signed requests: an operation that moves money asks for more than a token, which may have leaked.

The caller signs with a secret that is never sent: HMAC-SHA256, in hexadecimal, over six lines

    POST
    /api/v1/suppliers/payments/process?dry_run=false
    <SHA-256 of the body, in hexadecimal>
    <X-Timestamp: seconds since 1970>
    <X-Nonce: 16 to 64 characters of A-Z a-z 0-9 . _ ->

and puts it into `X-Signature`. A timestamp is good for five minutes either way, a nonce once: several processes agree
on that through `COLDFLEET_RATE_LIMIT_STORE`. The kernel does not know where secrets live; `main` registers who does
(`app.state.signing_secret`).
"""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Request

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Unauthenticated
from cloud_api.kernel.permissions import CurrentPrincipal, Principal
from cloud_api.kernel.rate_limits import RateLimits

#: the secret that this principal signs with; None when they have none
SigningSecret = Callable[[Database, Principal], Awaitable[str | None]]

FRESH_FOR_S = 300
_NONCE = re.compile(r"[A-Za-z0-9._-]{16,64}")
_TIMESTAMP = re.compile(r"\d{1,12}")


class SignatureInvalid(Unauthenticated):
    """Not signed, not by this caller, not now, or a second time: the answer does not say more than it must."""

    code = "SIGNATURE_INVALID"


def signature_of(*, method: str, target: str, body: bytes, timestamp: str, nonce: str, secret: str) -> str:
    """What belongs into `X-Signature`; `target` is the path with its query, as it is sent."""
    lines = (method.upper(), target, hashlib.sha256(body).hexdigest(), timestamp, nonce)
    return hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()


async def check_signature(
    request: Request,
    principal: CurrentPrincipal,
    timestamp: Annotated[str, Header(alias="X-Timestamp")] = "",
    nonce: Annotated[str, Header(alias="X-Nonce")] = "",
    signature: Annotated[str, Header(alias="X-Signature")] = "",
) -> None:
    """Let the request pass when its caller has signed it.

    Raises:
        SignatureInvalid: otherwise.
        Unavailable: when nobody can tell whether the nonce was used before.
    """
    if not (_TIMESTAMP.fullmatch(timestamp) and _NONCE.fullmatch(nonce) and signature):
        raise SignatureInvalid("sign this request: X-Timestamp, X-Nonce and X-Signature are needed")
    if abs(clock.now().timestamp() - int(timestamp)) > FRESH_FOR_S:
        raise SignatureInvalid(f"X-Timestamp is more than {FRESH_FOR_S} s from our time: sign again")
    secret_of: SigningSecret = request.app.state.signing_secret
    secret = await secret_of(request.app.state.database, principal)
    if secret is None:
        raise SignatureInvalid("you have no signing secret yet: have one made")
    expected = signature_of(
        method=request.method,
        target=_target(request),
        body=await request.body(),
        timestamp=timestamp,
        nonce=nonce,
        secret=secret,
    )
    if not hmac.compare_digest(expected.encode(), signature.lower().encode()):
        raise SignatureInvalid("X-Signature does not fit this request")
    limits: RateLimits = request.app.state.rate_limits
    if not await limits.first_use(f"{principal.kind}:{principal.id}/{nonce}", within_s=2 * FRESH_FOR_S):
        raise SignatureInvalid("X-Nonce was used before: draw a new one")


def _target(request: Request) -> str:
    """The path and query as they came over the wire: still encoded, in the caller's own order."""
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope.get("query_string", b"")
    return (path.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")


#: the dependency of a sensitive operation: `dependencies=[require(...), signed]`
signed: Any = Depends(check_signature)
