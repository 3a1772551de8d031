"""What happened in a cold store yesterday, told minute by minute."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.cold_chain.exposure.models import LotExposure
from cloud_api.cold_chain.exposure.service import ExposureSource, write_exposure
from cloud_api.inventory.stock import service as stock
from cloud_api.kernel import clock
from cloud_api.telemetry.stores.sql import SqlStore
from tests.factories.batches import make_epoch, make_reading, send
from tests.factories.stores import ColdStore, make_rule
from tests.platform_under_test import Platform


def _yesterday() -> datetime:
    """When an hour of Asia/Kolkata began, where every organisation is that says nothing else."""
    return clock.machine_now().replace(minute=30, second=0, microsecond=0) - timedelta(days=1)


@dataclass
class Story:
    """A cold store, and a day that begins at `begin`."""

    farm: Platform
    store: ColdStore
    begin: datetime = field(default_factory=_yesterday)
    rule_id: str = ""

    def at(self, minute: float) -> datetime:
        """That many minutes after the beginning."""
        return self.begin + timedelta(minutes=minute)

    def ms(self, minute: float) -> int:
        return clock.to_ms(self.at(minute))

    async def receive(self, minute: float, *, lot: str = "LOT-1", quantity: str = "10", place: str = "") -> uuid.UUID:
        """Goods came in at that minute; the lot."""
        clock.use(lambda: self.at(minute))
        async with self.farm.database.unit_of_work(self.store.tenant.organization) as db:
            movement = await stock.receive_goods(
                db,
                product_id=uuid.UUID(self.store.product_id),
                location_id=uuid.UUID(place or self.store.room_id),
                lot_number=lot,
                expires_on=None,
                quantity=Decimal(quantity),
            )
        clock.use(None)
        return movement.lot_id

    async def leave(self, minute: float, lot_id: uuid.UUID, *, quantity: str = "10", place: str = "") -> None:
        """That much of a lot left at that minute."""
        clock.use(lambda: self.at(minute))
        async with self.farm.database.unit_of_work(self.store.tenant.organization) as db:
            await stock.adjust_stock(
                db,
                lot_id=lot_id,
                location_id=uuid.UUID(place or self.store.room_id),
                delta=-Decimal(quantity),
                reason="moved",
            )
        clock.use(None)

    async def measure(self, values: Sequence[float], *, start: float = 0, every: float = 1, **fields: Any) -> None:
        """A temperature every so many minutes."""
        rows = [
            make_reading(number + 1, value, self.ms(start + number * every), **fields)
            for number, value in enumerate(values)
        ]
        await send(self.farm, self.store, rows, epoch=make_epoch())

    async def excursion(self, start: float, end: float | None, **fields: Any) -> Excursion:
        """An excursion above 8 °C that nobody judged."""
        if not self.rule_id:
            self.rule_id = (await make_rule(self.store, quantity="dew_point"))["id"]
        row = Excursion(
            **{
                "number": f"EXC-{uuid.uuid4()}",
                "incident": str(uuid.uuid4()),
                "location_id": uuid.UUID(self.store.room_id),
                "sensor_id": uuid.UUID(self.store.sensor_id),
                "rule_id": uuid.UUID(self.rule_id),
                "quantity": "temperature",
                "unit": "Cel",
                "kind": "high",
                "set_at": 8.0,
                "clear_at": 7.0,
                "severity": "critical",
                "status": "open" if end is None else "recovered",
                "started_at": self.at(start),
                "raised_at": self.at(start),
                "ended_at": None if end is None else self.at(end),
                "peak_value": 9.0,
                "raised_by": "cloud",
                **fields,
            }
        )
        async with self.farm.database.unit_of_work(self.store.tenant.organization) as db:
            db.add(row)
        return row

    async def expose(self, excursion: Excursion) -> dict[tuple[uuid.UUID, uuid.UUID], LotExposure]:
        """Reckon what it did: by (lot, place)."""
        ended_at = excursion.ended_at
        source = ExposureSource(
            excursion_id=excursion.id,
            sensor_id=excursion.sensor_id,
            location_id=excursion.location_id,
            kind="low" if excursion.kind == "low" else "high",
            set_at=excursion.set_at,
            started_at_ms=clock.to_ms(excursion.started_at),
            ended_at_ms=None if ended_at is None else clock.to_ms(ended_at),
        )
        async with self.farm.database.unit_of_work(self.store.tenant.organization) as db:
            await write_exposure(db, source, store=SqlStore())
        async with self.farm.database.unit_of_work(self.store.tenant.organization, read_only=True) as db:
            rows = await db.scalars(select(LotExposure).where(LotExposure.excursion_id == excursion.id))
            return {(row.lot_id, row.location_id): row for row in rows}
