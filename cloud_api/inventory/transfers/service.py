"""The verbs of transfers: at once, or by a document with goods on their way.

A transfer is locked before its places, places before levels. On their way goods lie in a place that stands in no
warehouse: nobody can be promised them.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import service as catalog
from cloud_api.inventory.ledger.models import StockMovement
from cloud_api.inventory.transfers import moving, queries
from cloud_api.inventory.transfers.errors import OverReceived
from cloud_api.inventory.transfers.models import StockTransfer, StockTransferLine
from cloud_api.inventory.transfers.moving import Booking, Leg
from cloud_api.inventory.transfers.schemas import LineReceive, MoveCreate, TransferCreate
from cloud_api.inventory.transfers.states import TRANSFER, TransferAction, TransferStatus
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Forbidden, Invalid, NotFound
from cloud_api.kernel.numbers import next_number
from cloud_api.places import service as places
from cloud_api.places.models import Location
from cloud_api.places.queries import EVERYWHERE, Visible


async def transfer_stock(
    db: AsyncSession,
    *,
    lines: Sequence[MoveCreate],
    reference: str = "",
    source: str = "manual",
    moved_by: uuid.UUID | None = None,
    seen: Visible = EVERYWHERE,
) -> list[StockMovement]:
    """Take goods from places to others now: all lines, or none. What is promised stays; holds go with the goods.

    Raises:
        NotFound: when a lot or a place is not there to be seen.
        Invalid, WrongQuantity, WeightMissing: when a line contradicts itself or its product.
        NotEnoughStock: when more is to leave than lies there and is not promised.
        PlaceClosed, WrongStorage, PlaceFull: when goods may not be put where they are to go.
    """
    lots = await moving.lots_of(db, {line.lot_id for line in lines})
    legs = []
    for number, line in enumerate(lines):
        await places.get_location(db, line.from_location_id, seen=seen)
        lot, product = lots[line.lot_id]
        leg = Leg(
            lot=lot,
            product=product,
            from_location_id=line.from_location_id,
            to=await places.get_present(db, line.to_location_id, seen=seen),
            quantity=line.quantity,
            weight_g=line.weight_g,
        )
        moving.check(leg, number)
        legs.append(leg)
    return await moving.move(db, legs, Booking(reference=reference, source=source, moved_by=moved_by))


async def create_transfer(
    db: AsyncSession, *, new: TransferCreate, created_by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> StockTransfer:
    """Say what is to go from one warehouse to another. Nothing is promised or moved by that.

    Whoever is confined to the one it leaves may send it to any other.

    Raises:
        NotFound: when a warehouse, a place or a lot is not there to be seen.
        Invalid, WrongQuantity, WeightMissing: when it goes nowhere, or a line contradicts itself or its product.
    """
    await places.get_warehouse(db, new.from_warehouse_id, seen=seen)
    await places.get_warehouse(db, new.to_warehouse_id)
    if new.from_warehouse_id == new.to_warehouse_id:
        raise Invalid(
            "within one warehouse nothing is on its way: use POST /warehouse/stock/transfer", field="to_warehouse_id"
        )
    lots = await moving.lots_of(db, {line.lot_id for line in new.lines})
    for number, line in enumerate(new.lines):
        lot, product = lots[line.lot_id]
        await _check_place(db, line.from_location_id, new.from_warehouse_id, f"lines.{number}.from_location_id")
        if line.to_location_id is not None:
            await _check_place(db, line.to_location_id, new.to_warehouse_id, f"lines.{number}.to_location_id")
        leg = Leg(
            lot=lot,
            product=product,
            from_location_id=line.from_location_id,
            to=None,
            quantity=line.quantity,
            weight_g=line.weight_g,
        )
        moving.check(leg, number)
    transfer = StockTransfer(
        number=await next_number(db, "TRF"),
        from_warehouse_id=new.from_warehouse_id,
        to_warehouse_id=new.to_warehouse_id,
        status=TRANSFER.initial,
        expected_on=new.expected_on,
        note=new.note,
        created_by=created_by,
        created_at=clock.now(),
    )
    db.add(transfer)
    await db.flush()
    db.add_all(
        StockTransferLine(
            transfer_id=transfer.id,
            product_id=lots[line.lot_id][0].product_id,
            lot_id=line.lot_id,
            from_location_id=line.from_location_id,
            to_location_id=line.to_location_id,
            quantity=line.quantity,
            weight_g=line.weight_g,
        )
        for line in new.lines
    )
    await db.flush()
    return transfer


async def get_transfer(
    db: AsyncSession, transfer_id: uuid.UUID, *, seen: Visible = EVERYWHERE, locked: bool = False
) -> StockTransfer:
    """One transfer; locked until the unit of work ends when it is to change.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(StockTransfer).where(StockTransfer.id == transfer_id, queries.visible_transfers(seen))
    if locked:
        its = its.with_for_update().execution_options(populate_existing=True)
    transfer = (await db.scalars(its)).one_or_none()
    if transfer is None:
        raise NotFound(f"no transfer with id {transfer_id}")
    return transfer


