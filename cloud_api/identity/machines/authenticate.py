"""API keys and clients' access tokens, for the kernel's list of authenticators."""

import structlog
from sqlalchemy.exc import SQLAlchemyError

from cloud_api.identity.machines import clients, credentials, service
from cloud_api.identity.machines.errors import ApiKeyRefused, ClientRefused, OutsideItsRanges
from cloud_api.identity.machines.models import ApiKey
from cloud_api.identity.refusals import Refusals
from cloud_api.identity.tokens import Keys, read
from cloud_api.kernel import clock
from cloud_api.kernel.addresses import is_within, parse_networks
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.permissions import Authenticator, Credential, Principal
from cloud_api.kernel.tenancy import SystemScope

log = structlog.get_logger(__name__)


def api_keys(refusals: Refusals) -> Authenticator:
    """An authenticator for `cf_<prefix>_<secret>`."""

    async def authenticate(database: Database, credential: Credential) -> Principal | None:
        if not credential.token.startswith(f"{credentials.API_KEY}_"):
            return None
        parts = credentials.parse_api_key(credential.token)
        if parts is None:
            raise ApiKeyRefused
        prefix, secret = parts
        async with database.unit_of_work(SystemScope("authenticate an API key"), read_only=True) as db:
            row = await service.api_key_called(db, prefix)
        if row is None:
            raise ApiKeyRefused
        principal = Principal(
            kind="api_key",
            id=row.id,
            organization_id=row.organization_id,
            permissions=frozenset(row.scopes),
            name=row.name,
        )
        refused = _refused(row, secret, credential.address)
        if refused is not None:
            reason, error = refused
            await refusals.tell(
                database,
                principal,
                address=credential.address,
                type="api_key_refused",
                severity="medium",
                details={"prefix": prefix, "reason": reason},
            )
            raise error
        if service.use_is_to_be_noted(row):
            await _note_use(database, row)
        return principal

    return authenticate


def clients_tokens(keys: Keys) -> Authenticator:
    """An authenticator for access tokens that were given to OAuth clients."""

    async def authenticate(database: Database, credential: Credential) -> Principal | None:
        claims = await read(credential.token, keys, database)
        if claims is None or claims.kind != "client":
            return None
        async with database.unit_of_work(SystemScope("authenticate an OAuth client"), read_only=True) as db:
            principal = await clients.principal_of(db, claims)
        if principal is None:
            raise ClientRefused
        return principal

    return authenticate


async def signing_secret(database: Database, principal: Principal) -> str | None:
    """What a principal signs sensitive requests with (`kernel.signing.SigningSecret`); API keys have one."""
    if principal.kind != "api_key":
        return None
    async with database.unit_of_work(principal.scope, read_only=True) as db:
        return await service.signing_secret_of(db, principal.id)


def _refused(row: ApiKey, secret: str, address: str) -> tuple[str, AppError] | None:
    """(why, what the caller hears). Who does not know the secret does not hear what else is wrong with the key."""
    if not credentials.is_right(row, secret):
        return "wrong secret", ApiKeyRefused()
    if row.revoked_at is not None:
        return "revoked", ApiKeyRefused("this API key was revoked")
    if row.expires_at is not None and row.expires_at <= clock.now():
        return "expired", ApiKeyRefused("this API key has expired")
    if row.ip_ranges and not is_within(address, parse_networks(row.ip_ranges, field="ip_ranges")):
        return "address", OutsideItsRanges()
    return None


async def _note_use(database: Database, row: ApiKey) -> None:
    """In a unit of work of its own: a request that only reads still does, and none fails for it."""
    try:
        async with database.unit_of_work(SystemScope("note the use of an API key")) as db:
            await service.note_use(db, row)
    except SQLAlchemyError as error:
        log.warning("api_key_use_not_noted", key_id=str(row.id), error=type(error).__name__)
