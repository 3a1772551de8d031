"""What the gateway tells about itself: a heartbeat to the cloud, and the alarms of now to whoever stands before it."""

import logging
import math
import os
import shutil
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gateway.backoff import Backoff
from gateway.clock import Clock
from gateway.contract import AlarmEvent, Heartbeat, HeartbeatAnswer, SensorState, SourceState
from gateway.credentials import Credentials
from gateway.uplink.cloud import Cloud, CloudError, CloudRefused, software_version

_log = logging.getLogger(__name__)

ALARMS_FILE = "alarms.json"
_DAY_S = 86_400.0
#: samples of what was written; a day of them is kept
_SAMPLE_EVERY_S = 3_600.0
_MOST_SENSORS = 100
_MOST_WARNINGS = 50
_FEWEST_FREE_MB = 200
_HOTTEST_C = 80.0


class SpoolState(msgspec.Struct, frozen=True):
    """The spool, as the heartbeat tells it; the fields are those of `contract.Heartbeat`."""

    epoch: str
    #: rows the cloud has not settled, by lane
    waiting: Mapping[str, int]
    oldest_unsent_ms: int | None
    dead_letters: int
    dead_letter_reasons: Mapping[str, int]
    used_bytes: int
    quota_bytes: int
    rows_thinned: int = 0
    rows_dropped: int = 0


class ClockState(msgspec.Struct, frozen=True):
    """The gateway's time, as the heartbeat tells it."""

    boot_id: str
    is_trusted: bool
    jumps: int
    ahead_ms: int


@dataclass(frozen=True, slots=True)
class Organs:
    """Where a heartbeat's figures come from."""

    data_dir: Path
    now_ms: Callable[[], int]
    spool: Callable[[], Awaitable[SpoolState]]
    #: how long each of the latest commits took
    commit_ms: Callable[[], Collection[float]]
    clock: Callable[[], ClockState]
    sources: Callable[[], Sequence[SourceState]]
    #: sensor -> when it was heard last
    last_heard: Callable[[], Mapping[str, int]]
    config_version: Callable[[], int]
    interval_s: Callable[[], float]
    #: what the parts want the operator to look into
    warnings: Callable[[], Sequence[str]]
    #: told what the cloud has answered
    answered: Callable[[HeartbeatAnswer], None]


class Health:
    """Sends heartbeats for ever."""

    def __init__(
        self, cloud: Cloud, clock: Clock, credentials: Credentials, organs: Organs, hardware: "Hardware | None" = None
    ) -> None:
        self._cloud = cloud
        self._clock = clock
        self._credentials = credentials
        self._organs = organs
        self._hardware = hardware or Hardware()
        self._started_s = clock.monotonic_s()
        self._version = software_version()
        self._written = BytesWritten(self._started_s)

    async def run(self) -> None:
        """Beat as often as the configuration says, after a failure sooner: the cloud's answer tells the time."""
        backoff = Backoff()
        while True:
            credential = self._credentials.current()
            delay_s = max(1.0, self._organs.interval_s())
            try:
                answer = await self._cloud.heartbeat(credential, await self.heartbeat())
                await self._credentials.proved(credential)
                self._organs.answered(answer)
                backoff.reset()
            except (CloudError, OSError, sqlite3.Error) as failure:
                if isinstance(failure, CloudRefused) and failure.status == 401:
                    self._credentials.doubted(credential)
                delay_s = min(delay_s, backoff.next_delay_s(1.0))
                _log.warning("heartbeat: %s; again in %.0f s", failure, delay_s)
            await self._clock.sleep(delay_s)

    async def heartbeat(self) -> Heartbeat:
        """How the gateway is now. Raises sqlite3.Error or OSError when the disk does not tell."""
        organs = self._organs
        spool, clock = await organs.spool(), organs.clock()
        monotonic_s = self._clock.monotonic_s()
        free_mb = shutil.disk_usage(organs.data_dir).free // 1_000_000
        temperature_c = self._hardware.temperature_c()
        return Heartbeat(
            epoch=spool.epoch,
            recorded_at_ms=organs.now_ms(),
            uptime_s=int(monotonic_s - self._started_s),
            software_version=self._version,
            config_version=organs.config_version(),
            backlog_rows=sum(spool.waiting.values()),
            oldest_unsent_ms=spool.oldest_unsent_ms,
            dead_letters=spool.dead_letters,
            disk_free_mb=free_mb,
            boot_id=clock.boot_id,
            clock="trusted" if clock.is_trusted else "untrusted",
            clock_jumps=clock.jumps,
            clock_ahead_ms=clock.ahead_ms,
            waiting=dict(spool.waiting),
            commit_p99_ms=round(percentile(organs.commit_ms(), 0.99), 3),
            bytes_written_a_day=self._written.a_day(monotonic_s, self._hardware.bytes_written()),
            spool_used_mb=spool.used_bytes // 1_000_000,
            spool_quota_mb=spool.quota_bytes // 1_000_000,
            rows_thinned=spool.rows_thinned,
            rows_dropped=spool.rows_dropped,
            dead_letter_reasons=dict(spool.dead_letter_reasons),
            sources=list(organs.sources()),
            sensors=longest_silent(organs.last_heard()),
            temperature_c=temperature_c,
            warnings=[*_warnings(free_mb, temperature_c), *self._hardware.complaints(), *organs.warnings()][
                :_MOST_WARNINGS
            ],
        )


