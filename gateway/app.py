"""Composition root: one task group of named loops (writer, sources, uplink, heartbeat), and a stop in good order."""

import asyncio
import fcntl
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gateway.clock import Clock
from gateway.cloud import Cloud
from gateway.config import Settings
from gateway.errors import SpoolError
from gateway.health import replace_file, send_heartbeats, show_alarms
from gateway.pipeline import Outcome, Pipeline
from gateway.provisioning import RemoteConfig, provision
from gateway.sources.listener import Listener
from gateway.spool import Store, open_spool
from gateway.uplink import Uplink

if TYPE_CHECKING:
    from gateway.sources.bridge import Bridge


class _Stopped(Exception):
    """Ends the task group in good order."""


class Gateway:
    """All parts of one gateway, wired. Opening takes the data folder; `run` gives it back."""

    def __init__(self, settings: Settings, ready_file: Path | None = None) -> None:
        """Raises SpoolError when the data folder cannot be used."""
        self._settings = settings
        self._ready_file = ready_file
        self._stop = asyncio.Event()
        self._lock = _lock(settings.data_dir)
        self._clock = Clock(settings.clock.speed, settings.clock.origin_ms)
        self._spool = open_spool(settings.data_dir, max_mb=settings.spool.max_mb)
        self._cloud = Cloud(settings.cloud)
        self._pipeline = Pipeline(
            self._spool,
            max_pending=settings.spool.max_pending,
            max_dead_letters=settings.spool.max_dead_letters,
            on_committed=self._on_committed,
        )
        self._remote_config = RemoteConfig(self._spool, self._cloud, self._pipeline.apply)
        self._uplink = Uplink(self._spool, self._cloud, self._clock, settings.cloud, self._remote_config)
        listener = settings.listener
        self._listener = None if listener is None else Listener(listener, self._pipeline, self._clock)
        self._bridge = self._make_bridge()

    def stop(self) -> None:
        """End `run` in good order: stop reading, finish the commits, acknowledge them, close."""
        self._stop.set()

    async def run(self, announce: Callable[[str], None]) -> None:
        """Run until `stop`; `announce` is told once where the sensors can connect.

        Raises:
            ExceptionGroup: of `GatewayError`s, when the operator must act.
        """
        try:
            async with asyncio.TaskGroup() as loops:
                loops.create_task(self._spool.run(), name="writer")
                await self._remote_config.restore()
                show_alarms(self._settings.data_dir, (), await self._spool.submit(Store.active_alarms))
                port = await self._start_sources(loops, announce)
                loops.create_task(self._serve_cloud(loops, port), name="provisioning")
                await self._stop.wait()
                for source in (self._listener, self._bridge):
                    if source is not None:
                        await source.close()
                raise _Stopped
        except* _Stopped:
            pass
        finally:
            await self._cloud.close()
            self._spool.close()
            os.close(self._lock)

    def _make_bridge(self) -> "Bridge | None":
        if self._settings.bridge is None:
            return None
        # Not at the top: its client library costs memory that a gateway with a listener alone does not need.
        from gateway.sources.bridge import Bridge

        return Bridge(self._settings.bridge, self._pipeline, self._spool, self._clock)

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
        credential = await provision(
            self._spool, self._cloud, self._clock, claim_code, lambda: self._tell_ready(port, None)
        )
        await self._remote_config.restore()
        self._tell_ready(port, credential.gateway_id)
        loops.create_task(self._uplink.run(credential), name="uplink")
        beats = send_heartbeats(
            self._spool, self._cloud, self._clock, self._remote_config, credential, self._settings.data_dir
        )
        loops.create_task(beats, name="heartbeat")

    def _on_committed(self, outcome: Outcome) -> None:
        if outcome.alarms:
            show_alarms(self._settings.data_dir, outcome.alarms, outcome.active)
        if outcome.rows:
            self._uplink.wake(urgent=bool(outcome.alarms))

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
