"""Keeping the newest of what gateways wrote into their logs."""

import uuid

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.gateways.service import check_moment
from cloud_api.devices.logs.models import GatewayLog
from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing
from gateway.contract import LogUpload

MAX_LINES = 1000
MAX_BYTES = 256_000
KEPT_UPLOADS = 10


async def keep_logs(db: AsyncSession, gateway_id: uuid.UUID, upload: LogUpload) -> None:
    """Keep the newest lines of an upload, and the newest uploads of a gateway. The same one twice is one.

    Raises:
        Invalid: when it was made at no time.
    """
    check_moment("recorded_at_ms", upload.recorded_at_ms)
    lines = newest_lines(upload.lines)
    values = {
        "gateway_id": gateway_id,
        "recorded_at": clock.from_ms(upload.recorded_at_ms),
        "received_at": clock.now(),
        "lines": lines,
        "left_out": len(upload.lines) - len(lines),
    }
    await insert_missing(db, GatewayLog, values)
    its = select(GatewayLog.id).where(GatewayLog.gateway_id == gateway_id).order_by(GatewayLog.id.desc())
    too_old = (await db.scalars(its.offset(KEPT_UPLOADS))).all()
    if too_old:
        await db.execute(delete(GatewayLog).where(GatewayLog.id.in_(too_old)))


def newest_lines(lines: list[str]) -> list[str]:
    """As many of the last of `lines` as are kept, in their order; a line that alone is too long is cut."""
    kept, room = list[str](), MAX_BYTES
    for line in reversed(lines[-MAX_LINES:]):
        text = line.encode()[:MAX_BYTES].decode(errors="ignore").replace("\0", "\ufffd")
        room -= len(text.encode()) + 1
        if room < 0 and kept:
            break
        kept.append(text)
    return kept[::-1]
