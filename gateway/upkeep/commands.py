"""What the cloud asks a gateway to do, each once: also when the power goes in the middle of it.

A command is noted in `commands.json` before it is begun, and its outcome before it is told; what the cloud has not
heard is told again. What was begun and not ended when the gateway stopped is not begun again, except for a rotation,
which may be. A restart is done when the gateway is up again.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from gateway.backoff import Backoff
from gateway.clock import Clock
from gateway.contract import Command, CommandAck, LogUpload, NewCredential
from gateway.credentials import Credentials
from gateway.errors import StateError
from gateway.sources.publishing import Publisher
from gateway.state_files import StateFile
from gateway.upkeep.recent_log import RecentLog
from gateway.uplink.cloud import Cloud, CloudError, CloudRefused, CloudUnavailable

_log = logging.getLogger(__name__)

FILE_NAME = "commands.json"
IDENTIFY_S = 10.0
#: so many are remembered, in case the cloud lists one again
_MOST_REMEMBERED = 100
#: MT-SICS, level 0: tare when the weight is stable; a line ends with CR LF
_TARE = b"T\r\n"

_Outcome = Literal["done", "failed", "expired"]


@dataclass(frozen=True, slots=True)
class Actions:
    """What a command may set in motion."""

    #: end the process in good order; systemd starts it again
    restart: Callable[[], None]
    #: let the box be found: blink and beep for so many seconds
    identify: Callable[[float], Awaitable[None]]
    #: ways to a device
    publishers: Callable[[], Sequence[Publisher]]
    #: take the latch off a rule's alarms, committed; ValueError when there is no such rule, sqlite3.Error
    reset: Callable[[str], Awaitable[None]]
    log: RecentLog


class Remembered(msgspec.Struct, frozen=True):
    """One command that was begun."""

    id: str
    kind: str
    #: None: not ended yet
    ack: CommandAck | None = None
    is_heard: bool = False


class _Book(msgspec.Struct, frozen=True):
    """The content of the file, oldest first."""

    commands: list[Remembered] = []


class _Failed(Exception):
    """It could not be done; says why, in a sentence for whoever has asked."""


class Commands:
    """Fetches, does and acknowledges. `run` must be running."""

    def __init__(
        self,
        data_dir: Path,
        cloud: Cloud,
        clock: Clock,
        credentials: Credentials,
        actions: Actions,
        *,
        now_ms: Callable[[], int],
    ) -> None:
        self._file = StateFile(data_dir / FILE_NAME, _Book)
        self._cloud = cloud
        self._clock = clock
        self._credentials = credentials
        self._actions = actions
        self._now_ms = now_ms
        self._news = asyncio.Event()
        self._book: dict[str, Remembered] = {}
        self._is_ending = False

    def mentioned(self, waiting: int) -> None:
        """The cloud has answered, and has said how many commands wait."""
        if waiting > 0:
            self._news.set()

    async def run(self) -> None:
        """Do what is asked, until a restart is; what fails on the way to the cloud is tried again."""
        self._book = self._load()
        backoff = Backoff()
        is_first = True
        while not self._is_ending:
            try:
                if is_first:
                    await self._end_what_was_begun()
                    is_first = False
                await self._tell()
                await self._news.wait()
                self._news.clear()
                for command in await self._cloud.commands(self._credentials.current()):
                    await self._attend(command)
                    await self._tell()
            except (CloudError, OSError) as failure:
                delay_s = backoff.next_delay_s(failure.retry_after_s if isinstance(failure, CloudError) else 0.0)
                _log.warning("commands: %s; again in %.0f s", failure, delay_s)
                self._news.set()
                await self._clock.sleep(delay_s)
                continue
            backoff.reset()

    async def _attend(self, command: Command) -> None:
        if self._is_ending:
            return
        known = self._book.get(command.id)
        if known is not None and known.ack is not None:
            await self._note(msgspec.structs.replace(known, is_heard=False))  # it was told, and not heard
        elif known is None and command.expires_at_ms < self._now_ms():
            await self._end(command.id, command.kind, "expired", "it came too late")
        else:
            _log.warning("command %s: %s %s", command.id, command.kind, command.target)
            await self._note(Remembered(command.id, command.kind))
            await self._begin(command)

    async def _begin(self, command: Command) -> None:
        """Raises CloudError when it is to be tried again."""
        do = _KINDS.get(command.kind)
        if do is None:
            message = f"this version of the gateway does not know the command {command.kind}: update it"
            await self._end(command.id, command.kind, "failed", message)
            return
        try:
            told = await do(self, command.target)
        except _Failed as reason:
            await self._end(command.id, command.kind, "failed", str(reason))
            return
        if told is not None:
            await self._end(command.id, command.kind, "done", told)

    async def _end_what_was_begun(self) -> None:
        """What the gateway's last life has left behind."""
        for known in [known for known in self._book.values() if known.ack is None]:
            if known.kind == "restart":
                await self._end(known.id, known.kind, "done", "the gateway is up again")
            elif known.kind == "rotate_credential":
                await self._begin(Command(known.id, "rotate_credential", 0, 0))
            else:
                await self._end(known.id, known.kind, "failed", "the gateway stopped in the middle of it: ask again")

    async def _end(self, command_id: str, kind: str, outcome: _Outcome, message: str) -> None:
        _log.warning("command %s: %s %s: %s", command_id, kind, outcome, message)
        await self._note(Remembered(command_id, kind, CommandAck(outcome, self._now_ms(), message[:500])))

    async def _tell(self) -> None:
        for known in list(self._book.values()):
            if known.ack is None or known.is_heard:
                continue
            try:
                await self._cloud.command_ack(self._credentials.current(), known.id, known.ack)
            except CloudRefused as refusal:
                if refusal.status in (401, 403):
                    raise
                _log.warning("commands: %s", refusal)  # it has no use for it: not told again
            await self._note(msgspec.structs.replace(known, is_heard=True))

    async def _note(self, known: Remembered) -> None:
        book = {**self._book, known.id: known}
        settled = [other.id for other in book.values() if other.is_heard]
        for old in settled[: max(0, len(book) - _MOST_REMEMBERED)]:
            del book[old]
        self._book = book  # also when the disk does not take it: what was done is not done again
        await self._file.save(_Book(list(book.values())))

    def _load(self) -> dict[str, Remembered]:
        try:
            book = self._file.load() or _Book()
        except StateError as error:
            _log.error("%s: what was done before is forgotten", error)
            book = _Book()
        return {known.id: known for known in book.commands}

    # the kinds: what was done, in words; None: it will be known later. Raises _Failed.

    async def _restart(self, _: str) -> str | None:
        self._is_ending = True
        self._actions.restart()
        return None

    async def _identify(self, _: str) -> str | None:
        _log.warning("HERE I AM: somebody is looking for this gateway")
        await self._actions.identify(IDENTIFY_S)
        return f"for {IDENTIFY_S:.0f} seconds"

    async def _tare(self, target: str) -> str | None:
        family, _, name = target.partition(":")
        if family != "scale" or not name or any(character in name for character in "+#\0"):
            raise _Failed(f"{target or 'nothing'} is no scale: name it as its weights do, scale:dock-1")
        topic = f"scale/{name}/command"
        receivers = sum(publisher.publish(topic, _TARE) for publisher in self._actions.publishers())
        if not receivers:
            raise _Failed(f"nobody listens on {topic}: let the scale's serial bridge subscribe to it")
        return f"sent on {topic} to {receivers}"

    async def _reset_alarm(self, rule: str) -> str | None:
        try:
            await self._actions.reset(rule)
        except ValueError as error:
            raise _Failed(str(error)) from None
        except sqlite3.Error as error:
            raise _Failed(f"the disk does not take it ({error}): free disk space") from None
        return "it has been reset"

    async def _rotate_credential(self, _: str) -> str | None:
        await rotate(self._credentials, self._cloud)
        return "the new secret is in use"

    async def _upload_logs(self, _: str) -> str | None:
        lines = self._actions.log.lines()
        await self._cloud.upload_logs(self._credentials.current(), LogUpload(self._now_ms(), lines))
        return f"{len(lines)} lines"


async def rotate(credentials: Credentials, cloud: Cloud) -> None:
    """Change the secret; to be called again after a CloudUnavailable or OSError, whenever that is.

    Raises:
        CloudUnavailable: nobody knows whether the cloud has taken the new secret; both are kept.
    """
    drawn = await credentials.draw()
    credential = credentials.current()
    try:
        await cloud.rotate_credentials(credential, NewCredential(drawn))
    except CloudRefused as refusal:
        if refusal.status == 401 and credentials.doubted(credential):
            raise CloudUnavailable(str(refusal)) from None
        if refusal.status != 401:
            await credentials.keep_only(credential)
        raise _Failed(f"the cloud refused the new secret ({refusal})") from None
    await credentials.taken(drawn)


_KINDS: dict[str, Callable[[Commands, str], Awaitable[str | None]]] = {
    "restart": Commands._restart,
    "identify": Commands._identify,
    "tare": Commands._tare,
    "reset_alarm": Commands._reset_alarm,
    "rotate_credential": Commands._rotate_credential,
    "upload_logs": Commands._upload_logs,
}
