"""What lies where, as tests look at it."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from cloud_api.inventory.holds import service as holds
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import StockLevel, StockReservation
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform, Tenant


async def lying_in(tenant: Tenant, location_id: str) -> dict[str, tuple[str, str, str]]:
    """Lot number -> (on hand, available, status)."""
    lots = {lot["id"]: lot["lot_number"] for lot in await tenant.get("/api/v1/warehouse/batches", limit=200)}
    levels = await tenant.get("/api/v1/warehouse/stock/levels", location_id=location_id, limit=200)
    return {lots[level["lot_id"]]: (level["on_hand"], level["available"], level["status"]) for level in levels}


async def status_in(tenant: Tenant, location_id: str) -> dict[str, str]:
    """Lot number -> status."""
    return {lot: status for lot, (_, _, status) in (await lying_in(tenant, location_id)).items()}


async def hold(farm: Platform, store: ColdStore, source: str, location_id: str | None = None) -> int:
    """Hold a place, the cold room unless told otherwise; how many levels that covers."""
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        place = UUID(location_id or store.room_id)
        return len(await holds.hold(db, location_id=place, reason="too warm", source=source))


async def release(farm: Platform, store: ColdStore, source: str) -> int:
    """End a hold; how many levels that frees."""
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        return len(await holds.release(db, source=source))


async def recover(farm: Platform, store: ColdStore, source: str) -> None:
    """The place is well again."""
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await holds.stop_covering_arrivals(db, source=source)


def held(statuses: dict[str, str]) -> Sequence[str]:
    """The lots on hold, in order."""
    return sorted(lot for lot, status in statuses.items() if status == "on_hold")


async def assert_consistent(farm: Platform, store: ColdStore) -> None:
    """Levels are what the ledger and the promises say."""
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        assert await ledger.differences(db) == []
        rows = await db.execute(
            select(StockReservation.stock_level_id, func.sum(StockReservation.quantity))
            .where(StockReservation.status == "active")
            .group_by(StockReservation.stock_level_id)
        )
        promised = dict(rows.tuples().all())
        for level in await db.scalars(select(StockLevel)):
            assert level.reserved == promised.get(level.id, Decimal(0))
            assert level.on_hand >= level.reserved >= 0
