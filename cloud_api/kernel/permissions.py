"""Who asks, and whether they may: `Principal`, and `require("stock:write")` for a route.

The kernel knows no users and no gateways: `main` registers authenticators, each of which knows its own credential.

A permission is `resource:action`. What is granted may be wider: `resource:*`, a group's `inventory:*` (`GROUPS`), `*`.
"""

import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import structlog
from fastapi import Depends, Request, WebSocket
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from cloud_api.kernel.addresses import client_address
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Forbidden, Unauthenticated
from cloud_api.kernel.metrics import PRINCIPAL
from cloud_api.kernel.rate_limits import Budget, charge
from cloud_api.kernel.tenancy import OrganizationScope

ALL = "*"

#: a group's name stands for several resources: `inventory:*` grants `stock:read`
GROUPS: Mapping[str, frozenset[str]] = {
    "inventory": frozenset({"products", "stock", "storage", "production", "items", "media", "imports", "exports"}),
    "logistics": frozenset({"routes", "fleet", "deliveries", "dispatch", "orders", "customers"}),
    "staff": frozenset({"staff", "tasks"}),
}

#: what a principal must do first, and the code of the answer to everything else
Duty = Literal["TWO_FACTOR_REQUIRED", "PASSWORD_EXPIRED"]
_DUTIES: Mapping[Duty, str] = {
    "TWO_FACTOR_REQUIRED": "your role needs a second factor: enrol at /api/v1/auth/2fa/setup first",
    "PASSWORD_EXPIRED": "your password has to be changed first: /api/v1/auth/change-password",
}


