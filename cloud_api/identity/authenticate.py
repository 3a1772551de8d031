"""People's access tokens, for the kernel's list of authenticators."""

from cloud_api.identity import service
from cloud_api.identity.errors import SessionEnded
from cloud_api.identity.tokens import read_access_token
from cloud_api.kernel.db import Database
from cloud_api.kernel.permissions import Authenticator, Principal
from cloud_api.kernel.tenancy import SystemScope


def people(secret_key: str) -> Authenticator:
    """An authenticator for access tokens signed with `secret_key`."""

    async def authenticate(database: Database, token: str) -> Principal | None:
        claims = read_access_token(token, secret_key)
        if claims is None:
            return None
        async with database.unit_of_work(SystemScope("authenticate a person"), read_only=True) as db:
            principal = await service.principal_of(db, claims)
        if principal is None:
            raise SessionEnded
        return principal

    return authenticate
