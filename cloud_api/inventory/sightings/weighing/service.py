"""Using weights: for a receipt, a pick, a count or a correction, each weight once.

A weight is believed when the scale says that it stands still and, where somebody asks for more, when its weights before
say the same within one division. From grams to the product's unit the way is exact, or refused.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.errors import UnknownUnit
from cloud_api.catalog.products import measures
from cloud_api.catalog.products import service as catalog
from cloud_api.catalog.products.models import Product
from cloud_api.devices.scales.models import Scale
from cloud_api.devices.scales.service import get_scale
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.sightings.models import Weight
from cloud_api.inventory.sightings.queries import visible_sightings
from cloud_api.inventory.sightings.weighing import picks
from cloud_api.inventory.sightings.weighing.errors import (
    NotByWeight,
    NothingWeighed,
    ScaleNotKnown,
    WeightApplied,
    WeightOverCapacity,
    WeightUnstable,
)
from cloud_api.inventory.sightings.weighing.models import WeighingRule, WeightUse
from cloud_api.inventory.sightings.weighing.schemas import (
    AsAdjustment,
    AsCount,
    AsPick,
    AsReceipt,
    StabilityWrite,
    WeightApply,
)
from cloud_api.inventory.stock import service as stock
from cloud_api.inventory.takes import service as takes
from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import Conflict, Invalid, NotFound
from cloud_api.kernel.money import unit_price_to_integer
from cloud_api.kernel.registers import flush_unique
from cloud_api.places.queries import EVERYWHERE, Visible

_G_PER_KG = 1000
#: a rule that nobody has made: what the scale says is enough
_AT_ONCE = 1


@dataclass(frozen=True, slots=True)
class Weighed:
    """How much of a product is there, by its weight."""

    product: Product
    #: in the product's unit
    quantity: Decimal
    #: of catch weight; None of all others
    weight_g: int | None


@dataclass(frozen=True, slots=True)
class _Who:
    """Who uses a weight, and what they may see."""

    by: uuid.UUID | None
    seen: Visible


async def apply_weight(
    db: AsyncSession, weight_id: uuid.UUID, *, wish: WeightApply, by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> tuple[WeightUse, Decimal]:
    """Use a weight. Returns what became of it, and how much it is in the product's unit.

    Raises:
        NotFound: when the weight, or what it is to be used for, is not there.
        ScaleNotKnown, WeightUnstable, WeightOverCapacity, NothingWeighed: when it cannot be believed.
        WeightApplied: when it was used already.
        NotByWeight: when it does not say how much of these goods there is.
        AppError: whatever the receipt, pick, count or correction refuses.
    """
    weight = await get_weight(db, weight_id, seen=seen)
    use = await _claim(db, weight, kind=wish.kind, container_g=wish.container_g, by=by)
    weighed = await _use(db, use, weight, wish, _Who(by, seen))
    await db.flush()
    return use, weighed.quantity


async def weigh_out(
    db: AsyncSession,
    weight_id: uuid.UUID,
    *,
    product: Product,
    container_g: int,
    pieces: Decimal | None,
    reference: str,
    by: uuid.UUID | None,
    seen: Visible = EVERYWHERE,
) -> Weighed:
    """Use a weight for what is taken for somebody, who books it: how much of a product that is.

    Args:
        container_g: of the box that it is in.
        pieces: of goods that are counted and weighed, and of no others.
        reference: for whom, as `order_line:<id>`.

    Raises:
        NotFound: when there is no such weight to be seen.
        ScaleNotKnown, WeightUnstable, WeightOverCapacity, NothingWeighed: when it cannot be believed.
        WeightApplied: when it was used already.
        NotByWeight, WrongQuantity: when it does not say how much of these goods there is.
    """
    weight = await get_weight(db, weight_id, seen=seen)
    use = await _claim(db, weight, kind="pick", container_g=container_g, by=by)
    use.reference = reference
    weighed = await in_unit_of(db, product, use.net_g, pieces=pieces)
    await db.flush()
    return weighed


async def _claim(db: AsyncSession, weight: Weight, *, kind: str, container_g: int, by: uuid.UUID | None) -> WeightUse:
    """Nobody else uses this weight from now on."""
    use = WeightUse(
        weight_id=weight.id,
        kind=kind,
        net_g=await believed_g(db, weight, container_g=container_g),
        container_g=container_g,
        applied_by=by,
        applied_at=clock.now(),
    )
    db.add(use)
    try:
        await flush_unique(db, "used", field="id")
    except Conflict as error:
        raise WeightApplied("this weight was used already: weigh again", field="id") from error
    return use


async def believed_g(db: AsyncSession, weight: Weight, *, container_g: int = 0) -> int:
    """The net grams of a weight, without the tares.

    Raises:
        ScaleNotKnown, WeightUnstable, WeightOverCapacity, NothingWeighed: when it cannot be believed.
    """
    scale = (await db.scalars(select(Scale).where(Scale.sensor_id == weight.scale_id))).one_or_none()
    if scale is None:
        raise ScaleNotKnown("say what this scale can weigh with PUT /api/v1/edge/scales/{id} first", field="id")
    tare_g = _grams(scale.tare_kg)
    gross_g = weight.weight_g + (tare_g if weight.basis == "net" else 0)
    if gross_g > _grams(scale.capacity_kg):
        raise WeightOverCapacity(f"{scale.name} weighs {scale.capacity_kg:g} kg at most: weigh in parts", field="id")
    net_g = gross_g - tare_g - container_g
    if net_g <= 0:
        raise NothingWeighed(
            f"{weight.weight_g} g were shown, and the tares are {gross_g - net_g} g: tare the scale, or weigh again",
            field="id",
        )
    await _check_stable(db, weight, division_g=max(1, _grams(scale.division_kg)))
    return net_g


async def get_weight(db: AsyncSession, weight_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Weight:
    """One stable weight.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(Weight).where(Weight.id == weight_id, visible_sightings(Weight, seen))
    weight = (await db.scalars(its)).one_or_none()
    if weight is None:
        raise NotFound(f"no weight with id {weight_id}")
    return weight


