"""Who asks, and whether they may: `Principal`, and `require("stock:write")` for a route.

The kernel knows no users and no gateways: `main` registers authenticators, each of which knows its own credential.
"""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Forbidden, Unauthenticated
from cloud_api.kernel.tenancy import OrganizationScope

ALL = "*"


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A person or a machine that has proved who it is."""

    kind: Literal["user", "gateway"]
    id: uuid.UUID
    organization_id: uuid.UUID
    permissions: frozenset[str]
    #: the sign-in that this access token came from; people only
    session_id: uuid.UUID | None = None

    @property
    def scope(self) -> OrganizationScope:
        """The organisation that a unit of work for this principal is confined to."""
        return OrganizationScope(self.organization_id)

    def may(self, permission: str) -> bool:
        """Whether `permission` was granted."""
        return ALL in self.permissions or permission in self.permissions


#: Answers None when the token is not of its kind; raises `Unauthenticated` when it is, but not valid.
Authenticator = Callable[[Database, str], Awaitable[Principal | None]]

bearer = HTTPBearer(auto_error=False, description="Access token of `POST /api/v1/auth/login`, or a gateway's.")


async def current_principal(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Principal:
    """Who sends this request.

    Raises:
        Unauthenticated: without a credential, or with one that is not valid (any more).
    """
    if credentials is None:
        raise Unauthenticated("sign in first: send `Authorization: Bearer <access token>`")
    return await identify(request.app, credentials.credentials)


async def identify(app: FastAPI, token: str) -> Principal:
    """Whose token this is.

    Raises:
        Unauthenticated: when it is nobody's (any more).
    """
    authenticators: Sequence[Authenticator] = app.state.authenticators
    for authenticate in authenticators:
        principal = await authenticate(app.state.database, token)
        if principal is not None:
            structlog.contextvars.bind_contextvars(
                organization_id=str(principal.organization_id), principal=f"{principal.kind}:{principal.id}"
            )
            return principal
    raise Unauthenticated("this access token is not valid: sign in again")


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


def require(*permissions: str) -> Any:
    """A dependency that lets the request pass when the principal has any of `permissions`."""

    async def check(principal: CurrentPrincipal) -> None:
        if not any(principal.may(permission) for permission in permissions):
            raise Forbidden(f"this needs the permission {' or '.join(permissions)}; ask your administrator for it")

    return Depends(check)
