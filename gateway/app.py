"""Composition root: one task group of named loops, and a stop in good order."""

import asyncio
import fcntl
import logging
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gateway.alarms.judging import Judge
from gateway.alarms.outputs import Outputs
from gateway.clock import Clock
from gateway.config import Settings
from gateway.contract import AlarmEvent, BatchAnswer, GatewayConfig, HeartbeatAnswer, Lane
from gateway.credentials import open_credentials
from gateway.decoders import mapping, with_mappings
from gateway.errors import SpoolError
from gateway.pipeline import Pipeline
from gateway.sources.listener import Listener
from gateway.spool.salvage import salvage_spoilt
from gateway.spool.store import LANES, TABLES, Store
from gateway.spool.writer import Spool, open_spool
from gateway.timeline import Timeline
from gateway.upkeep.commands import Actions, Commands
from gateway.upkeep.health import ClockState, Health, Organs, SpoolState, replace_file, show_alarms
from gateway.upkeep.notify import Notifier, feed_watchdog, prove_commit
from gateway.upkeep.provisioning import provision
from gateway.upkeep.recent_log import RecentLog
from gateway.upkeep.remote_config import RemoteConfig
from gateway.uplink.cloud import Cloud
from gateway.uplink.couriers import Uplink

if TYPE_CHECKING:
    from gateway.sources.bridge import Bridge

#: rules that wait for time to pass are looked at so often
_TICK_S = 1.0
#: in a world that runs faster, no more often than this in real time
_TICK_AT_LEAST_S = 0.1
_KEEP_TIME_EVERY_S = 60.0


class _Stopped(Exception):
    """Ends the task group in good order."""