async def ship_transfer(
    db: AsyncSession, transfer_id: uuid.UUID, *, shipped_by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> StockTransfer:
    """Everything of it leaves; from now on it is on its way.

    Raises:
        NotFound, InvalidTransition: as their names say.
        Forbidden: when whoever ships it may not see where it leaves.
        NotEnoughStock: when some of it does not lie there any more, or is promised; then nothing leaves.
    """
    transfer = await get_transfer(db, transfer_id, seen=seen, locked=True)
    _check_seen(transfer.from_warehouse_id, seen, "ships it")
    status = TRANSFER.apply(TransferStatus(transfer.status), TransferAction.SHIP)
    way = await places.transit_to(db, transfer.to_warehouse_id)
    lines = (await queries.lines_of(db, [transfer.id]))[transfer.id]
    lots = await moving.lots_of(db, {line.lot_id for line in lines})
    legs = [
        Leg(
            lot=lots[line.lot_id][0],
            product=lots[line.lot_id][1],
            from_location_id=line.from_location_id,
            to=way,
            quantity=line.quantity,
            weight_g=line.weight_g,
        )
        for line in lines
    ]
    booked = await moving.move(db, legs, _booking(transfer, shipped_by))
    for line, arrived in zip(lines, booked[1::2], strict=True):
        line.weight_g = arrived.weight_g
    transfer.status, transfer.shipped_by, transfer.shipped_at = status, shipped_by, clock.now()
    await db.flush()
    return transfer


async def receive_transfer(
    db: AsyncSession,
    transfer_id: uuid.UUID,
    *,
    arrived: Sequence[LineReceive],
    received_by: uuid.UUID | None,
    seen: Visible = EVERYWHERE,
) -> StockTransfer:
    """Put away what arrived, and book off what will not. It is completed when nothing is on its way any more.

    Raises:
        NotFound, InvalidTransition: as their names say.
        Forbidden: when whoever receives it may not see where it arrives.
        OverReceived: when more arrived than is on its way.
        Invalid: when a line says nothing, is named twice, or nobody says where it is put.
        PlaceClosed, WrongStorage, PlaceFull: when goods may not be put there.
    """
    transfer = await get_transfer(db, transfer_id, seen=seen, locked=True)
    _check_seen(transfer.to_warehouse_id, seen, "receives it")
    status = TRANSFER.apply(TransferStatus(transfer.status), TransferAction.RECEIVE)
    lines = {line.id: line for line in (await queries.lines_of(db, [transfer.id]))[transfer.id]}
    way = await places.transit_to(db, transfer.to_warehouse_id)
    lots = await moving.lots_of(db, {line.lot_id for line in lines.values()})
    legs: list[Leg] = []
    for number, one in enumerate(arrived):
        line = _line_of(lines, arrived, number)
        to = await _put(db, transfer, line, one.location_id, number) if one.quantity > 0 else None
        lot, product = lots[line.lot_id]
        legs += _settle(line, one, Leg(lot=lot, product=product, from_location_id=way.id, to=to, quantity=one.quantity))
        if to is not None:
            catalog.check_quantity(product, one.quantity, field=f"lines.{number}.quantity")
    await moving.move(db, legs, _booking(transfer, received_by))
    transfer.status = status
    if not any(line.outstanding for line in lines.values()):
        transfer.status = TRANSFER.apply(status, TransferAction.COMPLETE)
        transfer.closed_by, transfer.closed_at = received_by, clock.now()
    await db.flush()
    return transfer


async def return_transfer(
    db: AsyncSession,
    transfer_id: uuid.UUID,
    *,
    location_id: uuid.UUID | None = None,
    returned_by: uuid.UUID | None,
    seen: Visible = EVERYWHERE,
) -> StockTransfer:
    """What is still on its way is back in the places it left, or all of it in another one there.

    Raises:
        NotFound, InvalidTransition: as their names say.
        Invalid: when that other place stands in another warehouse.
        Forbidden: when whoever takes it back may not see where it left.
        PlaceClosed, WrongStorage, PlaceFull: when it may not be put there any more.
    """
    transfer = await get_transfer(db, transfer_id, seen=seen, locked=True)
    _check_seen(transfer.from_warehouse_id, seen, "takes it back")
    status = TRANSFER.apply(TransferStatus(transfer.status), TransferAction.RETURN)
    if location_id is not None:
        await _check_place(db, location_id, transfer.from_warehouse_id, "location_id")
    lines = [line for line in (await queries.lines_of(db, [transfer.id]))[transfer.id] if line.outstanding > 0]
    way = await places.transit_to(db, transfer.to_warehouse_id)
    lots = await moving.lots_of(db, {line.lot_id for line in lines})
    legs = [
        Leg(
            lot=lots[line.lot_id][0],
            product=lots[line.lot_id][1],
            from_location_id=way.id,
            to=await places.get_present(db, location_id or line.from_location_id),
            quantity=line.outstanding,
            weight_g=_share(line, line.outstanding),
        )
        for line in lines
    ]
    await moving.move(db, legs, _booking(transfer, returned_by))
    for line in lines:
        line.returned += line.outstanding
    transfer.status, transfer.closed_by, transfer.closed_at = status, returned_by, clock.now()
    await db.flush()
    return transfer


async def cancel_transfer(
    db: AsyncSession, transfer_id: uuid.UUID, *, cancelled_by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> StockTransfer:
    """Send nothing.

    Raises:
        NotFound, InvalidTransition: as their names say; what has left is taken back by `return_transfer`.
        Forbidden: when whoever cancels it may not see where it would have left.
    """
    transfer = await get_transfer(db, transfer_id, seen=seen, locked=True)
    _check_seen(transfer.from_warehouse_id, seen, "cancels it")
    transfer.status = TRANSFER.apply(TransferStatus(transfer.status), TransferAction.CANCEL)
    transfer.closed_by, transfer.closed_at = cancelled_by, clock.now()
    await db.flush()
    return transfer


def _booking(transfer: StockTransfer, moved_by: uuid.UUID | None) -> Booking:
    return Booking(reference=f"transfer:{transfer.number}", source="system", moved_by=moved_by)


def _check_seen(warehouse_id: uuid.UUID, seen: Visible, who: str) -> None:
    if not seen.shows(warehouse_id):
        raise Forbidden(f"you are confined to other warehouses: somebody of this one {who}")


async def _check_place(db: AsyncSession, location_id: uuid.UUID, warehouse_id: uuid.UUID, field: str) -> None:
    location = await places.get_present(db, location_id)
    if location.warehouse_id != warehouse_id:
        raise Invalid(f"{location.code} stands in another warehouse", field=field)


def _line_of(
    lines: Mapping[uuid.UUID, StockTransferLine], arrived: Sequence[LineReceive], number: int
) -> StockTransferLine:
    one = arrived[number]
    line = lines.get(one.line_id)
    if line is None:
        raise NotFound(f"the transfer has no line with id {one.line_id}", field=f"lines.{number}.line_id")
    if one.line_id in {before.line_id for before in arrived[:number]}:
        raise Invalid("this line is named twice: say once what arrived of it", field=f"lines.{number}.line_id")
    if one.quantity > line.outstanding:
        raise OverReceived(
            f"{one.quantity} arrived and {line.outstanding} are on their way: count again, and book what nobody sent "
            "as a receipt or an adjustment of its own",
            field=f"lines.{number}.quantity",
        )
    if one.quantity == 0 and one.loss is None:
        raise Invalid("say what arrived, or what became of what did not", field=f"lines.{number}.quantity")
    return line


async def _put(
    db: AsyncSession, transfer: StockTransfer, line: StockTransferLine, location_id: uuid.UUID | None, number: int
) -> Location:
    where = location_id or line.to_location_id
    if where is None:
        raise Invalid("say where it is put: the transfer does not", field=f"lines.{number}.location_id")
    await _check_place(db, where, transfer.to_warehouse_id, f"lines.{number}.location_id")
    return await places.get_present(db, where)


def _settle(line: StockTransferLine, one: LineReceive, leg: Leg) -> list[Leg]:
    """What of a line is put away, and what is booked off; the line says so from now on."""
    legs = []
    if one.quantity > 0:
        legs.append(replace(leg, weight_g=_share(line, one.quantity)))
        line.received += one.quantity
    if one.loss is not None and line.outstanding > 0:
        gone, weight_g = line.outstanding, _share(line, line.outstanding)
        legs.append(replace(leg, to=None, quantity=gone, weight_g=weight_g, movement_type=one.loss.book_as))
        line.lost += gone
        line.loss_type, line.loss_reason = one.loss.book_as, one.loss.reason
    return legs


def _share(line: StockTransferLine, quantity: Decimal) -> int | None:
    """What a part of what is on its way weighs; `line` says what is settled before it."""
    if line.weight_g is None:
        return None
    begin = line.quantity - line.outstanding
    return round(line.weight_g * (begin + quantity) / line.quantity) - round(line.weight_g * begin / line.quantity)
