"""The gateway's identity: whatever is lost on the way, and whenever the power goes, the cloud still knows it."""

import asyncio
import os
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.contract import NewCredential
from gateway.credentials import FILE_NAME, Credential, Credentials, open_credentials
from gateway.errors import StateError
from gateway.state_files import StateFile
from gateway.upkeep import commands
from gateway.uplink.cloud import CloudRefused, CloudUnavailable

GATEWAY_ID = "0198f0c0-0000-7000-8000-000000000001"
#: what becomes of one call: it arrives or not, its answer arrives or not, the gateway dies before it takes it in or not
Fate = Literal["good", "request lost", "answer lost", "dies before sending", "dies with the answer"]
FATES: tuple[Fate, ...] = ("good", "request lost", "answer lost", "dies before sending", "dies with the answer")


class PowerCut(Exception):
    pass


class StrictCloud:
    """The contract's promise and no more: an old secret is good until the new one has been used."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.new = ""
        self.fate: Fate = "good"

    def copy(self) -> "StrictCloud":
        other = StrictCloud(self.secret)
        other.new = self.new
        return other

    def authenticate(self, credential: Credential) -> None:
        if credential.secret == self.new:
            self.secret, self.new = self.new, ""
        if credential.secret != self.secret or credential.gateway_id != GATEWAY_ID:
            raise CloudRefused(401, "credential_unknown")

    async def rotate_credentials(self, credential: Credential, new: NewCredential) -> None:
        with call(self.fate):
            self.authenticate(credential)
            self.new = "" if new.secret == self.secret else new.secret


async def rotate(credentials: Credentials, cloud: StrictCloud, fate: Fate) -> None:
    """The command, with a fate."""
    cloud.fate = fate
    with suppress(CloudUnavailable):
        await commands.rotate(credentials, cloud)  # type: ignore[arg-type]  # the contract alone, without a socket


async def beat(credentials: Credentials, cloud: StrictCloud, fate: Fate) -> bool:
    """What each heartbeat does; whether the cloud knew the gateway."""
    credential = credentials.current()
    try:
        with call(fate):
            cloud.authenticate(credential)
    except CloudRefused:
        assert credentials.doubted(credential), "there is another to try"
        return False
    except CloudUnavailable:
        return False
    await credentials.proved(credential)
    return True


@contextmanager
def call(fate: Fate) -> Iterator[None]:
    if fate == "dies before sending":
        raise PowerCut
    if fate == "request lost":
        raise CloudUnavailable("lost")
    yield
    if fate == "answer lost":
        raise CloudUnavailable("lost")
    if fate == "dies with the answer":
        raise PowerCut


async def claimed(folder: Path) -> Credentials:
    credentials = open_credentials(folder)
    await credentials.first_secret()
    await credentials.claimed(GATEWAY_ID, "ab" * 32)
    return credentials


async def _life(folder: Path, steps: list[tuple[str, Fate]]) -> None:
    credentials = await claimed(folder)
    cloud = StrictCloud(credentials.current().secret)
    for step, fate in steps:
        try:
            await (rotate if step == "rotate" else beat)(credentials, cloud, fate)
        except PowerCut:
            credentials = open_credentials(folder)
        # Whenever it dies, what the disk has gets it in: at the first try, or with the other secret at the second.
        with tempfile.TemporaryDirectory() as copy:
            (Path(copy) / FILE_NAME).write_bytes((folder / FILE_NAME).read_bytes())
            its_cloud, reborn = cloud.copy(), open_credentials(Path(copy))
            assert any([await beat(reborn, its_cloud, "good") for _ in range(2)])
            assert await beat(open_credentials(Path(copy)), its_cloud, "good"), "and it remembers which one it was"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["rotate", "beat"]), st.sampled_from(FATES)), max_size=8))
def test_no_power_cut_and_no_lost_answer_locks_the_gateway_out(steps: list[tuple[str, Fate]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_life(Path(folder), steps))


async def test_a_rotation_ends_with_the_new_secret_alone(tmp_path: Path) -> None:
    credentials = await claimed(tmp_path)
    old = credentials.current()
    cloud = StrictCloud(old.secret)
    await rotate(credentials, cloud, "good")
    assert credentials.current() != old
    assert old.secret in (tmp_path / FILE_NAME).read_text(), "until the new one has worked"
    assert await beat(credentials, cloud, "good")
    assert old.secret not in (tmp_path / FILE_NAME).read_text()
    assert open_credentials(tmp_path).current() == credentials.current()
    with pytest.raises(CloudRefused):
        cloud.authenticate(old)


async def test_a_rotation_whose_answer_was_lost_goes_on_with_the_secret_that_was_drawn(tmp_path: Path) -> None:
    credentials = await claimed(tmp_path)
    cloud = StrictCloud(credentials.current().secret)
    await rotate(credentials, cloud, "answer lost")
    sent = cloud.new
    credentials = open_credentials(tmp_path)
    assert await credentials.draw() == sent
    await rotate(credentials, cloud, "good")
    assert credentials.current().secret == sent


async def test_a_cloud_that_was_set_back_to_before_the_rotation_is_shown_the_old_secret(tmp_path: Path) -> None:
    credentials = await claimed(tmp_path)
    old = credentials.current()
    await rotate(credentials, StrictCloud(old.secret), "good")
    restored = StrictCloud(old.secret)
    assert [await beat(credentials, restored, "good") for _ in range(2)] == [False, True]
    assert open_credentials(tmp_path).current() == old


async def test_a_secret_the_cloud_has_no_other_for_is_not_doubted(tmp_path: Path) -> None:
    credentials = await claimed(tmp_path)
    assert not credentials.doubted(credentials.current())


async def test_the_file_is_for_the_gateway_alone_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    await claimed(tmp_path)
    assert os.listdir(tmp_path) == [FILE_NAME]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


async def test_what_a_spool_of_version_0_1_knew_is_taken_over_once(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "spool.sqlite3")) as old, old:
        old.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
        old.executemany("INSERT INTO meta VALUES (?,?)", [("gateway_id", GATEWAY_ID), ("secret", "cd" * 32)])
    assert open_credentials(tmp_path).current() == Credential(GATEWAY_ID, "cd" * 32)
    (tmp_path / "spool.sqlite3").unlink()
    assert open_credentials(tmp_path).current() == Credential(GATEWAY_ID, "cd" * 32)


@pytest.mark.parametrize("spool", [b"", b"no database at all, and longer than its header" * 9])
async def test_a_spoilt_spool_is_no_identity(tmp_path: Path, spool: bytes) -> None:
    (tmp_path / "spool.sqlite3").write_bytes(spool)
    assert open_credentials(tmp_path).gateway_id is None


async def test_a_spoilt_spool_costs_no_identity(tmp_path: Path) -> None:
    credential = (await claimed(tmp_path)).current()
    (tmp_path / "spool.sqlite3").write_bytes(b"\xff" * 4096)
    assert open_credentials(tmp_path).current() == credential


@pytest.mark.parametrize("content", [b"", b"{", b'{"secret": 5}', b"\xff\x00"])
async def test_a_spoilt_credential_says_how_to_get_another(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(StateError, match=f"{FILE_NAME} .*draw a new claim code"):
        open_credentials(tmp_path)


class Note(msgspec.Struct):
    text: str


@given(st.binary(max_size=200))
def test_a_small_file_is_read_or_refused_whatever_is_in_it(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "note.json"
        path.write_bytes(content)
        with suppress(StateError):
            assert isinstance(StateFile(path, Note).load(), Note)


async def test_a_save_that_was_cut_off_leaves_the_old_content(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "note.json", Note)
    assert file.load() is None
    await file.save(Note("old"))
    (tmp_path / "note.json.new").write_bytes(b'{"te')
    assert file.load() == Note("old")
    await file.save(Note("new"))
    assert file.load() == Note("new")
    assert os.listdir(tmp_path) == ["note.json"]
