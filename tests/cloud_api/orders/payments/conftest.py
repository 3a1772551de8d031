from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from cloud_api.orders.payments.provider import Razorpay
from device_sims.razorpay import RazorpayDouble
from tests.cloud_api.notifications.outgoing import give_up
from tests.factories.grounds import farm, ground, store
from tests.factories.grounds import mostly_embedded_url as ground_url
from tests.factories.payments import account_at
from tests.platform_under_test import Platform

__all__ = ["farm", "ground", "ground_url", "store"]


@pytest.fixture
def double() -> Iterator[RazorpayDouble]:
    with RazorpayDouble() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def razorpay(farm: Platform, double: RazorpayDouble) -> AsyncIterator[Razorpay]:
    """The platform's account; what could not be sent in this test is not sent in another."""
    async with account_at(farm, double) as account:
        yield account
    await give_up(farm)
