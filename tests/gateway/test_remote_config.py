"""What the cloud wants of a gateway: signed, tried, confirmed or taken back, and never asked for twice."""

import asyncio
import base64
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from itertools import chain, repeat
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.clock import Clock
from gateway.config import CloudSettings
from gateway.contract import ConfigAck, GatewayConfig
from gateway.credentials import Credentials, open_credentials
from gateway.upkeep.provisioning import provision
from gateway.upkeep.remote_config import FILE_NAME, RemoteConfig, Versions
from gateway.upkeep.signature import is_signed
from gateway.uplink.cloud import Cloud
from tests.gateway.cloud_double import CLAIM_CODE, GATEWAY_ID, CloudDouble, Fault
from tests.gateway.running import NOW_MS, high_limit, in_background
from tests.services.waiting import until

#: a thousand times as fast as the world
FAST = Clock(1000.0)
CONFIG_PATH = f"/api/v1/edge/gateways/{GATEWAY_ID}/config"
#: long enough that nothing is confirmed within a test, in the world of `FAST`
NEVER_S = 1e9
BUSY: Fault = "busy"


class Box:
    """A data folder and the lives of the gateway on it."""

    def __init__(self, folder: Path, cloud: CloudDouble, client: Cloud, credentials: Credentials) -> None:
        self.folder = folder
        self.cloud = cloud
        self.client = client
        self.credentials = credentials
        self.boot_id = "boot-1"
        self.applied: list[GatewayConfig] = []
        #: what `apply` does not take
        self.contradicts: set[int] = set()
        self.disk_error: sqlite3.Error | None = None
        self.proofs = 0

    def apply(self, config: GatewayConfig) -> None:
        if config.version in self.contradicts:
            raise ValueError("limit-1: clear_at is above set_at")
        self.applied.append(config)

    async def prove(self) -> None:
        self.proofs += 1
        if self.disk_error is not None:
            raise self.disk_error

    async def start(self, *, confirm_after_s: float = NEVER_S) -> RemoteConfig:
        """A new life, up to where its loop would begin."""
        remote = RemoteConfig(
            self.folder,
            self.client,
            FAST,
            self.apply,
            now_ms=lambda: NOW_MS,
            boot_id=self.boot_id,
            prove=self.prove,
            confirm_after_s=confirm_after_s,
        )
        await remote.restore()
        return remote

    @asynccontextmanager
    async def life(self, *, confirm_after_s: float = NEVER_S) -> AsyncIterator[RemoteConfig]:
        remote = await self.start(confirm_after_s=confirm_after_s)
        async with in_background(remote.run(self.credentials)):
            yield remote

    def saved(self) -> Versions:
        return msgspec.json.decode((self.folder / FILE_NAME).read_bytes(), type=Versions)

    def fetches(self) -> int:
        return sum((request.method, request.path) == ("GET", CONFIG_PATH) for request in self.cloud.requests)

    def told(self) -> list[tuple[int, str]]:
        return [(ack.version, ack.state) for ack in self.cloud.config_acks]

    async def confirmed(self, config: GatewayConfig) -> None:
        """Bring a version as far as it goes."""
        self.cloud.config = config
        async with self.life(confirm_after_s=0.0) as remote:
            remote.mentioned(config.version)
            await until(lambda: remote.current == config, what="it is in force")
            remote.mentioned(config.version)
            await until(lambda: (config.version, "confirmed") in self.told(), what="it is confirmed")
            await until(lambda: not self.saved().acks, what="nothing is left to tell")
        self.applied.clear()
        self.cloud.config_acks.clear()


@pytest.fixture
async def box(cloud: CloudDouble, tmp_path: Path) -> AsyncIterator[Box]:
    client = Cloud(CloudSettings(cloud.url))
    credentials = open_credentials(tmp_path)
    await provision(credentials, client, FAST, CLAIM_CODE, lambda: None)
    yield Box(tmp_path, cloud, client, credentials)
    await client.close()


def config(version: int, set_at: float = 8.0) -> GatewayConfig:
    return GatewayConfig(version, [high_limit(set_at=set_at)], gateway_id=GATEWAY_ID)


