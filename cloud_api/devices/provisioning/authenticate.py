"""Gateways' credentials, for the kernel's list of authenticators."""

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable

from cloud_api.devices.errors import GatewayUnknown
from cloud_api.devices.provisioning import service
from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.roles.catalogue import built_in_roles
from cloud_api.kernel.db import Database
from cloud_api.kernel.permissions import Authenticator, Credential, Principal
from cloud_api.kernel.tenancy import SystemScope

_BELIEVED_FOR_S = 60.0
_BELIEVED_AT_MOST = 10_000


def gateways(*, monotonic: Callable[[], float] = time.monotonic) -> Authenticator:
    """An authenticator for `gateway.<id>.<secret>`. The first use of a new secret ends the one before.

    A credential is believed for a minute where the operation looks at it again (`Credential.checked_again`).
    """
    believed: OrderedDict[tuple[Database, uuid.UUID, str], tuple[Principal, float]] = OrderedDict()

    async def authenticate(database: Database, credential: Credential) -> Principal | None:
        if not credential.token.startswith("gateway."):
            return None
        gateway_id, secret = read(credential.token)
        key = (database, gateway_id, service.digest_of(secret))
        principal, until_s = believed.get(key, (None, 0.0))
        if principal is not None and credential.checked_again and monotonic() < until_s:
            return principal
        principal = await _look_up(database, gateway_id, secret)
        believed[key] = principal, monotonic() + _BELIEVED_FOR_S
        if len(believed) > _BELIEVED_AT_MOST:
            believed.popitem(last=False)
        return principal

    return authenticate


def read(token: str) -> tuple[uuid.UUID, str]:
    """(id, secret) of `gateway.<id>.<secret>`.

    Raises:
        GatewayUnknown: when it is not of that form.
    """
    gateway_id, _, secret = token.removeprefix("gateway.").partition(".")
    try:
        return uuid.UUID(gateway_id), secret
    except ValueError:
        raise GatewayUnknown from None


def digest_shown(token: str) -> str:
    """What is kept of the secret in a gateway's credential.

    Raises:
        GatewayUnknown: when it is none.
    """
    return service.digest_of(read(token)[1])


async def _look_up(database: Database, gateway_id: uuid.UUID, secret: str) -> Principal:
    async with database.unit_of_work(SystemScope("authenticate a gateway"), read_only=True) as db:
        gateway = await service.gateway_by_secret(db, gateway_id=gateway_id, secret=secret)
        welcome = gateway is not None and await organizations.is_active(db, gateway.organization_id)
    if gateway is None or not welcome:
        raise GatewayUnknown
    if not service.is_in_force(gateway, secret):
        async with database.unit_of_work(SystemScope("let a gateway's new secret replace the old one")) as db:
            await service.put_in_force(db, gateway_id=gateway_id, secret=secret)
    return Principal(
        kind="gateway",
        id=gateway.id,
        organization_id=gateway.organization_id,
        permissions=built_in_roles()["gateway"],
    )
