"""A gateway's credential is believed from memory only where the operation looks at it again, and for a minute."""

import pytest
from sqlalchemy import update

from cloud_api.devices.errors import GatewayUnknown
from cloud_api.devices.models import Gateway
from cloud_api.devices.provisioning.authenticate import gateways
from cloud_api.kernel.permissions import Credential
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def test_a_credential_is_believed_for_a_minute_where_it_is_looked_at_again(
    farm: Platform, store: ColdStore
) -> None:
    now_s = 100.0
    authenticate = gateways(monotonic=lambda: now_s)
    quick = Credential(store.gateway_token, checked_again=True)
    known = await authenticate(farm.database, quick)
    assert known is not None
    assert str(known.id) == store.gateway_id
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await db.execute(update(Gateway).where(Gateway.id == known.id).values(status="decommissioned"))
    now_s += 59
    assert await authenticate(farm.database, quick) == known
    for credential in (Credential(store.gateway_token), Credential(store.gateway_token[:-1], checked_again=True)):
        with pytest.raises(GatewayUnknown):
            await authenticate(farm.database, credential)
    now_s += 2
    with pytest.raises(GatewayUnknown):
        await authenticate(farm.database, quick)


async def test_what_is_no_gateways_credential_is_somebody_elses_to_know(farm: Platform) -> None:
    authenticate = gateways()
    assert await authenticate(farm.database, Credential("cf_prefix_secret")) is None
    with pytest.raises(GatewayUnknown):
        await authenticate(farm.database, Credential("gateway.nobody.0"))
