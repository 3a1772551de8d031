"""Hearing how gateways are."""

import math
import uuid
from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.gateways.service import (
    check_epoch,
    check_moment,
    check_software_version,
    get_gateway,
    is_online,
    tell_watchers,
)
from cloud_api.devices.heartbeats.models import GatewayHeartbeat
from cloud_api.devices.models import Gateway
from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import Invalid
from gateway.contract import Heartbeat

#: what stands in columns of its own; the rest is details
_COLUMNS = (
    "epoch",
    "recorded_at_ms",
    "uptime_s",
    "software_version",
    "config_version",
    "backlog_rows",
    "oldest_unsent_ms",
    "dead_letters",
    "disk_free_mb",
)
#: a gateway says at most a hundred of anything
_MAX_ENTRIES = 100
_MAX_DETAILS_BYTES = 64_000


async def hear(db: AsyncSession, gateway_id: uuid.UUID, heartbeat: Heartbeat) -> Gateway:
    """Keep a heartbeat. The same one twice is one.

    Raises:
        Invalid: when a figure in it cannot be true.
    """
    _check_heartbeat(heartbeat)
    details = {name: value for name, value in msgspec.to_builtins(heartbeat).items() if name not in _COLUMNS}
    _check_details(heartbeat, details)
    unsent_ms = heartbeat.oldest_unsent_ms
    gateway = await get_gateway(db, gateway_id)
    _note(db, gateway, heartbeat)
    await insert_missing(
        db,
        GatewayHeartbeat,
        {
            "gateway_id": gateway_id,
            "recorded_at": clock.from_ms(heartbeat.recorded_at_ms),
            "received_at": clock.now(),
            "epoch": heartbeat.epoch,
            "uptime_s": heartbeat.uptime_s,
            "backlog_rows": heartbeat.backlog_rows,
            "oldest_unsent_at": None if unsent_ms is None else clock.from_ms(unsent_ms),
            "dead_letters": heartbeat.dead_letters,
            "disk_free_mb": heartbeat.disk_free_mb,
            "details": details,
        },
    )
    return gateway


def _note(db: AsyncSession, gateway: Gateway, heartbeat: Heartbeat) -> None:
    """Let the gateway be as it says, and wake who watches when that is something new to look at."""
    unsent_ms = heartbeat.oldest_unsent_ms
    said = {
        "software_version": heartbeat.software_version,
        "running_config_version": heartbeat.config_version,
        "backlog_rows": heartbeat.backlog_rows,
        "oldest_unsent_at": None if unsent_ms is None else clock.from_ms(unsent_ms),
    }
    if not is_online(gateway) or any(getattr(gateway, name) != value for name, value in said.items()):
        tell_watchers(db, gateway)
    gateway.last_seen_at = clock.now()
    for name, value in said.items():
        setattr(gateway, name, value)


def _check_heartbeat(heartbeat: Heartbeat) -> None:
    """What the types of the wire cannot say.

    Raises:
        Invalid: naming the field.
    """
    check_software_version(heartbeat.software_version)
    check_epoch(heartbeat.epoch)
    check_moment("recorded_at_ms", heartbeat.recorded_at_ms)
    check_moment("oldest_unsent_ms", heartbeat.oldest_unsent_ms or 0)
    for name in ("uptime_s", "config_version", "backlog_rows", "dead_letters", "disk_free_mb"):
        if not 0 <= getattr(heartbeat, name) < 2**31:
            raise Invalid(f"{name} must lie between 0 and 2^31", field=name)


def _check_details(heartbeat: Heartbeat, details: dict[str, object]) -> None:
    """Numbers that JSON has words for, and no more of anything than a page can show.

    Raises:
        Invalid: naming the field.
    """
    for name in ("commit_p99_ms", "temperature_c"):
        if not math.isfinite(getattr(heartbeat, name) or 0.0):
            raise Invalid(f"{name} must be a finite number", field=name)
    for name in ("waiting", "dead_letter_reasons", "sources", "sensors", "warnings"):
        entries: Sequence[object] = getattr(heartbeat, name)
        if len(entries) > _MAX_ENTRIES:
            raise Invalid(f"{name} may have {_MAX_ENTRIES} entries, this has {len(entries)}", field=name)
    if len(msgspec.json.encode(details)) > _MAX_DETAILS_BYTES:
        raise Invalid(f"a heartbeat says at most {_MAX_DETAILS_BYTES} bytes: shorten its texts", field="warnings")