async def test_a_newer_version_is_fetched_once_tried_and_confirmed(box: Box) -> None:
    box.cloud.config = config(2)
    async with box.life(confirm_after_s=60.0) as remote:
        remote.mentioned(2)
        await until(lambda: box.told() == [(2, "staged")], what="it is on trial, and the cloud knows")
        assert (remote.current, box.applied) == (box.cloud.config, [box.cloud.config])
        assert box.saved().staged == box.cloud.config
        remote.mentioned(2)
        await until(lambda: box.told() == [(2, "staged"), (2, "confirmed")], what="it is confirmed")
        await until(lambda: box.saved() == Versions(box.cloud.config, boot_id="boot-1"), what="nothing is left to tell")
    assert (box.fetches(), box.proofs, len(box.applied)) == (1, 1, 1)


async def test_what_is_known_already_costs_nothing(box: Box) -> None:
    await box.confirmed(config(2))
    before = (box.folder / FILE_NAME).stat().st_mtime_ns, (box.folder / FILE_NAME).stat().st_ino
    requests = len(box.cloud.requests)
    async with box.life() as remote:
        for version in (2, 1, 2, 0):
            remote.mentioned(version)
            await asyncio.sleep(0)
    assert ((box.folder / FILE_NAME).stat().st_mtime_ns, (box.folder / FILE_NAME).stat().st_ino) == before
    assert len(box.cloud.requests) == requests
    assert box.applied == [config(2)]


async def test_the_same_content_under_a_new_number_is_not_put_in_force_again(box: Box) -> None:
    await box.confirmed(config(2))
    box.cloud.config = config(3)
    async with box.life() as remote:
        remote.mentioned(3)
        await until(lambda: box.told() == [(3, "staged")], what="the number is known")
        assert remote.current.version == 3
    assert [applied.version for applied in box.applied] == [2]


async def test_it_is_not_confirmed_before_the_cloud_was_heard_again(box: Box) -> None:
    box.cloud.config = config(2)
    async with box.life(confirm_after_s=0.0) as remote:
        remote.mentioned(2)
        await until(lambda: box.told() == [(2, "staged")], what="it is on trial")
        assert box.proofs == 0
        remote.mentioned(2)
        await until(lambda: box.told()[-1:] == [(2, "confirmed")], what="it is confirmed")


async def test_it_is_not_confirmed_while_the_disk_takes_nothing(box: Box) -> None:
    box.cloud.config = config(2)
    box.disk_error = sqlite3.OperationalError("database or disk is full")
    async with box.life(confirm_after_s=0.0) as remote:
        remote.mentioned(2)
        await until(lambda: remote.current.version == 2, what="it is on trial")
        remote.mentioned(2)
        await until(lambda: box.proofs >= 2, what="the disk was asked again")
        assert (2, "confirmed") not in box.told()
        box.disk_error = None
        await until(lambda: (2, "confirmed") in box.told(), what="it is confirmed")


async def test_a_version_under_which_the_gateway_falls_over_twice_is_taken_back(box: Box) -> None:
    await box.confirmed(config(2))
    box.cloud.config = config(3, set_at=9.0)
    async with box.life() as remote:
        remote.mentioned(3)
        await until(lambda: remote.current.version == 3, what="it is on trial")
    async with box.life() as remote:  # fell over once: it may have been something else
        assert remote.current.version == 3
    async with box.life() as remote:
        assert remote.current == config(2)
        assert box.applied[-1] == config(2)
        await until(lambda: box.told()[-1:] == [(3, "rolled_back")], what="the cloud knows")
        assert remote.warnings == [
            "configuration 3 rolled back, 2 is in force again: the gateway did not keep running with it"
        ]
        fetches = box.fetches()
        remote.mentioned(3)
        box.cloud.config = config(4)
        remote.mentioned(4)
        await until(lambda: remote.current.version == 4, what="a newer one is tried")
        assert box.fetches() == fetches + 1


async def test_neither_a_stop_in_good_order_nor_a_power_cut_speaks_against_a_version(box: Box) -> None:
    await box.confirmed(config(2))
    box.cloud.config = config(3)
    async with box.life() as remote:
        remote.mentioned(3)
        await until(lambda: remote.current.version == 3, what="it is on trial")
    for _ in range(3):
        await (await box.start()).stopped_well()
    for number in range(3):
        box.boot_id = f"after power cut {number}"
        await box.start()
    assert (await box.start()).current.version == 2, "but this was a second start of the same boot"


