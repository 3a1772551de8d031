"""Gateways' credentials, for the kernel's list of authenticators."""

import uuid

from cloud_api.devices.errors import GatewayUnknown
from cloud_api.devices.provisioning import service
from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.roles.catalogue import built_in_roles
from cloud_api.kernel.db import Database
from cloud_api.kernel.permissions import Credential, Principal
from cloud_api.kernel.tenancy import SystemScope


async def gateways(database: Database, credential: Credential) -> Principal | None:
    """Authenticate `gateway.<id>.<secret>`. The first use of a new secret ends the one before."""
    kind, _, own = credential.token.partition(".")
    gateway_id, _, secret = own.partition(".")
    if kind != "gateway":
        return None
    try:
        known_as = uuid.UUID(gateway_id)
    except ValueError:
        raise GatewayUnknown from None
    async with database.unit_of_work(SystemScope("authenticate a gateway"), read_only=True) as db:
        gateway = await service.gateway_by_secret(db, gateway_id=known_as, secret=secret)
        welcome = gateway is not None and await organizations.is_active(db, gateway.organization_id)
    if gateway is None or not welcome:
        raise GatewayUnknown
    if not service.is_in_force(gateway, secret):
        async with database.unit_of_work(SystemScope("let a gateway's new secret replace the old one")) as db:
            await service.put_in_force(db, gateway_id=known_as, secret=secret)
    return Principal(
        kind="gateway",
        id=gateway.id,
        organization_id=gateway.organization_id,
        permissions=built_in_roles()["gateway"],
    )
