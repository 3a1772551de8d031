from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from cloud_api.notifications.push import FcmPush
from device_sims.fcm import FcmDouble
from tests.flows.phones import Phones


@pytest.fixture(scope="session")
def service_key() -> rsa.RSAPrivateKey:
    """One key for all doubles: drawing it takes longer than most tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
async def phones(tmp_path: Path, service_key: rsa.RSAPrivateKey) -> AsyncIterator[Phones]:
    """A push service and the way to it."""
    with FcmDouble(key=service_key) as double:
        account = tmp_path / "service-account.json"
        double.write_service_account(account)
        push = FcmPush(account, url=double.url)
        yield Phones(double, account, push)
        await push.close()
