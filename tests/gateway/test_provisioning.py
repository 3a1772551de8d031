"""How a gateway becomes known to its cloud."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.clock import Clock
from gateway.config import CloudSettings
from gateway.credentials import Credential, open_credentials
from gateway.errors import ClaimRefused, ConfigError
from gateway.upkeep.provisioning import provision
from gateway.uplink.cloud import Cloud
from tests.gateway.cloud_double import CLAIM_CODE, FAULTS, GATEWAY_ID, CloudDouble

#: a thousand times as fast as the world
FAST = Clock(1000.0)


@pytest.fixture
async def client(cloud: CloudDouble) -> AsyncIterator[Cloud]:
    client = Cloud(CloudSettings(cloud.url))
    yield client
    await client.close()


async def test_a_claim_code_is_traded_for_an_identity_and_the_first_configuration(
    cloud: CloudDouble, client: Cloud, tmp_path: Path
) -> None:
    credentials = open_credentials(tmp_path)
    assert await provision(credentials, client, FAST, CLAIM_CODE, lambda: None) == cloud.config
    assert (credentials.gateway_id, credentials.config_key) == (GATEWAY_ID, cloud.config_key)
    await client.commands(credentials.current())


async def test_a_claimed_gateway_needs_neither_a_code_nor_the_cloud(
    cloud: CloudDouble, client: Cloud, tmp_path: Path
) -> None:
    await provision(open_credentials(tmp_path), client, FAST, CLAIM_CODE, lambda: None)
    asked = len(cloud.requests)
    reborn = open_credentials(tmp_path)
    assert await provision(reborn, client, FAST, None, lambda: None) is None
    assert len(cloud.requests) == asked
    assert reborn.gateway_id == GATEWAY_ID


async def test_whatever_goes_wrong_on_the_way_the_same_secret_is_shown_again(
    cloud: CloudDouble, client: Cloud, tmp_path: Path
) -> None:
    cloud.fail(FAULTS)
    tries: list[None] = []
    credentials = open_credentials(tmp_path)
    await provision(credentials, client, FAST, CLAIM_CODE, lambda: tries.append(None))
    assert len(tries) >= 4
    assert len({request.body for request in cloud.requests}) == 1
    await client.commands(credentials.current())


async def test_a_gateway_that_dies_before_the_answer_comes_back_with_the_secret_it_has_sent(
    cloud: CloudDouble, client: Cloud, tmp_path: Path
) -> None:
    class PowerCut(Exception):
        pass

    def cut() -> None:
        raise PowerCut

    cloud.fail(["cut_after"])
    with pytest.raises(PowerCut):
        await provision(open_credentials(tmp_path), client, FAST, CLAIM_CODE, cut)
    reborn = open_credentials(tmp_path)
    assert reborn.gateway_id is None
    await provision(reborn, client, FAST, CLAIM_CODE, lambda: None)
    assert isinstance(reborn.current(), Credential)
    await client.commands(reborn.current())


async def test_without_a_code_the_operator_is_told_what_to_set(client: Cloud, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"set cloud\.claim_code"):
        await provision(open_credentials(tmp_path), client, FAST, None, lambda: None)


async def test_a_code_the_cloud_does_not_know_is_not_asked_for_twice(
    cloud: CloudDouble, client: Cloud, tmp_path: Path
) -> None:
    with pytest.raises(ClaimRefused, match=r"set cloud\.claim_code anew"):
        await provision(open_credentials(tmp_path), client, FAST, "WRONG", lambda: None)
    assert len(cloud.requests) == 1


async def test_a_disk_that_does_not_take_the_secret_is_waited_for_and_nothing_is_sent(
    cloud: CloudDouble, client: Cloud, tmp_path: Path
) -> None:
    credentials = open_credentials(tmp_path / "data")  # not there yet: nothing can be saved

    def mend() -> None:
        assert cloud.requests == []
        (tmp_path / "data").mkdir(exist_ok=True)

    await provision(credentials, client, FAST, CLAIM_CODE, mend)
    assert credentials.gateway_id == GATEWAY_ID
