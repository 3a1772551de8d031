"""The process that answers, and the machine that it is on."""

from datetime import UTC, datetime

import psutil
from sqlalchemy import QueuePool

from cloud_api.analytics.load.schemas import PoolRead, ProcessRead
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database


def process() -> ProcessRead:
    """As it is at this moment, by the machine's own clock."""
    own, disk = psutil.Process(), psutil.disk_usage(".")
    started_at = datetime.fromtimestamp(own.create_time(), UTC)
    return ProcessRead(
        started_at=started_at,
        uptime_s=round((clock.machine_now() - started_at).total_seconds(), 1),
        memory_bytes=own.memory_info().rss,
        load_per_core=round(psutil.getloadavg()[0] / (psutil.cpu_count() or 1), 2),
        memory_used_share=round(psutil.virtual_memory().percent / 100, 3),
        disk_free_bytes=disk.free,
        disk_used_share=round(disk.percent / 100, 3),
    )


def pool(database: Database) -> PoolRead | None:
    """How many of the process's connections are in use, this question's among them; None: it keeps none."""
    kept = database.engine.pool
    return PoolRead(size=kept.size(), in_use=kept.checkedout()) if isinstance(kept, QueuePool) else None