class Gateway:
    """All parts of one gateway, wired. Opening takes the data folder; `run` gives it back."""

    def __init__(self, settings: Settings, ready_file: Path | None = None) -> None:
        """Raises SpoolError or ConfigError when the operator must act."""
        self._settings = settings
        self._ready_file = ready_file
        self._stop = asyncio.Event()
        self._confirmed = asyncio.Event()
        self._lock = _lock(settings.data_dir)
        self._recent_log = RecentLog(_passwords(settings))
        self._notifier = Notifier(os.environ)
        clock = self._clock = Clock(settings.clock.speed, settings.clock.origin_ms)
        self._credentials = open_credentials(settings.data_dir)  # before a spool of version 0.1 is turned away
        self._spool = open_spool(
            settings.data_dir,
            max_mb=settings.spool.max_mb,
            max_dead_letters=settings.spool.max_dead_letters,
            linger_s=settings.spool.linger_s,
        )
        self._timeline = _timeline(self._spool, clock)
        if self._timeline.anchor.confirmed:
            self._confirmed.set()
        self._cloud = Cloud(settings.cloud)
        self._outputs = Outputs([], self._publish_retained)
        self._pipeline = Pipeline(
            self._spool,
            self._timeline,
            max_pending=settings.spool.max_pending,
            decode=with_mappings(mapping.compiled(settings.mappings)),
            on_alarms=self._show,
            publish=self._publish,
        )
        self._config = RemoteConfig(
            settings.data_dir,
            self._cloud,
            clock,
            self._apply,
            now_ms=self._timeline.now_ms,
            boot_id=self._timeline.boot_id,
            prove=lambda: prove_commit(self._spool),
            confirm_after_s=settings.cloud.config_trial_s,
        )
        self._uplink = Uplink(self._spool, self._cloud, clock, settings.cloud, self._credentials, self._answered)
        self._commands = Commands(
            settings.data_dir,
            self._cloud,
            clock,
            self._credentials,
            Actions(self.stop, self._outputs.blink, self._sources, self._reset, self._recent_log),
            now_ms=self._timeline.now_ms,
        )
        self._health = Health(self._cloud, clock, self._credentials, self._organs())
        listener = settings.listener
        self._listener = None if listener is None else Listener(listener, self._pipeline)
        self._bridge = self._make_bridge()
        self._spool.on_committed = self._uplink.committed
        self._cloud.on_server_time = self._heard_the_time
        self._cloud.on_heard = lambda: self._outputs.note_cloud(clock.monotonic_s())

    def stop(self) -> None:
        """End `run` in good order: stop reading, finish the commits, acknowledge them, close."""
        self._stop.set()

    async def run(self, announce: Callable[[str], None]) -> None:
        """Run until `stop`; `announce` is told once where the sensors can connect.

        Raises:
            ExceptionGroup: of `GatewayError`s, when the operator must act.
        """
        logging.getLogger().addHandler(self._recent_log)
        try:
            async with asyncio.TaskGroup() as loops:
                loops.create_task(self._spool.run(), name="writer")
                loops.create_task(salvage_spoilt(self._spool), name="salvage")
                await self._config.restore()
                self._show(())
                port = await self._start_sources(loops, announce)
                loops.create_task(self._tick(), name="tick")
                loops.create_task(feed_watchdog(self._notifier, self._spool), name="watchdog")
                loops.create_task(self._serve_cloud(loops, port), name="provisioning")
                self._notifier.ready("running")
                await self._stop.wait()
                self._notifier.stopping()
                for source in (self._listener, self._bridge):
                    if source is not None:
                        await source.close()
                await self._config.stopped_well()
                raise _Stopped
        except* _Stopped:
            pass
        finally:
            await self._cloud.close()
            self._outputs.close()
            self._spool.close()
            self._notifier.close()
            logging.getLogger().removeHandler(self._recent_log)
            os.close(self._lock)

    def _make_bridge(self) -> "Bridge | None":
        if self._settings.bridge is None:
            return None
        # Not at the top: its client library costs memory that a gateway with a listener alone does not need.
        from gateway.sources.bridge import Bridge

        return Bridge(self._settings.bridge, self._pipeline, self._spool)

    async def _start_sources(self, loops: asyncio.TaskGroup, announce: Callable[[str], None]) -> int | None:
        """The listener's port; None without one."""
        port = None
        if self._listener is not None:
            port = await self._listener.start()
            announce(f"listening on mqtt://{self._listener.settings.host}:{port}")
        if self._bridge is not None:
            loops.create_task(self._bridge.run(), name="bridge")
            announce(f"bridging from {self._bridge.address}")
        return port

    async def _serve_cloud(self, loops: asyncio.TaskGroup, port: int | None) -> None:
        claim_code = self._settings.cloud.claim_code
        first = await provision(
            self._credentials, self._cloud, self._clock, claim_code, lambda: self._tell_ready(port, None)
        )
        if first is not None:
            await self._config.offer(first)
        self._tell_ready(port, self._credentials.gateway_id)
        loops.create_task(self._health.run(), name="heartbeat")
        loops.create_task(self._config.run(self._credentials), name="configuration")
        loops.create_task(self._commands.run(), name="commands")
        await self._confirmed.wait()  # what is sent cannot be repaired any more
        loops.create_task(self._uplink.run(), name="uplink")

    async def _tick(self) -> None:
        kept_s = 0.0
        while True:
            self._pipeline.tick()
            now_s = self._clock.monotonic_s()
            self._outputs.tick(now_s)
            self._timeline.watch_system_clock()
            if now_s - kept_s >= _KEEP_TIME_EVERY_S:
                kept_s = now_s
                self._spool.keep_time(self._timeline.now_ms())
            await self._clock.sleep(max(_TICK_S, _TICK_AT_LEAST_S * self._clock.speed))

    # what the parts tell each other

    def _apply(self, config: GatewayConfig) -> None:
        """All of it or, with a ValueError, nothing."""
        Judge(config)
        self._outputs.apply(config.outputs)
        self._pipeline.apply(config)
        self._show(())

    def _show(self, events: Sequence[AlarmEvent]) -> None:
        active = self._pipeline.judge.active()
        self._outputs.show(active)
        show_alarms(self._settings.data_dir, events, active)

    def _answered(self, answer: BatchAnswer | HeartbeatAnswer) -> None:
        self._config.mentioned(answer.config_version)
        self._commands.mentioned(answer.commands_waiting)

    def _heard_the_time(self, server_time_ms: int, round_trip_s: float) -> None:
        self._timeline.heard_from_cloud(server_time_ms, round_trip_s * self._clock.speed)
        if self._timeline.anchor.confirmed:
            self._confirmed.set()

    def _sources(self) -> "Sequence[Listener | Bridge]":
        return [source for source in (self._listener, self._bridge) if source is not None]

    def _publish(self, topic: str, payload: bytes) -> int:
        return sum(source.publish(topic, payload) for source in self._sources())

    def _publish_retained(self, topic: str, payload: bytes) -> int:
        return sum(source.publish(topic, payload, retain=True) for source in self._sources())

    async def _reset(self, rule: str) -> None:
        self._pipeline.reset(rule)
        await self._spool.submit(lambda _: None)

    def _organs(self) -> Organs:
        return Organs(
            data_dir=self._settings.data_dir,
            now_ms=self._timeline.now_ms,
            spool=self._spool_state,
            commit_ms=lambda: self._spool.commit_ms,
            clock=self._clock_state,
            sources=lambda: [source.state() for source in self._sources()],
            last_heard=lambda: self._pipeline.last_heard,
            config_version=lambda: self._config.current.version,
            interval_s=lambda: self._config.current.heartbeat_interval_s,
            warnings=lambda: [
                *self._uplink.warnings,
                *self._cloud.warnings,
                *self._config.warnings,
                *self._outputs.warnings,
            ],
            answered=self._answered,
        )

    def _clock_state(self) -> ClockState:
        timeline = self._timeline
        return ClockState(timeline.boot_id, timeline.is_trusted, timeline.jumps, timeline.system_ahead_ms)

    async def _spool_state(self) -> SpoolState:
        spool, quota_bytes = self._spool, self._settings.spool.max_mb * 1024 * 1024
        waiting = {lane: spool.waiting(lane) for lane in LANES}

        def look(store: Store) -> SpoolState:
            extents = [store.extent(table) for table in TABLES if _waits(waiting, table)]
            return SpoolState(
                epoch=spool.epoch,
                waiting={lane: rows for lane, rows in waiting.items() if rows},
                oldest_unsent_ms=min((extent.oldest_ms for extent in extents if extent), default=None),
                dead_letters=store.dead_letters(),
                dead_letter_reasons=store.dead_letter_reasons(20),
                used_bytes=store.used_bytes(),
                quota_bytes=quota_bytes,
                rows_thinned=store.number("rows_thinned"),
                rows_dropped=store.number("rows_dropped"),
            )

        return await spool.submit(look)

    def _tell_ready(self, port: int | None, gateway_id: str | None) -> None:
        if self._ready_file is not None:
            replace_file(self._ready_file, msgspec.json.encode({"mqtt_port": port, "gateway_id": gateway_id}))


