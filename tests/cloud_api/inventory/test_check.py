"""The check of the ledger names every difference, and nothing else."""

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.check import check
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement, StockReservation
from cloud_api.kernel import clock
from cloud_api.kernel.tenancy import SystemScope
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def differences(farm: Platform, store: ColdStore) -> list[str]:
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        return [str(difference) async for difference in check(db)]


async def bend(farm: Platform, store: ColdStore, **values: Any) -> None:
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        await db.execute(update(StockLevel).values(**values))


async def test_a_sound_ledger_has_no_differences(farm: Platform, store: ColdStore) -> None:
    movement = await receive(store, quantity="10")
    undo = {"reason": "mistake"}
    await store.tenant.post(f"/api/v1/warehouse/stock/movements/{movement['id']}/reverse", undo)
    await receive(store, quantity="5")
    assert await differences(farm, store) == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"on_hand": Decimal("9.999")}, "the level says 9.999 on hand, the ledger says 10.000"),
        ({"weight_g": 17}, "the level says 17 g, the ledger says 0 g"),
        ({"reserved": Decimal(3)}, "the level says 3.000 reserved, the ledger says 0.000 are promised"),
    ],
)
async def test_a_level_that_somebody_bent_is_named_with_lot_place_and_both_numbers(
    farm: Platform, store: ColdStore, values: dict[str, Any], says: str
) -> None:
    await receive(store, quantity="10")
    await bend(farm, store, **values)
    [found] = await differences(farm, store)
    assert "lot LOT-1 in " in found
    assert found.endswith(says)
    async with farm.database.unit_of_work(SystemScope("test"), read_only=True) as db:
        assert found in [str(difference) async for difference in check(db)]


async def test_a_promise_that_the_level_does_not_know_is_named(farm: Platform, store: ColdStore) -> None:
    await receive(store, quantity="10")
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        level = (await db.scalars(select(StockLevel))).one()
        db.add(
            StockReservation(
                stock_level_id=level.id, quantity=Decimal(2), source="order_line:x", reserved_at=clock.now()
            )
        )
    [found] = await differences(farm, store)
    assert found.endswith("the level says 0.000 reserved, the ledger says 2.000 are promised")


Bad = Callable[[Lot, uuid.UUID, StockMovement], ledger.Entry]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (
            lambda lot, place, first: ledger.Entry(
                movement_type="inbound", lot=lot, location_id=place, quantity=Decimal(-4), reverses_id=first.id
            ),
            "and does not cancel it: -4.000, the ledger says 10.000",
        ),
        (
            lambda lot, place, _: ledger.Entry(
                movement_type="transfer", lot=lot, location_id=place, quantity=Decimal(-4), group_id=uuid.uuid4()
            ),
            "its ends cancel out, the ledger says -4.000 and 0 g more arrived than left",
        ),
    ],
    ids=["undoing", "transfer"],
)
async def test_bookings_that_do_not_cancel_each_other_out_are_named(
    farm: Platform, store: ColdStore, bad: Bad, says: str
) -> None:
    await receive(store, quantity="10")
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        first = (await db.scalars(select(StockMovement))).one()
        lot = await ledger.get_lot(db, first.lot_id)
        await ledger.append(db, bad(lot, first.location_id, first))
    [found] = await differences(farm, store)
    assert found.endswith(says)
