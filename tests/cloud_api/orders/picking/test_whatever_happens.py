"""Whatever is picked, weighed, substituted, found missing, held and given up: the sums hold."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.holds import service as holds
from cloud_api.inventory.ledger.models import StockMovement, StockReservation
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.money import amount_minor
from cloud_api.kernel.quantity import to_thousandths
from cloud_api.orders.book import service as book
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.book.queries import EVERY_ORDER
from cloud_api.orders.picking import service as picking
from cloud_api.orders.picking.schemas import LinePack, LinePick, LotPick, OrderPack, OrderPick, OrderShip, Substitute
from tests.cloud_api.inventory.stock import assert_consistent
from tests.cloud_api.orders.picking.shelves import Shelves, confirmed, make_shelves, set_up
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import receive_lot
from tests.factories.properties import FEW
from tests.factories.stores import make_product
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

Verb = Literal["pick", "swap", "short", "substitute", "hold", "free", "pack", "fulfill", "cancel", "ship"]
NAMED = {
    "WRONG_LOT",
    "NOTHING_TO_PICK",
    "NOTHING_TO_PACK",
    "STOCK_ON_HOLD",
    "NOT_ENOUGH_STOCK",
    "WEIGHT_OUT_OF_TOLERANCE",
    "BAD_SUBSTITUTE",
    "BACKORDERED",
    "INVALID_TRANSITION",
    "NOT_HELD",
    "NOT_FOUND",
}


class Step(NamedTuple):
    """One thing that happens to one of two orders."""

    verb: Verb
    order: int
    #: which of the lots
    lot: int
    #: thousandths
    quantity: int


quantities = st.one_of(st.integers(1, 5_500), st.sampled_from([3_000, 4_000, 4_100, 3_900]))
verbs: Sequence[Verb] = ("pick", "pick", "swap", "short", "substitute", "hold", "free", "pack", "pack", "fulfill")
steps = st.lists(
    st.builds(
        Step,
        verb=st.sampled_from([*verbs, "cancel", "ship"]),
        order=st.integers(0, 1),
        lot=st.integers(0, 1),
        quantity=quantities,
    ),
    min_size=4,
    max_size=12,
)


@dataclass(frozen=True)
class Scene:
    """Two orders, and what they may get."""

    shelves: Shelves
    order_ids: Sequence[uuid.UUID]
    lot_ids: Sequence[uuid.UUID]
    substitute_id: uuid.UUID
    picker: picking.Picker


async def make_scene(farm: Platform) -> Scene:
    """Two orders of four kilograms; nine are there, of two lots, and two of something else."""
    shelves = await make_shelves(farm, first="6", second="3")
    other = await make_product(farm.tenant, price="30")
    await receive_lot(farm.tenant, product_id=other, location_id=shelves.depot.room_id, quantity="2")
    orders = [await confirmed(shelves) for _ in range(2)]
    return Scene(
        shelves,
        [uuid.UUID(order["id"]) for order in orders],
        [uuid.UUID(shelves.first["lot_id"]), uuid.UUID(shelves.second["lot_id"])],
        uuid.UUID(other),
        picking.Picker(uuid.UUID(int=7), EVERY_ORDER),
    )


async def happen(db: AsyncSession, scene: Scene, step: Step) -> None:
    """Let it happen."""
    order_id, picker = scene.order_ids[step.order], scene.picker
    quantity = Decimal(step.quantity).scaleb(-3)
    [line, *_] = await book.lines_of(db, order_id)
    match step.verb:
        case "pick" | "swap":
            lot = LotPick(lot_id=scene.lot_ids[step.lot], quantity=quantity, swap=step.verb == "swap")
            body = OrderPick(lines=[LinePick(line_id=line.id, lots=[lot])])
            await picking.pick_order(db, order_id, picked=body, picker=picker)
        case "short":
            body = OrderPick(lines=[LinePick(line_id=line.id, short_reason="gone")])
            await picking.pick_order(db, order_id, picked=body, picker=picker)
        case "substitute":
            other = Substitute(product_id=scene.substitute_id, quantity=quantity, agreed=True, reason="gone")
            body = OrderPick(lines=[LinePick(line_id=line.id, substitute=other)])
            await picking.pick_order(db, order_id, picked=body, picker=picker)
        case "pack":
            lines = [LinePack(line_id=line.id, quantity=quantity)] if step.lot else []
            await picking.pack_order(db, order_id, packed=OrderPack(lines=lines), picker=picker)
        case "fulfill":
            await picking.fulfill_order(db, order_id, picker=picker)
        case "cancel":
            await book.cancel_order(db, order_id, reason="closed")
        case "ship":
            wanted = OrderShip(delivered=True, recipient_name="The cook")
            await picking.ship_order(db, order_id, wanted=wanted, picker=picker)
        case "hold":
            await holds.hold(
                db, lot_id=scene.lot_ids[step.lot], reason="label", source=f"test:{scene.lot_ids[step.lot]}"
            )
        case "free":
            await holds.release(db, source=f"test:{scene.lot_ids[step.lot]}")


async def look(db: AsyncSession, order_id: uuid.UUID) -> None:
    """What must hold of an order, whatever happened to it."""
    order = (await db.scalars(select(CustomerOrder).where(CustomerOrder.id == order_id))).one()
    lines = await book.lines_of(db, order_id)
    in_it = {line.id: line.quantity if line.packed_quantity is None else line.packed_quantity for line in lines}
    assert order.total_minor == sum(amount_minor(line.unit_price, to_thousandths(in_it[line.id])) for line in lines)
    for line in lines:
        assert in_it[line.id] <= line.quantity * Decimal("1.05")
        promised = await sum_of(db, line)
        if order.status == "packed":
            assert promised == line.packed_quantity
        elif order.status == "confirmed":
            assert promised <= line.quantity * Decimal("1.05")
        else:
            assert promised == 0
    gone = select(func.sum(StockMovement.quantity)).where(
        StockMovement.reference == f"order:{order.number}", StockMovement.movement_type == "outbound"
    )
    left = await db.scalar(gone) or Decimal(0)
    assert -left == (sum(in_it.values()) if order.status == "delivered" else 0)


async def sum_of(db: AsyncSession, line: OrderLine) -> Decimal:
    """What is promised to a line."""
    its = select(func.sum(StockReservation.quantity)).where(
        StockReservation.source == book.source_of(line), StockReservation.status == "active"
    )
    return await db.scalar(its) or Decimal(0)


async def live_through(farm: Platform, happened: Sequence[Step], *, waits: bool) -> None:
    """Let all of it happen, and look after each step."""
    await set_up(farm.tenant, orders__short_pick="backorder" if waits else "deliver_short")
    scene = await make_scene(farm)
    for step in happened:
        refused = ""
        try:
            async with farm.database.unit_of_work(farm.tenant.organization) as db:
                await happen(db, scene, step)
        except AppError as error:
            refused = error.code
        assert refused in {"", *NAMED}, step
        async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
            for order_id in scene.order_ids:
                await look(db, order_id)
    await assert_consistent(farm, scene.shelves.store)


@settings(FEW, max_examples=4)
@given(happened=steps, waits=st.booleans())
async def test_an_order_costs_what_is_promised_to_it(farm: Platform, happened: list[Step], waits: bool) -> None:
    await live_through(farm, happened, waits=waits)


@pytest.mark.long
@settings(FEW, max_examples=25)
@given(happened=steps, waits=st.booleans())
async def test_nothing_is_promised_twice_however_long_it_goes_on(
    farm: Platform, happened: list[Step], waits: bool
) -> None:
    await live_through(farm, happened, waits=waits)