async def run_until_signalled(settings: Settings, announce: Callable[[str], None], ready_file: Path | None) -> None:
    """Run a gateway until SIGTERM or SIGINT."""
    gateway = Gateway(settings, ready_file)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, gateway.stop)
    await gateway.run(announce)


def _timeline(spool: Spool, clock: Clock) -> Timeline:
    last = spool.anchors[max(spool.anchors)] if spool.anchors else None
    timeline = Timeline(clock, last, spool.newest_ms(), is_agreed=clock.speed != 1.0)
    spool.keep_anchor(timeline.anchor)
    timeline.on_anchor = spool.keep_anchor
    return timeline


def _passwords(settings: Settings) -> list[str]:
    """What no line of the log may show."""
    users = settings.listener.users.values() if settings.listener else ()
    passwords = [told if isinstance(told, str) else told.password for told in users]
    bridge = settings.bridge
    return [*passwords, *([bridge.password] if bridge and bridge.password else []), settings.cloud.claim_code or ""]


def _waits(waiting: dict[Lane, int], table: Lane) -> bool:
    return bool(waiting[table] or (table == "readings" and waiting["backlog"]))


def _lock(data_dir: Path) -> int:
    """Hold the data folder for one process; the lock goes with the process, also when it is killed."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SpoolError(f"{data_dir} cannot be used ({error}): check data_dir and its permissions.") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise SpoolError(f"{data_dir} is in use by another gateway: stop that one, or set another data_dir.") from None
    return descriptor
