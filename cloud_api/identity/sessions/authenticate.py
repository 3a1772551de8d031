"""People's access tokens, for the kernel's list of authenticators."""

from collections.abc import Sequence
from dataclasses import replace

from cloud_api.identity.errors import SessionEnded
from cloud_api.identity.organizations.service import organization_called
from cloud_api.identity.sessions import service
from cloud_api.identity.tokens import AccessClaims, Keys, read
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Forbidden
from cloud_api.kernel.permissions import ALL, Authenticator, Credential, Principal
from cloud_api.kernel.served_together import ServedTogether
from cloud_api.kernel.tenancy import SystemScope


async def visit(database: Database, principal: Principal, slug: str) -> Principal:
    """The same super administrator, at work in the organisation `slug`; its trail names them.

    Raises:
        Forbidden: when anybody else asks.
        NotFound: when there is no such organisation.
    """
    if principal.kind != "user" or ALL not in principal.permissions:
        raise Forbidden("only super administrators work in other organisations: leave X-Organization away")
    async with database.unit_of_work(SystemScope("visit an organisation"), read_only=True) as db:
        organization = await organization_called(db, slug)
    return replace(principal, organization_id=organization.id)


def people(keys: Keys, *, two_factor_for_admins: bool) -> Authenticator:
    """An authenticator for access tokens signed with one of `keys`.

    Whether a sign-in still stands is looked up at every request; those that come meanwhile are looked up together.
    """

    async def look_up(database: Database, shown: Sequence[AccessClaims]) -> Sequence[Principal | None]:
        async with database.unit_of_work(SystemScope("authenticate people"), read_only=True) as db:
            return await service.principals_of(db, shown, two_factor_for_admins=two_factor_for_admins)

    waiting: ServedTogether[Database, AccessClaims, Principal | None] = ServedTogether(
        look_up, what="authentication", one_by_one=False
    )

    async def authenticate(database: Database, credential: Credential) -> Principal | None:
        claims = await read(credential.token, keys, database)
        if claims is None or claims.kind != "person":
            return None
        principal = await waiting.ask(database, claims)
        if principal is None:
            raise SessionEnded
        return principal

    return authenticate
