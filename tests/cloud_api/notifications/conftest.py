from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa

from cloud_api.notifications.push import FcmPush
from device_sims.fcm import FcmDouble
from tests.cloud_api.notifications.outgoing import give_up
from tests.factories.grounds import farm, ground, store
from tests.factories.grounds import mostly_embedded_url as ground_url
from tests.platform_under_test import Platform

__all__ = ["farm", "ground", "ground_url", "store"]


@pytest.fixture(scope="session")
def service_key() -> rsa.RSAPrivateKey:
    """One key for all doubles: drawing it takes longer than most tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def double(service_key: rsa.RSAPrivateKey) -> Iterator[FcmDouble]:
    with FcmDouble(key=service_key) as running:
        yield running


@pytest.fixture
def service_account(double: FcmDouble, tmp_path: Path) -> Path:
    """The service account's file."""
    double.write_service_account(tmp_path / "service-account.json")
    return tmp_path / "service-account.json"


@pytest_asyncio.fixture(loop_scope="session")
async def pushing(farm: Platform, double: FcmDouble, service_account: Path) -> AsyncIterator[Platform]:
    """The platform with a push service that is the double."""
    farm.push = push = FcmPush(service_account, url=double.url)
    yield farm
    await push.close()


@pytest_asyncio.fixture(loop_scope="session")
async def sending(farm: Platform) -> AsyncIterator[Platform]:
    """The platform; what it could not send in this test it does not send in another."""
    yield farm
    await give_up(farm)
