"""The verbs of lots: what is corrected of them, whether they may be sold, and how one becomes another.

A transformation books what goes in and what comes out together, as movements of production in one group; what held the
goods, and until when they keep, goes with them. What comes out is always a new lot: so no lot descends from itself.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import service as catalog
from cloud_api.catalog.products.models import Product
from cloud_api.inventory.errors import LotsDiffer, WrongMass
from cloud_api.inventory.holds import service as holds
from cloud_api.inventory.holds.models import StockHold
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import GRADES, Lot, StockLevel, StockMovement
from cloud_api.inventory.lots.models import LotLineage
from cloud_api.inventory.lots.schemas import LotHold, LotMerge, LotRepack, LotSplit, LotUpdate
from cloud_api.inventory.occupancy import service as occupancy
from cloud_api.inventory.stock.booking import check_weight
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Conflict, Invalid, NotFound
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.quantity import to_thousandths
from cloud_api.kernel.registers import flush_unique
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible


@dataclass(frozen=True)
class Made:
    """What a transformation booked."""

    group_id: uuid.UUID
    lots: Sequence[Lot]
    movements: Sequence[StockMovement]
    #: grams that went in and did not come out; None where nothing was packed anew
    loss_g: int | None = None


async def update_lot(db: AsyncSession, lot_id: uuid.UUID, *, changes: LotUpdate, seen: Visible = EVERYWHERE) -> Lot:
    """Correct a lot's grade or expiry. The trail keeps what it was, and why.

    Raises:
        NotFound: when there is none to be seen.
        Invalid: when it would have been made after it expires.
    """
    lot = await _locked(db, lot_id, seen=seen)
    for field in changes.model_fields_set - {"reason"}:
        setattr(lot, field, getattr(changes, field))
    if lot.manufactured_on is not None and lot.expires_on is not None and lot.manufactured_on > lot.expires_on:
        raise Invalid(f"it was made on {lot.manufactured_on}: it cannot expire before", field="expires_on")
    lot.correction = changes.reason
    await db.flush()
    return lot


async def hold_lot(db: AsyncSession, lot_id: uuid.UUID, *, wanted: LotHold, seen: Visible = EVERYWHERE) -> Lot:
    """Keep a lot from being sold, wherever it lies or in one place. Held so already, it stays so.

    Raises:
        NotFound: when the lot or the place is not there.
    """
    if wanted.location_id is not None:
        await places.get_location(db, wanted.location_id, seen=seen)
    lot = await _locked(db, lot_id, seen=seen)
    active = [held.source for held in await _held_by_people(db, lot.id, wanted)]
    await holds.hold(
        db,
        location_id=wanted.location_id,
        lot_id=lot.id,
        kind=wanted.kind,
        reason=wanted.reason,
        source=active[0] if active else f"lot:{lot.id}:{new_id()}",
    )
    return lot


async def release_lot(
    db: AsyncSession, lot_id: uuid.UUID, *, reason: str, decided_by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> Lot:
    """Let a lot that people put on hold be sold again, as far as nothing else holds it.

    Raises:
        NotFound: when there is none to be seen.
        Conflict: when nobody put it on hold.
    """
    lot = await _locked(db, lot_id, seen=seen)
    active = await _held_by_people(db, lot.id, None)
    if not active:
        raise Conflict("nobody put this lot on hold: a place, a recall or a check that holds it is released there")
    await holds.lock_lots(db, [lot.id])
    for held in active:
        await holds.release(db, source=held.source, reason=reason, decided_by=decided_by)
    return lot


async def split_lot(
    db: AsyncSession,
    lot_id: uuid.UUID,
    *,
    wanted: LotSplit,
    recorded_by: uuid.UUID | None = None,
    seen: Visible = EVERYWHERE,
) -> Made:
    """Make new lots of what lies in a place of one: alike but for their numbers.

    Raises:
        NotFound: when the lot or the place is not there.
        AlreadyExists: when a number is taken.
        NotEnoughStock: when there is less there, or it is promised.
        WrongQuantity, WeightMissing: as for every movement.
    """
    lot = await ledger.get_lot(db, lot_id, seen=seen)
    await places.get_location(db, wanted.location_id, seen=seen)
    product = await catalog.get_product(db, lot.product_id)
    work = _Work(db, "split", wanted.reference, recorded_by)
    for number, part in enumerate(wanted.parts):
        at = f"parts.{number}."
        catalog.check_quantity(product, part.quantity, field=f"{at}quantity")
        child = await work.new_lot(_like(lot, lot_number=part.lot_number), field=f"{at}lot_number")
        weight_g = None if part.weight_g is None else -part.weight_g
        if weight_g is not None:
            check_weight(product, part.quantity, part.weight_g, field=f"{at}weight_g")
        work.take(lot, wanted.location_id, part.quantity, weight_g, into=[child], at=at)
        work.make(child, wanted.location_id, part.quantity, None, mirrors_last=True)
    return await work.book()


async def merge_lots(
    db: AsyncSession, *, wanted: LotMerge, recorded_by: uuid.UUID | None = None, seen: Visible = EVERYWHERE
) -> Made:
    """Put lots of one product and variant together into a new one: it expires when the first does, and has the worst
    grade, the mean cost, and all that held any of them.

    Raises:
        NotFound: when a lot or a place is not there.
        LotsDiffer: when they are of different products or variants.
        AlreadyExists, NotEnoughStock, WrongQuantity, WeightMissing: as for a split.
    """
    lots = [await ledger.get_lot(db, portion.lot_id, seen=seen) for portion in wanted.portions]
    for place in {portion.location_id for portion in wanted.portions} | {wanted.to_location_id}:
        await places.get_location(db, place, seen=seen)
    if len({(lot.product_id, lot.variant_id) for lot in lots}) > 1:
        raise LotsDiffer("only lots of one product and variant can be put together", field="portions")
    product = await catalog.get_product(db, lots[0].product_id)
    for number, portion in enumerate(wanted.portions):
        catalog.check_quantity(product, portion.quantity, field=f"portions.{number}.quantity")
    quantities = [portion.quantity for portion in wanted.portions]
    work = _Work(db, "merge", wanted.reference, recorded_by)
    child = await work.new_lot(_together(lots, quantities, wanted.lot_number), field="lot_number")
    for number, (lot, portion) in enumerate(zip(lots, wanted.portions, strict=True)):
        at = f"portions.{number}."
        if portion.weight_g is not None:
            check_weight(product, portion.quantity, portion.weight_g, field=f"{at}weight_g")
        weight_g = None if portion.weight_g is None else -portion.weight_g
        work.take(lot, portion.location_id, portion.quantity, weight_g, into=[child], at=at)
        work.make(child, wanted.to_location_id, portion.quantity, None, mirrors_last=True)
    return await work.book()


async def repack_lot(
    db: AsyncSession,
    lot_id: uuid.UUID,
    *,
    wanted: LotRepack,
    recorded_by: uuid.UUID | None = None,
    seen: Visible = EVERYWHERE,
) -> Made:
    """Pack a part of a lot as other products, variants or sizes. What goes in weighs what comes out, and what is lost.

    Raises:
        NotFound: when the lot, a product, a variant or a place is not there.
        WrongMass: when more comes out than went in, or what was lost is not what is missing.
        Invalid: when something would keep longer than what it was made of.
        AlreadyExists, NotEnoughStock, WrongQuantity, WeightMissing: as for a split.
    """
    lot = await ledger.get_lot(db, lot_id, seen=seen)
    to_location_id = wanted.to_location_id or wanted.location_id
    for place in {wanted.location_id, to_location_id}:
        await places.get_location(db, place, seen=seen)
    product = await catalog.get_product(db, lot.product_id)
    catalog.check_quantity(product, wanted.quantity)
    if product.catch_weight or wanted.weight_g is not None:
        check_weight(product, wanted.quantity, wanted.weight_g)
    work = _Work(db, "repack", wanted.reference, recorded_by)
    made: list[tuple[Lot, Product, Decimal, int | None]] = []
    for number, one in enumerate(wanted.made):
        at = f"made.{number}."
        its = product if one.product_id is None else await catalog.get_product(db, one.product_id)
        if one.variant_id is not None:
            await catalog.get_variant(db, its.id, one.variant_id)
        catalog.check_quantity(its, one.quantity, field=f"{at}quantity")
        weight_g = check_weight(its, one.quantity, one.weight_g, field=f"{at}weight_g")
        child = _like(lot, lot_number=one.lot_number)
        child.product_id, child.variant_id, child.unit_cost = its.id, one.variant_id, None
        child.expires_on = _expiry(lot, one.expires_on, field=f"{at}expires_on")
        made.append((await work.new_lot(child, field=f"{at}lot_number"), its, one.quantity, weight_g))
    grams_in = _grams(product, wanted.quantity, wanted.weight_g)
    grams_out = sum((_grams(its, quantity, weight_g) for _, its, quantity, weight_g in made), Fraction(0))
    work.loss_g = _loss(grams_in, grams_out, wanted.loss_g)
    weight_in = None if wanted.weight_g is None else -wanted.weight_g
    work.take(lot, wanted.location_id, wanted.quantity, weight_in, into=[child for child, *_ in made])
    for child, _, quantity, weight_g in made:
        work.make(child, to_location_id, quantity, weight_g)
    booked = await work.book()
    weight_out = booked.movements[0].weight_g
    if weight_out is None:
        return booked
    # whoever takes the last of a lot takes all that the books say of its weight
    return replace(booked, loss_g=_loss(Fraction(-weight_out), grams_out, wanted.loss_g))


class _Work:
    """One transformation: what goes in, what comes out, and what it is written down as."""

    def __init__(self, db: AsyncSession, kind: str, reference: str, recorded_by: uuid.UUID | None) -> None:
        self.loss_g: int | None = None
        self._db = db
        self._kind = kind
        self._reference = reference
        self._recorded_by = recorded_by
        self._group_id = new_id()
        self._entries: list[ledger.Entry] = []
        self._lots: dict[uuid.UUID, Lot] = {}
        self._steps: list[tuple[Lot, Lot, Decimal]] = []

    async def new_lot(self, lot: Lot, *, field: str) -> Lot:
        """A new lot.

        Raises:
            AlreadyExists: when its number is taken.
        """
        self._db.add(lot)
        await flush_unique(
            self._db, f"lot number {lot.lot_number} of this product is taken: give a new one", field=field
        )
        self._lots[lot.id] = lot
        return lot

    def take(
        self,
        lot: Lot,
        location_id: uuid.UUID,
        quantity: Decimal,
        weight_g: int | None,
        *,
        into: Sequence[Lot],
        at: str = "",
    ) -> None:
        """What goes in.

        Args:
            at: before the names of fields in complaints.
        """
        self._entries.append(replace(self._entry(lot, location_id, -quantity, weight_g), at=at))
        self._steps += ((lot, child, quantity) for child in into)

    def make(
        self, lot: Lot, location_id: uuid.UUID, quantity: Decimal, weight_g: int | None, *, mirrors_last: bool = False
    ) -> None:
        """What comes out."""
        self._entries.append(self._entry(lot, location_id, quantity, weight_g, mirrors_last=mirrors_last))

    async def book(self) -> Made:
        """Write all of it."""
        await self._check_put_away()
        written = await ledger.append_all(self._db, self._entries)
        self._db.add_all(
            LotLineage(
                parent_lot_id=parent.id,
                child_lot_id=child.id,
                kind=self._kind,
                quantity=quantity,
                group_id=self._group_id,
                made_at=clock.now(),
            )
            for parent, child, quantity in self._steps
        )
        for from_level, to_level in self._passages(written):
            await holds.carry(self._db, from_level=from_level, to_level=to_level)
        for movement, level in written:
            if movement.quantity > 0:
                await holds.hold_arrival(self._db, level)
        await self._db.flush()
        return Made(self._group_id, [*self._lots.values()], [movement for movement, _ in written], self.loss_g)

    async def _check_put_away(self) -> None:
        """Whether what is carried elsewhere may lie there; what stays where it lay does."""
        leaving = {entry.location_id for entry in self._entries if entry.quantity < 0}
        arrivals = [
            occupancy.Arrival(
                await places.get_location(self._db, entry.location_id),
                await catalog.get_product(self._db, entry.lot.product_id),
                entry.quantity,
                entry.weight_g,
            )
            for entry in self._entries
            if entry.location_id not in leaving
        ]
        if arrivals:
            await occupancy.check_put_away(self._db, arrivals, leaving=leaving)

    def _passages(self, written: Sequence[tuple[StockMovement, StockLevel]]) -> Sequence[tuple[StockLevel, StockLevel]]:
        """From which level to which goods went."""
        gone = [(movement.lot_id, level) for movement, level in written if movement.quantity < 0]
        come = [(movement.lot_id, level) for movement, level in written if movement.quantity > 0]
        steps = {(parent.id, child.id) for parent, child, _ in self._steps}
        return [
            (from_level, to_level)
            for parent_id, from_level in gone
            for child_id, to_level in come
            if (parent_id, child_id) in steps
        ]

    def _entry(
        self,
        lot: Lot,
        location_id: uuid.UUID,
        quantity: Decimal,
        weight_g: int | None,
        *,
        mirrors_last: bool = False,
    ) -> ledger.Entry:
        return ledger.Entry(
            movement_type="production",
            lot=lot,
            location_id=location_id,
            quantity=quantity,
            weight_g=weight_g,
            mirrors_last=mirrors_last,
            reference=self._reference,
            group_id=self._group_id,
            recorded_by=self._recorded_by,
        )


def _like(lot: Lot, *, lot_number: str) -> Lot:
    """A new lot of the same goods."""
    return Lot(
        product_id=lot.product_id,
        variant_id=lot.variant_id,
        lot_number=lot_number,
        manufactured_on=lot.manufactured_on,
        expires_on=lot.expires_on,
        grade=lot.grade,
        supplier=lot.supplier,
        unit_cost=lot.unit_cost,
        received_at=lot.received_at,
    )


def _together(lots: Sequence[Lot], quantities: Sequence[Decimal], lot_number: str) -> Lot:
    """A new lot of all these: as good as the worst of them."""
    both = _like(lots[0], lot_number=lot_number)
    both.expires_on = min((lot.expires_on for lot in lots if lot.expires_on is not None), default=None)
    both.manufactured_on = min((lot.manufactured_on for lot in lots if lot.manufactured_on is not None), default=None)
    both.grade = max((lot.grade for lot in lots if lot.grade is not None), key=GRADES.index, default=None)
    both.received_at = min(lot.received_at for lot in lots)
    both.supplier = lots[0].supplier if len({lot.supplier for lot in lots}) == 1 else ""
    costs = [lot.unit_cost for lot in lots]
    known = [
        cost * to_thousandths(quantity) for cost, quantity in zip(costs, quantities, strict=True) if cost is not None
    ]
    total = sum(to_thousandths(quantity) for quantity in quantities)
    both.unit_cost = round(Fraction(sum(known), total)) if len(known) == len(lots) else None
    return both


def _expiry(parent: Lot, said: date | None, *, field: str) -> date | None:
    if said is None:
        return parent.expires_on
    if parent.expires_on is not None and said > parent.expires_on:
        raise Invalid(f"what it is made of expires on {parent.expires_on}: nothing of it keeps longer", field=field)
    return said


def _grams(product: Product, quantity: Decimal, weight_g: int | None) -> Fraction:
    """What goods weigh: as they were weighed, else as a unit of the product does."""
    return Fraction(weight_g) if weight_g is not None else Fraction(quantity) * product.unit_weight_g


def _loss(grams_in: Fraction, grams_out: Fraction, weighed: int | None) -> int:
    missing = grams_in - grams_out
    if missing < 0:
        raise WrongMass(
            f"{_shown(grams_in)} g go in and {_shown(grams_out)} g come out: correct the quantities, or what a unit of "
            "the product weighs",
            field="made",
        )
    if weighed is not None and weighed != missing:
        raise WrongMass(
            f"{_shown(grams_in)} g go in, {_shown(grams_out)} g come out: {_shown(missing)} g are lost, not {weighed}",
            field="loss_g",
        )
    return round(missing)


def _shown(grams: Fraction) -> str:
    return f"{float(grams):g}"


async def _locked(db: AsyncSession, lot_id: uuid.UUID, *, seen: Visible) -> Lot:
    await ledger.get_lot(db, lot_id, seen=seen)
    its = select(Lot).where(Lot.id == lot_id).with_for_update(key_share=True)
    lot = (await db.scalars(its.execution_options(populate_existing=True))).one_or_none()
    if lot is None:
        raise NotFound(f"no lot with id {lot_id}", field="lot_id")
    return lot


async def _held_by_people(db: AsyncSession, lot_id: uuid.UUID, wanted: LotHold | None) -> Sequence[StockHold]:
    """What people hold of a lot; when `wanted` is given: just so."""
    its = select(StockHold).where(
        StockHold.lot_id == lot_id, StockHold.released_at.is_(None), StockHold.source.startswith("lot:")
    )
    if wanted is not None:
        its = its.where(StockHold.kind == wanted.kind, StockHold.location_id.is_not_distinct_from(wanted.location_id))
    return (await db.scalars(its.order_by(StockHold.id))).all()