async def test_a_version_that_kills_the_gateway_while_it_is_tried_is_taken_back_too(box: Box) -> None:
    class Killed(BaseException):
        pass

    def kill(config: GatewayConfig) -> None:
        if config.version == 3:
            raise Killed
        box.applied.append(config)

    await box.confirmed(config(2))
    box.cloud.config = config(3)

    async def live() -> RemoteConfig:
        remote = RemoteConfig(
            box.folder, box.client, FAST, kill, now_ms=lambda: NOW_MS, boot_id="boot-1", prove=box.prove
        )
        await remote.restore()
        await remote.offer(msgspec.structs.replace(config(3), heartbeat_interval_s=5))
        return remote

    for _ in range(2):
        with pytest.raises(Killed):
            await live()
    assert (await live()).current.version == 2


async def test_a_version_that_contradicts_itself_is_refused_and_not_asked_for_again(
    box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    await box.confirmed(config(2))
    box.contradicts = {3}
    box.cloud.config = config(3, set_at=1.0)
    fetches = box.fetches()
    async with box.life() as remote:
        remote.mentioned(3)
        await until(lambda: box.told() == [(3, "refused")], what="the cloud knows")
        assert box.cloud.config_acks[0].reason == "limit-1: clear_at is above set_at"
        assert remote.current == config(2)
    assert "configuration 3 refused, 2 stays: limit-1: clear_at is above set_at" in caplog.text
    async with box.life() as remote:
        remote.mentioned(3)
        box.cloud.config = config(4)
        remote.mentioned(4)
        await until(lambda: remote.current.version == 4, what="the next one is tried")
    assert box.fetches() == fetches + 2


async def test_a_refused_version_leaves_the_one_on_trial_in_force(box: Box) -> None:
    box.contradicts = {3}
    box.cloud.config = config(2)
    async with box.life() as remote:
        remote.mentioned(2)
        await until(lambda: remote.current.version == 2, what="2 is on trial")
        box.cloud.config = config(3, set_at=5.0)
        remote.mentioned(3)
        await until(lambda: (3, "refused") in box.told(), what="3 is refused")
        assert remote.current.version == 2
        assert box.saved().staged == config(2)


async def test_what_nobody_of_ours_has_signed_is_refused(box: Box) -> None:
    box.cloud.config = config(2)
    box.cloud.key = Ed25519PrivateKey.generate()  # somebody between the cloud and us
    async with box.life() as remote:
        remote.mentioned(2)
        await until(lambda: box.told() == [(2, "refused")], what="the cloud knows")
        assert "not signed by the cloud" in box.cloud.config_acks[0].reason
        assert (remote.current.version, box.applied) == (0, [])


async def test_what_is_signed_for_another_gateway_is_refused(box: Box) -> None:
    box.cloud.config = msgspec.structs.replace(config(2), gateway_id="0198f0c0-0000-7000-8000-000000000002")
    async with box.life() as remote:
        remote.mentioned(2)
        await until(lambda: box.told() == [(2, "refused")], what="the cloud knows")
        assert "signed for another gateway" in box.cloud.config_acks[0].reason
        assert box.applied == []


async def test_a_page_of_the_hotels_network_is_no_version_to_refuse(box: Box) -> None:
    box.cloud.config = config(2)
    box.cloud.fail(["nonsense", "half", "busy", "cut_after"])
    async with box.life() as remote:
        remote.mentioned(2)
        await until(lambda: remote.current.version == 2, what="it is in force after all")
    assert (2, "refused") not in box.told()


async def test_a_gateway_that_knows_no_signer_takes_what_comes_warns_and_learns_no_key(
    box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    await box.credentials.claimed(GATEWAY_ID, "")
    box.cloud.config = config(2)
    async with box.life() as remote:
        remote.mentioned(2)
        await until(lambda: remote.current.version == 2, what="it is in force")
        assert ["who may sign" in warning for warning in remote.warnings] == [True]
    assert "claim the gateway again" in caplog.text
    assert open_credentials(box.folder).config_key == ""


async def test_acknowledgements_are_told_until_they_are_heard_also_by_the_next_life(box: Box) -> None:
    box.cloud.config = config(2)
    async with box.life() as remote:
        box.cloud.fail(chain([None], repeat(BUSY)))
        remote.mentioned(2)
        await until(lambda: remote.current.version == 2, what="it is on trial")
    assert box.saved().acks == [ConfigAck(2, "staged", NOW_MS)]
    box.cloud.fail([])
    async with box.life():
        await until(lambda: box.told() == [(2, "staged")], what="the cloud knows")
        await until(lambda: not box.saved().acks, what="it is forgotten")


async def test_a_cloud_that_answers_an_older_version_than_it_mentions_is_asked_again_later(box: Box) -> None:
    await box.confirmed(config(2))
    async with box.life() as remote:
        remote.mentioned(3)
        await until(lambda: box.fetches() >= 2, what="it was asked")
        box.cloud.config = config(3, set_at=5.0)
        await until(lambda: remote.current.version == 3, what="now it has it")


async def test_a_full_disk_keeps_no_gateway_from_running_with_what_it_has(box: Box) -> None:
    await box.confirmed(config(2))
    box.cloud.config = config(3)
    async with box.life() as remote:
        remote.mentioned(3)
        await until(lambda: remote.current.version == 3, what="it is on trial")
    saved = (box.folder / FILE_NAME).read_bytes()
    (box.folder / (FILE_NAME + ".new")).mkdir()  # nothing can be written
    remote = await box.start()
    assert remote.current.version == 3
    await remote.offer(config(4))
    assert remote.current.version == 3
    assert (box.folder / FILE_NAME).read_bytes() == saved


async def test_a_spoilt_file_is_fetched_anew(box: Box) -> None:
    await box.confirmed(config(2))
    (box.folder / FILE_NAME).write_bytes(b'{"confirmed": {"version"')
    async with box.life() as remote:
        assert remote.current.version == 0
        remote.mentioned(2)
        await until(lambda: remote.current == config(2), what="it is in force again")


async def test_what_a_spool_of_version_0_1_knew_is_in_force_at_once(box: Box) -> None:
    old = msgspec.json.encode({"version": 7, "limits": [msgspec.to_builtins(high_limit())]}).decode()
    with closing(sqlite3.connect(box.folder / "spool.sqlite3")) as spool, spool:
        spool.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
        spool.execute("INSERT INTO meta VALUES ('config', ?)", (old,))
    unsigned = msgspec.structs.replace(config(7), gateway_id="")
    assert (await box.start()).current == unsigned
    assert box.applied == [unsigned]


async def test_a_saved_version_that_newer_software_does_not_take_is_told(box: Box) -> None:
    await box.confirmed(config(2))
    box.contradicts = {2}
    remote = await box.start()
    assert ["nothing is judged" in warning for warning in remote.warnings] == [True]


# the signature


async def test_a_signature_is_believed_of_these_bytes_by_this_key_alone() -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw().hex()
    body = b'{"success":true,\n"data":{}}\n\n'
    signature = base64.b64encode(key.sign(body)).decode()
    assert await is_signed(body, signature, public)
    for forged in (
        is_signed(body + b" ", signature, public),
        is_signed(body, base64.b64encode(other.sign(body)).decode(), public),
        is_signed(body, signature, other.public_key().public_bytes_raw().hex()),
        is_signed(body, "", public),
        is_signed(body, "no base64!", public),
        is_signed(body, signature[:-8], public),
        is_signed(body, signature, "no key"),
    ):
        assert not await forged


async def test_the_gateway_itself_never_loads_the_library_for_signatures() -> None:
    source = (
        "import asyncio, sys\nimport gateway.upkeep.remote_config, gateway.upkeep.signature\n"
        "assert not asyncio.run(gateway.upkeep.signature.is_signed(b'x', 'AAAA', '00' * 32))\n"
        "print('cryptography' in sys.modules)"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", source, stdout=asyncio.subprocess.PIPE)
    assert (await process.communicate())[0] == b"False\n"
