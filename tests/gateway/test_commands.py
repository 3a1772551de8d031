"""What the cloud asks a gateway to do: each once, and each answered, also when the power goes in between."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import chain, repeat
from pathlib import Path

import msgspec
import pytest

from gateway.clock import Clock
from gateway.config import CloudSettings
from gateway.contract import Command, CommandKind
from gateway.credentials import Credentials, open_credentials
from gateway.sources.publishing import Publisher
from gateway.upkeep.commands import FILE_NAME, Actions, Commands
from gateway.upkeep.provisioning import provision
from gateway.upkeep.recent_log import MOST_LINES, RecentLog
from gateway.uplink.cloud import Cloud
from tests.gateway.cloud_double import CLAIM_CODE, CloudDouble, Fault
from tests.gateway.running import NOW_MS, in_background
from tests.services.waiting import until

#: a thousand times as fast as the world
FAST = Clock(1000.0)


def after_one(faults: Iterable[Fault]) -> Iterable[Fault | None]:
    """The list of commands passes."""
    return chain([None], faults)


class Site:
    """Devices that listen, or do not."""

    def __init__(self, receivers: int) -> None:
        self.receivers = receivers
        self.published: list[tuple[str, bytes]] = []

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        assert not retain, "a tare is for now"
        self.published.append((topic, payload))
        return self.receivers


class Box:
    """A data folder, what can be set in motion, and the lives of the gateway."""

    def __init__(self, folder: Path, cloud: CloudDouble, client: Cloud, credentials: Credentials) -> None:
        self.folder = folder
        self.cloud = cloud
        self.client = client
        self.credentials = credentials
        self.sites: Sequence[Site] = [Site(0), Site(1)]
        self.restarts = 0
        self.identified: list[float] = []
        self.is_identifying = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.resets: list[str] = []
        self.log = RecentLog(["hunter22"])

    async def identify(self, seconds: float) -> None:
        self.identified.append(seconds)
        self.is_identifying.set()
        await self.may_end.wait()

    async def reset(self, rule: str) -> None:
        if rule == "full disk":
            raise sqlite3.OperationalError("database or disk is full")
        if rule != "limit-1":
            raise ValueError(f"rule {rule} is not known here")
        self.resets.append(rule)

    def restart(self) -> None:
        self.restarts += 1

    def publishers(self) -> Sequence[Publisher]:
        return self.sites

    def commands(self) -> Commands:
        actions = Actions(self.restart, self.identify, self.publishers, self.reset, self.log)
        return Commands(self.folder, self.client, FAST, self.credentials, actions, now_ms=lambda: NOW_MS)

    @asynccontextmanager
    async def life(self) -> AsyncIterator[Commands]:
        commands = self.commands()
        async with in_background(commands.run()):
            yield commands

    def ask(self, kind: CommandKind, target: str = "", *, id: str = "c1", expires_at_ms: int = NOW_MS + 1) -> None:
        self.cloud.commands.append(Command(id, kind, NOW_MS - 1000, expires_at_ms, target))

    async def answer(self, id: str = "c1") -> tuple[str, str]:
        await until(lambda: id in self.cloud.command_acks, what="the cloud has its answer")
        ack = self.cloud.command_acks[id]
        assert ack.recorded_at_ms == NOW_MS
        return ack.outcome, ack.message

    async def done(self, kind: CommandKind, target: str = "") -> tuple[str, str]:
        """Ask, in a life of its own, and wait for the answer."""
        self.ask(kind, target)
        async with self.life() as commands:
            commands.mentioned(1)
            return await self.answer()

    def asked(self, method: str, end: str) -> int:
        return sum(request.method == method and request.path.endswith(end) for request in self.cloud.requests)


@pytest.fixture
async def box(cloud: CloudDouble, tmp_path: Path) -> AsyncIterator[Box]:
    client = Cloud(CloudSettings(cloud.url))
    credentials = open_credentials(tmp_path)
    await provision(credentials, client, FAST, CLAIM_CODE, lambda: None)
    yield Box(tmp_path, cloud, client, credentials)
    await client.close()


async def test_nothing_is_fetched_while_nothing_waits(box: Box) -> None:
    async with box.life() as commands:
        commands.mentioned(0)
        box.ask("identify")
        commands.mentioned(1)
        await box.answer()
    assert box.asked("GET", "/commands") == 1


async def test_several_are_done_in_the_order_in_which_they_were_given(box: Box) -> None:
    box.ask("reset_alarm", "limit-1", id="c1")
    box.ask("tare", "scale:dock-1", id="c2")
    box.ask("identify", id="c3")
    async with box.life() as commands:
        commands.mentioned(3)
        await box.answer("c3")
    assert list(box.cloud.command_acks) == ["c1", "c2", "c3"]
    assert {ack.outcome for ack in box.cloud.command_acks.values()} == {"done"}


async def test_identify_lets_the_box_be_found(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    assert await box.done("identify") == ("done", "for 10 seconds")
    assert box.identified == [10.0]
    assert "HERE I AM" in caplog.text


async def test_a_tare_goes_to_the_scale_as_its_maker_reads_it(box: Box) -> None:
    assert await box.done("tare", "scale:hall/dock-1") == ("done", "sent on scale/hall/dock-1/command to 1")
    assert [site.published for site in box.sites] == [[("scale/hall/dock-1/command", b"T\r\n")]] * 2


async def test_a_tare_that_nobody_hears_is_not_said_to_be_done(box: Box) -> None:
    box.sites = [Site(0)]
    outcome, message = await box.done("tare", "scale:dock-1")
    assert outcome == "failed"
    assert message.startswith("nobody listens on scale/dock-1/command: let the scale's serial bridge")


@pytest.mark.parametrize("target", ["", "dock-1", "scale:", "scale:#", "scale:+/x", "z2m:room"])
async def test_what_is_no_scale_is_not_tared(box: Box, target: str) -> None:
    outcome, message = await box.done("tare", target)
    assert (outcome, "is no scale" in message) == ("failed", True)
    assert [site.published for site in box.sites] == [[], []]


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ("limit-1", ("done", "it has been reset")),
        ("limit-9", ("failed", "rule limit-9 is not known here")),
        (
            "full disk",
            ("failed", "the disk does not take it (database or disk is full): free disk space"),
        ),
    ],
)
async def test_a_latch_is_taken_off_where_there_is_one(box: Box, rule: str, answer: tuple[str, str]) -> None:
    assert await box.done("reset_alarm", rule) == answer


async def test_a_restart_is_done_when_the_gateway_is_up_again(box: Box) -> None:
    box.ask("restart")
    box.ask("identify", id="c2")
    commands = box.commands()
    commands.mentioned(2)
    await asyncio.wait_for(commands.run(), 20)
    assert (box.restarts, box.cloud.command_acks, box.identified) == (1, {}, [])
    async with box.life() as commands:
        assert await box.answer() == ("done", "the gateway is up again")
        commands.mentioned(1)
        assert (await box.answer("c2"))[0] == "done"
    assert box.restarts == 1


async def test_a_rotation_puts_a_new_secret_in_use(box: Box) -> None:
    old = box.credentials.current()
    assert await box.done("rotate_credential") == ("done", "the new secret is in use")
    assert box.credentials.current() != old
    assert await box.client.commands(box.credentials.current()) == []
    assert open_credentials(box.folder).current() == box.credentials.current()


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "half", "busy", "nonsense", "late"])
async def test_a_rotation_goes_on_when_its_answer_is_lost(box: Box, fault: Fault) -> None:
    box.ask("rotate_credential")
    box.cloud.fail([None, fault])  # the request after the list of commands
    async with box.life() as commands:
        commands.mentioned(1)
        assert (await box.answer())[0] == "done"
    await box.client.commands(box.credentials.current())


async def test_a_rotation_that_the_power_has_cut_off_goes_on_in_the_next_life(box: Box) -> None:
    box.ask("rotate_credential")
    box.cloud.fail(after_one(repeat("cut_after")))
    async with box.life() as commands:
        commands.mentioned(1)
        await until(lambda: box.asked("POST", "rotate-credentials") >= 1, what="it was sent")
    box.cloud.fail([])
    box.credentials = open_credentials(box.folder)
    async with box.life():
        assert await box.answer() == ("done", "the new secret is in use")
    await box.client.commands(box.credentials.current())


async def test_a_command_that_comes_too_late_is_not_done(box: Box) -> None:
    box.ask("identify", expires_at_ms=NOW_MS - 1)
    async with box.life() as commands:
        commands.mentioned(1)
        assert await box.answer() == ("expired", "it came too late")
    assert box.identified == []


async def test_a_command_of_a_later_version_is_refused_in_a_sentence(box: Box) -> None:
    box.cloud.commands.append(Command("c1", "open_the_door", NOW_MS, NOW_MS + 1))  # type: ignore[arg-type]
    async with box.life() as commands:
        commands.mentioned(1)
        outcome, message = await box.answer()
    assert outcome == "failed"
    assert message == "this version of the gateway does not know the command open_the_door: update it"


async def test_a_command_is_done_once_however_often_it_is_listed(box: Box) -> None:
    assert (await box.done("identify"))[0] == "done"
    box.cloud.command_acks.clear()
    box.ask("identify")  # the cloud was set back to before the answer
    async with box.life() as commands:
        commands.mentioned(1)
        assert (await box.answer())[0] == "done"
    assert box.identified == [10.0]


async def test_a_command_that_the_power_has_cut_off_is_not_done_again(box: Box) -> None:
    box.may_end.clear()
    box.ask("identify")
    async with box.life() as commands:
        commands.mentioned(1)
        await box.is_identifying.wait()
    box.may_end.set()
    async with box.life() as commands:
        assert await box.answer() == ("failed", "the gateway stopped in the middle of it: ask again")
        commands.mentioned(1)
    assert box.identified == [10.0]


async def test_an_answer_is_told_until_it_is_heard_also_by_the_next_life(box: Box) -> None:
    box.ask("identify")
    box.cloud.fail(after_one(repeat("busy")))
    async with box.life() as commands:
        commands.mentioned(1)
        await until(lambda: box.asked("POST", "/commands/c1/ack") >= 2, what="the cloud was told, and did not hear")
    box.cloud.fail([])
    async with box.life():
        assert (await box.answer())[0] == "done"
    assert box.identified == [10.0]


async def test_nothing_is_begun_that_cannot_be_remembered_and_nothing_done_is_done_again(box: Box) -> None:
    block = box.folder / (FILE_NAME + ".new")
    block.mkdir()
    box.ask("identify")
    async with box.life() as commands:
        commands.mentioned(1)
        await until(lambda: box.asked("GET", "/commands") >= 2, what="it was tried")
        assert box.identified == []
        box.may_end.clear()
        block.rmdir()
        await box.is_identifying.wait()
        block.mkdir()  # full again, before the outcome can be noted
        box.may_end.set()
        assert (await box.answer())[0] == "done"
    assert box.identified == [10.0]


async def test_only_so_many_are_remembered(box: Box) -> None:
    for number in range(130):
        box.ask("reset_alarm", "limit-1", id=f"c{number}")
    async with box.life() as commands:
        commands.mentioned(130)
        await box.answer("c129")
    remembered = msgspec.json.decode((box.folder / FILE_NAME).read_bytes())["commands"]
    assert 100 <= len(remembered) <= 101
    assert remembered[-1]["id"] == "c129"


async def test_a_spoilt_book_is_begun_anew(box: Box) -> None:
    (box.folder / FILE_NAME).write_bytes(b"[")
    assert (await box.done("identify"))[0] == "done"


# the log


async def test_the_newest_lines_are_uploaded_without_any_secret(box: Box) -> None:
    logger = logging.getLogger("gateway.test")
    logger.addHandler(box.log)
    secret = box.credentials.current().secret
    try:
        logger.warning("user dock gave hunter22 and not %s", secret)
        logger.warning("Authorization: Bearer gateway.0198.%s!", "x" * 10)
        for number in range(MOST_LINES - 2):
            logger.warning("line %d", number)
    finally:
        logger.removeHandler(box.log)
    assert await box.done("upload_logs") == ("done", f"{MOST_LINES} lines")
    (upload,) = box.cloud.logs
    assert upload.lines[0].endswith("W gateway.test: user dock gave [secret] and not [secret]")
    assert upload.lines[1].endswith("Authorization: Bearer [secret]")
    assert upload.lines[-1].endswith(f"line {MOST_LINES - 3}")
    assert not any(secret in line or "hunter22" in line for line in upload.lines)


def test_the_log_in_memory_is_bounded_whatever_is_written() -> None:
    log = RecentLog(["", "abc"])
    log.handle(logging.LogRecord("x", logging.ERROR, "f", 1, "an abc \n" + "y" * 10_000 + "\n" * 5000, (), None))
    log.handle(logging.LogRecord("x", logging.ERROR, "f", 1, "%d", ("no number",), None))
    assert len(log.lines()) == MOST_LINES
    assert max(map(len, log.lines())) <= 500


def test_a_secret_across_the_cut_is_struck_out_before_it() -> None:
    log = RecentLog([])
    log.handle(logging.LogRecord("x", logging.INFO, "f", 1, "z" * 440 + " " + "ab" * 32, (), None))
    assert "abab" not in log.lines()[0]