def _warnings(free_mb: int, temperature_c: float | None) -> list[str]:
    warnings = []
    if free_mb < _FEWEST_FREE_MB:
        warnings.append(f"only {free_mb} MB of the disk are free: make room")
    if temperature_c is not None and temperature_c >= _HOTTEST_C:
        warnings.append(f"the processor is at {temperature_c:.0f} °C: give the box air")
    return warnings


class Hardware:
    """What the kernel tells about the box. What it does not tell is None, or nothing."""

    #: of `get_throttled` of a Raspberry Pi's firmware: now, and since the start
    _POWER = 1 << 0 | 1 << 16
    _HEAT = 1 << 2 | 1 << 3 | 1 << 18 | 1 << 19

    def __init__(self, sys: Path = Path("/sys"), proc: Path = Path("/proc")) -> None:
        self._zones = sorted((sys / "class/thermal").glob("thermal_zone*"), key=_is_other_than_processor)
        self._throttled = sys / "devices/platform/soc/soc:firmware/get_throttled"
        self._io = proc / "self/io"

    def temperature_c(self) -> float | None:
        """Of the processor."""
        for zone in self._zones:
            told = _read(zone / "temp")
            if told.lstrip("-").isdecimal():
                return int(told) / 1000
        return None

    def complaints(self) -> list[str]:
        """What the board suffers from, or has since it was started."""
        try:
            flags = int(_read(self._throttled) or "0", 16)
        except ValueError:
            return []
        complaints = []
        if flags & self._POWER:
            complaints.append("the power supply is too weak: replace it, or its cable")
        if flags & self._HEAT:
            complaints.append("the processor is slowed down by heat: give the box air")
        return complaints

    def bytes_written(self) -> int:
        """To the disk by this process, since it started."""
        for line in _read(self._io).splitlines():
            if line.startswith("write_bytes:"):
                return int(line.partition(":")[2])
        return 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _is_other_than_processor(zone: Path) -> tuple[bool, str]:
    kind = _read(zone / "type")
    return not ("cpu" in kind or "soc" in kind or "x86_pkg" in kind), zone.name


class BytesWritten:
    """How much over the last day, of a count that only rises."""

    def __init__(self, started_s: float) -> None:
        self._samples = deque([(started_s, 0)])

    def a_day(self, now_s: float, total: int) -> int:
        """Over the last day, to the hour; since the start when that is not so long ago."""
        samples = self._samples
        if now_s - samples[-1][0] >= _SAMPLE_EVERY_S:
            samples.append((now_s, total))
        while len(samples) > 1 and samples[1][0] <= now_s - _DAY_S:
            samples.popleft()
        return max(0, total - samples[0][1])


def percentile(values: Collection[float], share: float) -> float:
    """The smallest value that `share` of all are not above; 0 of none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def longest_silent(last_heard: Mapping[str, int]) -> list[SensorState]:
    """The sensors that have been silent for longest, those first."""
    oldest = sorted(last_heard.items(), key=lambda item: (item[1], item[0]))[:_MOST_SENSORS]
    return [SensorState(sensor, at_ms) for sensor, at_ms in oldest]


def show_alarms(data_dir: Path, events: Sequence[AlarmEvent], active: Sequence[msgspec.Struct]) -> None:
    """Log what happened, and replace the status file `alarms.json`: what is broken now, `[]` when all is well."""
    for event in events:
        _log.warning(
            "ALARM %s: %s %s %s by limit %s", event.event, event.sensor, event.quantity, event.value, event.rule
        )
    try:
        replace_file(data_dir / ALARMS_FILE, msgspec.json.encode(active))
    except OSError as error:  # the alarm itself is not the less told for it
        _log.error("%s cannot be written: %s", data_dir / ALARMS_FILE, error)


def replace_file(path: Path, content: bytes) -> None:
    """Write a status file so that a reader finds the old or the new content, never half of it."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(content)
    os.replace(fresh, path)
