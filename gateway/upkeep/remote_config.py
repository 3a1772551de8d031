"""What the cloud wants of the gateway: fetched when a newer version is mentioned, tried, and taken back if need be.

A version is checked (who has signed it, whether it makes sense), put in force as *staged*, and *confirmed* when the
gateway has worked well with it for a while: rows are committed, the cloud is heard. When the gateway falls over twice
before that, the version is *rolled back*: the one confirmed before is in force again. A version never changes its
content, so a known one costs nothing, and one that was refused is not asked for again. All of that is told to the
cloud, and kept in `config.json`.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import msgspec

from gateway.backoff import Backoff
from gateway.clock import Clock
from gateway.contract import ConfigAck, Envelope, GatewayConfig
from gateway.credentials import Credentials
from gateway.errors import StateError
from gateway.state_files import StateFile, facts_of_old_spool
from gateway.upkeep.signature import SignatureUnchecked, is_signed
from gateway.uplink.cloud import Cloud, CloudError, CloudRefused, CloudUnavailable

_log = logging.getLogger(__name__)

FILE_NAME = "config.json"
#: how long a version is on trial
CONFIRM_AFTER_S = 600.0
#: how often the gateway may be started with a version on trial; neither a stop in good order nor a power cut counts
_MOST_STARTS = 1
#: how often it is looked whether there is anything to do
_LOOK_EVERY_S = 60.0
_UNSIGNED = "nobody has said who may sign the configuration: claim the gateway again, with a new code"

_Outcome = Literal["staged", "confirmed", "rolled_back", "refused"]


class Versions(msgspec.Struct, frozen=True):
    """The content of the file."""

    confirmed: GatewayConfig = GatewayConfig(0, [])
    #: in force, on trial
    staged: GatewayConfig | None = None
    #: how often the gateway has been started with it ...
    starts: int = 0
    #: ... since the box was, as the kernel names it
    boot_id: str = ""
    #: refused or rolled back: not to be fetched again
    refused: int = 0
    #: what the cloud has not heard yet, oldest first
    acks: list[ConfigAck] = []

    @property
    def in_force(self) -> GatewayConfig:
        """What the gateway goes by."""
        return self.confirmed if self.staged is None else self.staged


class _Refused(Exception):
    """The version will never do; says why."""


class RemoteConfig:
    """The configuration in force. `run` must be running for a newer one to be fetched."""

    def __init__(
        self,
        data_dir: Path,
        cloud: Cloud,
        clock: Clock,
        apply: Callable[[GatewayConfig], None],
        *,
        now_ms: Callable[[], int],
        boot_id: str,
        prove: Callable[[], Awaitable[None]],
        confirm_after_s: float = CONFIRM_AFTER_S,
    ) -> None:
        """Wire it.

        Args:
            apply: puts a configuration in force as a whole, or raises ValueError and changes nothing.
            prove: returns when a commit has reached the disk, or raises sqlite3.Error.
        """
        self._file = StateFile(data_dir / FILE_NAME, Versions)
        self._data_dir = data_dir
        self._cloud = cloud
        self._clock = clock
        self._apply = apply
        self._now_ms = now_ms
        self._boot_id = boot_id
        self._prove = prove
        self._confirm_after_s = confirm_after_s
        self._versions = Versions()
        self._applied = self._versions.in_force
        self._mentioned = 0
        self._is_heard = False
        self._on_trial_since_s = 0.0
        self._news = asyncio.Event()
        self._changing = asyncio.Lock()
        self._warning = ""
        self._is_unsigned = False

    @property
    def current(self) -> GatewayConfig:
        """The one in force; version 0 before the first."""
        return self._versions.in_force

    @property
    def warnings(self) -> list[str]:
        """What the operator should look into."""
        return [warning for warning in (self._warning, _UNSIGNED if self._is_unsigned else "") if warning]

    async def restore(self) -> None:
        """Put in force what was saved; a version on trial under which the gateway keeps falling over is rolled back."""
        self._versions = self._load()
        try:
            await self._restore_staged()
        except OSError as error:  # a full disk must not keep the gateway from running
            _log.warning("%s is out of date: %s", self._file.path, error)
        staged, confirmed = self._versions.staged, self._versions.confirmed
        if staged is None and confirmed.version and (reason := self._put_in_force(confirmed)) is not None:
            self._warn(f"configuration {confirmed.version} cannot be used, nothing is judged: {reason}")

    async def _restore_staged(self) -> None:
        staged = self._versions.staged
        if staged is None:
            return
        self._on_trial_since_s = self._clock.monotonic_s()
        starts = self._versions.starts if self._versions.boot_id == self._boot_id else 0
        if starts >= _MOST_STARTS:
            await self._roll_back(staged, "the gateway did not keep running with it")
            return
        try:  # Saved before it is tried: it may be what stops the gateway.
            await self._change(starts=starts + 1, boot_id=self._boot_id)
        finally:
            reason = self._put_in_force(staged)
        if reason is not None:
            await self._roll_back(staged, reason)

    def mentioned(self, version: int) -> None:
        """The cloud has answered, and has named the newest version."""
        self._mentioned = version
        self._is_heard = True
        if version > max(self.current.version, self._versions.refused):
            self._news.set()

    async def offer(self, config: GatewayConfig) -> None:
        """Take the first one, which came with the gateway's identity."""
        try:
            if config.version > max(self.current.version, self._versions.refused):
                await self._stage(config)
        except OSError as error:
            _log.warning("configuration %d is not taken yet: %s", config.version, error)

    async def stopped_well(self) -> None:
        """The gateway ends because it was told to: not the fault of what is on trial."""
        if self._versions.staged is not None and self._versions.starts:
            await self._change(starts=0)

    async def run(self, credentials: Credentials) -> None:
        """Fetch, confirm and tell, for ever; what fails is tried again."""
        backoff = Backoff()
        while True:
            self._news.clear()
            try:
                await self._tell(credentials)
                if self._mentioned > max(self.current.version, self._versions.refused):
                    await self._fetch(self._mentioned, credentials)
                wait_s = await self._confirm()
                await self._tell(credentials)
            except (CloudError, OSError) as failure:
                at_least_s = failure.retry_after_s if isinstance(failure, CloudError) else 0.0
                delay_s = backoff.next_delay_s(at_least_s)
                _log.warning("configuration: %s; again in %.0f s", failure, delay_s)
                await self._clock.sleep(delay_s)
                continue
            backoff.reset()
            await self._clock.wait(self._news, wait_s)

    # a new version

    async def _fetch(self, version: int, credentials: Credentials) -> None:
        """Raises CloudError when it could not be had or looked at, OSError when it could not be kept."""
        body, signature = await self._cloud.config(credentials.current())
        try:
            config = await self._checked(body, signature, credentials)
        except _Refused as reason:
            await self._refuse(version, str(reason))
            return
        if config.version > max(self.current.version, self._versions.refused):
            await self._stage(config)
        if config.version < version:
            raise CloudUnavailable(f"the cloud mentions version {version}, and answers {config.version}")

    async def _checked(self, body: bytes, signature: str, credentials: Credentials) -> GatewayConfig:
        key = credentials.config_key
        if not key:
            self._is_unsigned = True
            _log.warning("configuration: %s", _UNSIGNED)
        elif not await _is_signed(body, signature, key):
            raise _Refused("it is not signed by the cloud that this gateway belongs to")
        try:
            config = msgspec.json.decode(body, type=Envelope[GatewayConfig]).data
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _Refused(f"this version of the gateway does not understand it: {error}") from None
        if key and config.gateway_id != credentials.gateway_id:
            raise _Refused("it is signed for another gateway")
        return config

    async def _stage(self, config: GatewayConfig) -> None:
        before = self._versions
        # Saved before it is tried: it may be what stops the gateway.
        await self._change(staged=config, starts=0, boot_id=self._boot_id, acks=self._acks(config.version, "staged"))
        reason = self._put_in_force(config)
        if reason is None:
            self._is_heard = False
            self._on_trial_since_s = self._clock.monotonic_s()
        else:
            await self._change(staged=before.staged, starts=before.starts)
            await self._refuse(config.version, reason)

    def _put_in_force(self, config: GatewayConfig) -> str | None:
        """Why it cannot be; None when it is. The same content under a new number changes nothing."""
        if msgspec.structs.replace(config, version=self._applied.version) != self._applied:
            try:
                self._apply(config)
            except ValueError as error:
                return str(error)
        self._applied = config
        _log.info("configuration %d in force: %d limits", config.version, len(config.limits))
        return None

    # how it went

    async def _confirm(self) -> float:
        """Confirm what is on trial when it is time to; for how many seconds there is nothing more to do."""
        staged = self._versions.staged
        if staged is None:
            return _LOOK_EVERY_S
        left_s = self._on_trial_since_s + self._confirm_after_s - self._clock.monotonic_s()
        if left_s > 0:
            return min(left_s, _LOOK_EVERY_S)
        if not self._is_heard:
            return _LOOK_EVERY_S
        try:
            await self._prove()
        except sqlite3.Error as error:
            _log.warning("configuration %d stays on trial: the disk takes nothing (%s)", staged.version, error)
            return _LOOK_EVERY_S
        await self._change(confirmed=staged, staged=None, starts=0, acks=self._acks(staged.version, "confirmed"))
        self._warning = ""
        _log.info("configuration %d confirmed", staged.version)
        return _LOOK_EVERY_S

    async def _refuse(self, version: int, reason: str) -> None:
        self._warn(f"configuration {version} refused, {self.current.version} stays: {reason}")
        refused = max(version, self._versions.refused)
        await self._change(refused=refused, acks=self._acks(version, "refused", reason))

    async def _roll_back(self, staged: GatewayConfig, reason: str) -> None:
        before = self._versions.confirmed.version
        self._warn(f"configuration {staged.version} rolled back, {before} is in force again: {reason}")
        refused = max(staged.version, self._versions.refused)
        await self._change(
            staged=None, starts=0, refused=refused, acks=self._acks(staged.version, "rolled_back", reason)
        )

    async def _tell(self, credentials: Credentials) -> None:
        """Raises CloudError when the cloud does not hear it; what it has no use for is not told again."""
        while acks := self._versions.acks:
            try:
                await self._cloud.config_ack(credentials.current(), acks[0])
            except CloudRefused as refusal:
                if refusal.status in (401, 403):
                    raise
                _log.warning("configuration: %s", refusal)
            await self._change(acks=acks[1:])

    def _acks(self, version: int, outcome: _Outcome, reason: str = "") -> list[ConfigAck]:
        """What the cloud is to be told: of each version only the last."""
        others = [ack for ack in self._versions.acks if ack.version != version]
        return [*others, ConfigAck(version, outcome, self._now_ms(), reason[:500])]

    def _warn(self, warning: str) -> None:
        self._warning = warning
        _log.error("%s", warning)

    def _load(self) -> Versions:
        try:
            saved = self._file.load()
        except StateError as error:
            self._warn(f"{error}: the configuration is asked for anew")
            saved = Versions()
        if saved is None and (config := facts_of_old_spool(self._data_dir).get("config")) is not None:
            saved = Versions(msgspec.json.decode(config, type=GatewayConfig))
        return saved or Versions()

    async def _change(self, **fields: object) -> None:
        """Raises OSError when the disk does not take it; then nothing has changed."""
        async with self._changing:
            versions = msgspec.structs.replace(self._versions, **fields)
            await self._file.save(versions)
            self._versions = versions


async def _is_signed(body: bytes, signature: str, key: str) -> bool:
    try:
        return await is_signed(body, signature, key)
    except SignatureUnchecked as error:
        raise CloudUnavailable(f"its signature could not be checked: {error}") from None
