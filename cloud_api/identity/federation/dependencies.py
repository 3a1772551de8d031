"""What the routes ask for before their unit of work begins: everything that goes over the network."""

import uuid
from typing import Annotated

import structlog
from fastapi import Depends, Request

from cloud_api.identity.federation import directory, oidc, service
from cloud_api.identity.federation.errors import ProviderUnavailable, SignInRefused
from cloud_api.identity.federation.models import IdentityProvider
from cloud_api.identity.federation.oidc import Discovered
from cloud_api.identity.federation.schemas import DirectoryLogin, OidcProviderWrite, ProviderWrite, SignInAnswer
from cloud_api.identity.sessions import attempts
from cloud_api.kernel.db import Database
from cloud_api.kernel.outbound import OutboundPolicy, check_url
from cloud_api.kernel.tenancy import SystemScope

log = structlog.get_logger(__name__)


def outbound_policy(request: Request) -> OutboundPolicy:
    """Where this platform may be sent."""
    return OutboundPolicy.of(request.app.state.settings)


Outbound = Annotated[OutboundPolicy, Depends(outbound_policy)]


async def reachable(body: ProviderWrite, policy: Outbound) -> None:
    """The administrator hears at once that an address is refused; it is judged again at each use."""
    if isinstance(body, OidcProviderWrite):
        await check_url(body.issuer, policy, name="issuer")
    else:
        await check_url(body.url, policy, schemes=directory.SCHEMES)


async def published(request: Request, provider: uuid.UUID, policy: Outbound) -> tuple[IdentityProvider, Discovered]:
    """An open provider, and what it publishes about itself."""
    database: Database = request.app.state.database
    async with database.unit_of_work(SystemScope("sign in: which provider"), read_only=True) as db:
        found = await service.provider_open_to(db, provider)
    try:
        return found, await oidc.discover(found.url, policy)
    except ProviderUnavailable as away:
        _report(found, away)
        raise


Published = Annotated[tuple[IdentityProvider, Discovered], Depends(published)]


async def came_back(request: Request, provider: uuid.UUID, body: SignInAnswer, policy: Outbound) -> service.CameBack:
    """The answer, traded in at the provider. While that is away nothing is used up: the same request may succeed."""
    database: Database = request.app.state.database
    async with database.unit_of_work(SystemScope("sign in: who is under way"), read_only=True) as db:
        found = await service.provider_open_to(db, provider)
        state, binding = body.state.get_secret_value(), body.binding.get_secret_value()
        row = await service.under_way(db, found.id, state=state, binding=binding)
    try:
        outcome = await oidc.trade_in(
            found, code=body.code.get_secret_value(), code_verifier=row.code_verifier, nonce=row.nonce, policy=policy
        )
    except ProviderUnavailable as away:
        _report(found, away)
        raise
    except SignInRefused as refused:
        return service.CameBack(row.id, found.id, refused)
    return service.CameBack(row.id, found.id, outcome)


CameBack = Annotated[service.CameBack, Depends(came_back)]


async def attempted_at_directory(request: Request, body: DirectoryLogin, policy: Outbound) -> service.DirectoryAttempt:
    """The body's login and password, judged by the directory; one that is locked is not tried."""
    database: Database = request.app.state.database
    scope = SystemScope("sign in: whose name is this")
    async with database.unit_of_work(scope, read_only=True) as db:
        provider = await service.directory_of(db, body.organization)
    if provider is None:
        return service.DirectoryAttempt(body.login, None, None, False)
    try:
        entry = await directory.look_up(provider, body.login, policy)
        async with database.unit_of_work(scope, read_only=True) as db:
            await attempts.refuse_if_locked(db, await service.key_of(db, provider, body.login, entry))
        matches = await directory.password_is_right(provider, entry, body.password.get_secret_value(), policy)
    except ProviderUnavailable as away:
        _report(provider, away)
        raise
    return service.DirectoryAttempt(body.login, provider.id, entry, matches)


AttemptedAtDirectory = Annotated[service.DirectoryAttempt, Depends(attempted_at_directory)]


def _report(provider: IdentityProvider, away: ProviderUnavailable) -> None:
    log.warning("identity_provider_unavailable", identity_provider_id=str(provider.id), reason=away.reason)
