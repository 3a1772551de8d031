"""What the gateway tells about itself: a heartbeat to the cloud, and the alarms of now to whoever stands before it."""

import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gateway.clock import Clock
from gateway.cloud import Cloud, CloudError, software_version
from gateway.contract import AlarmEvent, Heartbeat
from gateway.provisioning import RemoteConfig
from gateway.spool import LANES, ActiveAlarm, Credential, Spool, Store

_log = logging.getLogger(__name__)

ALARMS_FILE = "alarms.json"


async def send_heartbeats(
    spool: Spool, cloud: Cloud, clock: Clock, remote_config: RemoteConfig, credential: Credential, data_dir: Path
) -> None:
    """Beat for ever, as often as the configuration says; a beat that fails is not repeated."""
    started_s = clock.monotonic_s()
    version = software_version()
    while True:
        beat = await spool.submit(lambda store: _Counts.of(store))
        heartbeat = Heartbeat(
            epoch=spool.epoch,
            recorded_at_ms=clock.wall_ms(),
            uptime_s=int(clock.monotonic_s() - started_s),
            software_version=version,
            config_version=remote_config.current.version,
            backlog_rows=beat.backlog_rows,
            oldest_unsent_ms=beat.oldest_unsent_ms,
            dead_letters=beat.dead_letters,
            disk_free_mb=shutil.disk_usage(data_dir).free // 1_000_000,
        )
        try:
            answer = await cloud.heartbeat(credential, heartbeat)
            await remote_config.seen(answer.config_version, credential)
        except CloudError as failure:
            _log.warning("heartbeat: %s", failure)
        await clock.sleep(max(1, remote_config.current.heartbeat_interval_s))


def show_alarms(data_dir: Path, events: Sequence[AlarmEvent], active: Sequence[ActiveAlarm]) -> None:
    """Log what happened, and replace the status file `alarms.json`: the limits broken now, `[]` when all is well."""
    for event in events:
        _log.warning(
            "ALARM %s: %s %s %s by limit %s", event.event, event.sensor, event.quantity, event.value, event.rule
        )
    replace_file(data_dir / ALARMS_FILE, msgspec.json.encode(active))


def replace_file(path: Path, content: bytes) -> None:
    """Write a status file so that a reader finds the old or the new content, never half of it."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(content)
    os.replace(fresh, path)


class _Counts(msgspec.Struct, frozen=True):
    backlog_rows: int
    oldest_unsent_ms: int | None
    dead_letters: int

    @classmethod
    def of(cls, store: Store) -> "_Counts":
        backlogs = [store.backlog(lane) for lane in LANES]
        oldest = [backlog.oldest_ms for backlog in backlogs if backlog.oldest_ms is not None]
        return cls(sum(backlog.rows for backlog in backlogs), min(oldest, default=None), store.dead_letters())