async def stability_of(db: AsyncSession, scale_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> WeighingRule:
    """When a weight of a scale is believed; where nobody has said, at once.

    Raises:
        NotFound: when there is no such scale.
    """
    scale = await get_scale(db, scale_id, seen=seen)
    rule = (await db.scalars(select(WeighingRule).where(WeighingRule.scale_id == scale.id))).one_or_none()
    return rule or WeighingRule(scale_id=scale.id, readings=_AT_ONCE, within_s=60)


async def set_stability(
    db: AsyncSession, scale_id: uuid.UUID, *, wish: StabilityWrite, seen: Visible = EVERYWHERE
) -> WeighingRule:
    """Say when a weight of a scale is believed.

    Raises:
        NotFound: when there is no such scale.
    """
    scale = await get_scale(db, scale_id, seen=seen)
    await insert_missing(db, WeighingRule, {"scale_id": scale.id, **wish.model_dump()})
    rule = (await db.scalars(select(WeighingRule).where(WeighingRule.scale_id == scale.id).with_for_update())).one()
    rule.readings, rule.within_s = wish.readings, wish.within_s
    await db.flush()
    return rule


async def _check_stable(db: AsyncSession, weight: Weight, *, division_g: int) -> None:
    rule = (await db.scalars(select(WeighingRule).where(WeighingRule.scale_id == weight.scale_id))).one_or_none()
    if rule is None or rule.readings == _AT_ONCE:
        return
    latest = (
        select(Weight.weight_g)
        .where(
            Weight.scale_id == weight.scale_id,
            Weight.weighed_at.between(weight.weighed_at - timedelta(seconds=rule.within_s), weight.weighed_at),
        )
        .order_by(Weight.weighed_at.desc(), Weight.sequence.desc())
        .limit(rule.readings)
    )
    shown = (await db.scalars(latest)).all()
    if len(shown) < rule.readings or any(abs(one - weight.weight_g) > division_g for one in shown):
        raise WeightUnstable(
            f"{rule.readings} weights in {rule.within_s} s must be the same within {division_g} g: weigh again",
            field="id",
        )


async def _use(db: AsyncSession, use: WeightUse, weight: Weight, wish: WeightApply, who: _Who) -> Weighed:
    match wish:
        case AsReceipt():
            return await _receive(db, use, weight, wish, who)
        case AsPick():
            return await _pick(db, use, wish, who)
        case AsCount():
            return await _count(db, use, weight, wish, who)
        case AsAdjustment():
            return await _adjust(db, use, weight, wish, who)


async def _receive(db: AsyncSession, use: WeightUse, weight: Weight, wish: AsReceipt, who: _Who) -> Weighed:
    weighed = await in_unit_of(db, await catalog.get_product(db, wish.product_id), use.net_g, pieces=wish.pieces)
    movement = await stock.receive_goods(
        db,
        product_id=wish.product_id,
        location_id=_place(wish.location_id, weight),
        lot_number=wish.lot_number,
        expires_on=wish.expires_on,
        quantity=weighed.quantity,
        weight_g=weighed.weight_g,
        unit_cost=None if wish.unit_cost is None else unit_price_to_integer(wish.unit_cost),
        reference=wish.reference,
        source="scale",
        recorded_by=who.by,
        seen=who.seen,
    )
    use.lot_id, use.location_id, use.movement_id = movement.lot_id, movement.location_id, movement.id
    return weighed


async def _pick(db: AsyncSession, use: WeightUse, wish: AsPick, who: _Who) -> Weighed:
    picked = await picks.lock_promise(db, wish.reservation_id, seen=who.seen)
    product = await catalog.get_product(db, picked.level.product_id)
    weighed = await in_unit_of(db, product, use.net_g, pieces=wish.pieces)
    await picks.pick_exactly(db, picked, weighed.quantity)
    use.lot_id, use.location_id = picked.level.lot_id, picked.level.location_id
    use.reference = f"reservation:{wish.reservation_id}"
    return weighed


async def _count(db: AsyncSession, use: WeightUse, weight: Weight, wish: AsCount, who: _Who) -> Weighed:
    weighed, location_id = await _of_lot(db, use, wish.lot_id, wish.pieces, who), _place(wish.location_id, weight)
    await takes.enter_count(
        db,
        wish.take_id,
        lot_id=wish.lot_id,
        location_id=location_id,
        quantity=weighed.quantity,
        weight_g=weighed.weight_g,
        method="scale",
        counted_by=who.by,
        additive=wish.additive,
        seen=who.seen,
    )
    use.lot_id, use.location_id, use.reference = wish.lot_id, location_id, f"stock_take:{wish.take_id}"
    return weighed


async def _adjust(db: AsyncSession, use: WeightUse, weight: Weight, wish: AsAdjustment, who: _Who) -> Weighed:
    weighed, location_id = await _of_lot(db, use, wish.lot_id, wish.pieces, who), _place(wish.location_id, weight)
    movement = await stock.count_stock(
        db,
        lot_id=wish.lot_id,
        location_id=location_id,
        counted=weighed.quantity,
        weight_g=weighed.weight_g,
        reason=wish.reason,
        source="scale",
        recorded_by=who.by,
        seen=who.seen,
    )
    use.lot_id, use.location_id = wish.lot_id, location_id
    use.movement_id = None if movement is None else movement.id
    return weighed


async def _of_lot(db: AsyncSession, use: WeightUse, lot_id: uuid.UUID, pieces: Decimal | None, who: _Who) -> Weighed:
    lot = await ledger.get_lot(db, lot_id, seen=who.seen)
    return await in_unit_of(db, await catalog.get_product(db, lot.product_id), use.net_g, pieces=pieces)


async def in_unit_of(db: AsyncSession, product: Product, net_g: int, *, pieces: Decimal | None) -> Weighed:
    """How much of a product weighs so much.

    Raises:
        NotByWeight: when pieces are missing, or are given of goods that are not both counted and weighed, or nobody
            has said what a unit of it weighs.
        WrongQuantity: when it cannot be kept exactly.
    """
    if product.catch_weight:
        if pieces is None:
            raise NotByWeight(f"{product.sku} is counted and weighed: say how many pieces", field="pieces")
        return Weighed(product, pieces, net_g)
    if pieces is not None:
        raise NotByWeight(f"{product.sku} is not counted and weighed: leave pieces out", field="pieces")
    try:
        return Weighed(product, await measures.to_stock_quantity(db, product, Decimal(net_g), "g"), None)
    except UnknownUnit as error:
        raise NotByWeight(
            f"{product.sku} is counted in {product.unit}, and nobody has said what one weighs: count it", field="id"
        ) from error


def _place(location_id: uuid.UUID | None, weight: Weight) -> uuid.UUID:
    place = location_id or weight.location_id
    if place is None:
        raise Invalid("this scale has no place: say location_id", field="location_id")
    return place


def _grams(kilograms: float) -> int:
    return round(kilograms * _G_PER_KG)
