"""Heartbeats, as people see them."""

from datetime import datetime

from cloud_api.kernel.http import ResponseModel


class HeartbeatRead(ResponseModel):
    """How a gateway was."""

    recorded_at: datetime
    received_at: datetime
    uptime_s: int
    backlog_rows: int
    oldest_unsent_at: datetime | None
    dead_letters: int
    disk_free_mb: int
    #: everything else the gateway said: its clock, lanes, disk, sources, silent sensors and warnings, as `Heartbeat`
    #: of the wire names them
    details: dict[str, object]