def grants(granted: Collection[str], permission: str) -> bool:
    """Whether what was granted covers `permission`, wildcards and groups included."""
    resource, _, _ = permission.partition(":")
    if ALL in granted or permission in granted or f"{resource}:*" in granted:
        return True
    return any(f"{group}:*" in granted and resource in resources for group, resources in GROUPS.items())


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A person or a machine that has proved who it is."""

    kind: Literal["user", "gateway", "api_key", "oauth_client"]
    id: uuid.UUID
    organization_id: uuid.UUID
    permissions: frozenset[str]
    #: granted for what is their own only: a customer's orders, a driver's deliveries
    own_permissions: frozenset[str] = frozenset()
    #: how the trail names them
    name: str = ""
    roles: frozenset[str] = frozenset()
    #: the sign-in that this access token came from; people only
    session_id: uuid.UUID | None = None
    #: until this is done, nothing else is open to them
    duty: Duty | None = None

    @property
    def scope(self) -> OrganizationScope:
        """The organisation that a unit of work for this principal is confined to."""
        return OrganizationScope(self.organization_id)

    def may(self, permission: str) -> bool:
        """Whether `permission` was granted, be it only for what is their own."""
        return grants(self.permissions, permission) or grants(self.own_permissions, permission)

    def may_only_own(self, permission: str) -> bool:
        """Whether `permission` was granted for nothing but what is their own."""
        return not grants(self.permissions, permission)


@dataclass(frozen=True)
class Credential:
    """What somebody shows to prove who they are, and from where."""

    token: str = field(repr=False)
    #: the caller's IP address
    address: str = ""
    #: the operation looks at the credential again, in its own transaction (`@checks_again`)
    checked_again: bool = False


#: Answers None when the credential is not of its kind; raises `Unauthenticated` when it is, but not valid.
Authenticator = Callable[[Database, Credential], Awaitable[Principal | None]]

#: registered by `main`, asked about everybody who has proved who they are; raises when they may not come in this way
AdmissionGate = Callable[[HTTPConnection, Principal], Awaitable[None]]

bearer = HTTPBearer(
    auto_error=False,
    description="Access token of `POST /api/v1/auth/login` or `POST /api/v1/auth/oauth/token`, an API key, "
    "or a gateway's credential.",
)
key_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="An API key, where Bearer is not possible.")


#: short name of the organisation to work in; super administrators send it beside their own credential
VISIT_HEADER = "X-Organization"
#: lets a super administrator work in another organisation, by its short name
Visit = Callable[[Database, Principal, str], Awaitable[Principal]]


async def current_principal(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    api_key: Annotated[str | None, Depends(key_header)],
) -> Principal:
    """Who sends this request; it is counted for them.

    Raises:
        Unauthenticated: without a credential, or with one that is not valid (any more).
        Forbidden: when a gate does not let them in from where they are.
        RateLimited: when they have asked too often.
        DutyFirst: when something else has to be done first.
    """
    token = credentials.credentials if credentials else api_key
    if token is None:
        raise Unauthenticated("sign in first: send `Authorization: Bearer <access token>`")
    principal = await identify(request, token)
    own: Budget = "console" if CONSOLE in request.scope else "gateway" if principal.kind == "gateway" else "default"
    await charge(request, default=own, subject=f"{principal.kind}:{principal.id}")
    if principal.duty is not None and not getattr(request.scope.get("endpoint"), OPEN_IN_DUTY, False):
        raise DutyFirst(principal.duty)
    visited = request.headers.get(VISIT_HEADER)
    if visited is not None:
        visit: Visit = request.app.state.visit
        return await visit(request.app.state.database, principal, visited)
    return principal


async def identify(connection: HTTPConnection, token: str) -> Principal:
    """Whose token this is, of a request or a websocket.

    Raises:
        Unauthenticated: when it is nobody's (any more).
        Forbidden: when a gate does not let them in from where they are.
    """
    gates: Sequence[AdmissionGate] = getattr(connection.app.state, "admission_gates", ())
    principal = await _proved(connection, token)
    connection.scope[PRINCIPAL] = principal
    structlog.contextvars.bind_contextvars(
        organization_id=str(principal.organization_id), principal=f"{principal.kind}:{principal.id}"
    )
    for admit in gates:
        await admit(connection, principal)
    return principal


async def _proved(connection: HTTPConnection, token: str) -> Principal:
    known: Proved = connection.scope.get(CONSOLE, {})
    if token in known:
        return known[token]
    again = getattr(connection.scope.get("endpoint"), CHECKS_AGAIN, False)
    credential = Credential(token, client_address(connection), checked_again=again)
    authenticators: Sequence[Authenticator] = connection.app.state.authenticators
    for authenticate in authenticators:
        principal = await authenticate(connection.app.state.database, credential)
        if principal is not None:
            known[token] = principal
            return principal
    raise Unauthenticated("this access token is not valid: sign in again")


class DutyFirst(Forbidden):
    """Signed in, but something has to be done before anything else."""

    def __init__(self, duty: Duty) -> None:
        super().__init__(_DUTIES[duty])
        self.code = duty  # type: ignore[misc]  # one class, two stable codes


#: where a route's dependency keeps what it requires, for the table of who may do what
REQUIRED = "coldfleet_required"
OPEN_IN_DUTY = "coldfleet_open_in_duty"
CHECKS_AGAIN = "coldfleet_checks_again"
F = TypeVar("F", bound=Callable[..., object])


def open_in_duty(endpoint: F) -> F:
    """Mark a route as open to who has to enrol a second factor or change the password first."""
    setattr(endpoint, OPEN_IN_DUTY, True)
    return endpoint


def checks_again(endpoint: F) -> F:
    """Mark an operation that looks at its caller's credential again, in the transaction that does the work.

    Until then an authenticator may answer from memory: an operation that is called many times a second costs no query
    for it.
    """
    setattr(endpoint, CHECKS_AGAIN, True)
    return endpoint


#: a websocket's subprotocols are this word and then the token: a browser can send no header of its own, and what
#: stands in an address is written down on the way
TOKEN_SUBPROTOCOL = "bearer"  # noqa: S105 - the scheme's name


#: whose token it is, by the token
Proved = dict[str, Principal]
#: in the scope of what the console asks, in this process, for who is signed in at it: `Proved` until it writes
#: something, so that a page that asks ten times proves once who asks
CONSOLE = "coldfleet.console"
#: where a browser keeps the access token of who is signed in at the console
BROWSER_COOKIE = "coldfleet_access"


def _offered(socket: WebSocket) -> str:
    """The token that a websocket was opened with; a cookie counts on our own pages only."""
    offered = socket.scope.get("subprotocols", [])
    if offered:
        return offered[1] if len(offered) == 2 and offered[0] == TOKEN_SUBPROTOCOL else ""
    own = urlsplit(socket.headers.get("origin", "")).netloc == socket.headers.get("host")
    return socket.cookies.get(BROWSER_COOKIE, "") if own else ""


async def watcher(socket: WebSocket, permission: str) -> Principal:
    """Who opens a websocket, or still watches it, and may.

    Raises:
        Unauthenticated: without a token, or with one that is not valid (any more).
        Forbidden: without the permission, or when something else has to be done first.
    """
    principal = await identify(socket, _offered(socket))
    if principal.duty is not None:
        raise DutyFirst(principal.duty)
    if not principal.may(permission):
        raise Forbidden(f"this needs the permission {permission}")
    return principal


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


def check(principal: Principal, *permissions: str) -> None:
    """Let a principal pass that has any of `permissions`.

    Raises:
        Forbidden: otherwise.
    """
    if not any(principal.may(permission) for permission in permissions):
        raise Forbidden(f"this needs the permission {' or '.join(permissions)}; ask your administrator for it")


def require(*permissions: str) -> Any:
    """A dependency that lets the request pass when the principal has any of `permissions`."""

    async def required(principal: CurrentPrincipal) -> None:
        check(principal, *permissions)

    setattr(required, REQUIRED, permissions)
    return Depends(required)
