"""Inventory's judge: shown every stored batch, it keeps what readers saw and what scales showed standing still.

What follows from it is found out after the batch is safe (`reactions`): taking in readings waits for none of it.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.sightings.events import TagsSeen
from cloud_api.inventory.sightings.models import TagSighting, Weight
from cloud_api.kernel import clock, outbox
from cloud_api.telemetry.judges import SeenWeight, StoredBatch

_G_PER_KG = 1000


async def judge(db: AsyncSession, batch: StoredBatch) -> None:
    """Keep tag reads and stable weights, each with the place where its device was."""
    db.add_all(
        TagSighting(
            gateway_id=batch.gateway_id,
            sequence=seen.sequence,
            reader_id=seen.reader.id,
            location_id=seen.reader.location_id,
            epc=seen.read.epc,
            antenna=seen.read.antenna,
            rssi_dbm=seen.read.rssi_dbm,
            direction=seen.read.direction,
            seen_at=clock.from_ms(seen.read.recorded_at_ms),
        )
        for seen in batch.tags
    )
    db.add_all(
        Weight(
            gateway_id=batch.gateway_id,
            sequence=seen.sequence,
            scale_id=seen.scale.id,
            location_id=seen.scale.location_id,
            weight_g=_weight_g(seen, seen.weighing.weight_kg),
            basis=seen.weighing.basis,
            weighed_at=clock.from_ms(seen.weighing.recorded_at_ms),
        )
        for seen in batch.weights
        if seen.weighing.state == "stable" and seen.weighing.weight_kg is not None
    )
    await db.flush()
    if batch.tags:
        sequences = [seen.sequence for seen in batch.tags]
        outbox.emit(db, TagsSeen(batch.gateway_id, min(sequences), max(sequences)))


def _weight_g(seen: SeenWeight, weight_kg: float) -> int:
    correction = seen.scale.correction_at(seen.weighing.recorded_at_ms)
    return round((weight_kg * correction.gain + correction.offset) * _G_PER_KG)
