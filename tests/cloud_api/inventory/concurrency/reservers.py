"""Sixty-four who want the same crates at the same moment, and what they were told.

A round puts two products on a shelf, one of a single lot and one of three, less of each than everybody wants together.
Everybody asks at once, some for both products, in either order; some give back what they got. Then what stands in the
database is held against what they were told.
"""

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import Select, func, select

from cloud_api.inventory.errors import NotEnoughStock
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import StockLevel, StockReservation
from cloud_api.inventory.reservations import service as reservations
from cloud_api.inventory.reservations.grouping import Counter, ReservationDoor
from cloud_api.inventory.reservations.promising import Request, Wish
from cloud_api.inventory.stock import service as stock
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope
from tests.cloud_api.inventory.concurrency.histories import Operation

RESERVERS = 64
TODAY = date(2026, 6, 1)


@dataclass(frozen=True)
class Ground:
    """Where it happens."""

    database: Database
    organization: OrganizationScope
    location_id: uuid.UUID
    #: the product of a single lot, and that of three
    single_id: uuid.UUID
    spread_id: uuid.UUID
    door: ReservationDoor = field(default_factory=ReservationDoor)


#: promises all of the wishes from the place, or raises `NotEnoughStock`
Reserve = Callable[[Ground, Sequence[Wish]], Awaitable[None]]


@dataclass
class Round:
    """What there was, and what everybody was told."""

    #: product -> what was free before
    free: dict[uuid.UUID, Decimal]
    #: what happened to the product of a single lot
    history: list[Operation] = field(default_factory=list)
    #: source -> product -> what was promised and not given back
    kept: dict[str, dict[uuid.UUID, Decimal]] = field(default_factory=dict)
    refused: int = 0

    def promised(self, product_id: uuid.UUID) -> Decimal:
        """What they hold of it together, as they were told."""
        return sum((wishes.get(product_id, Decimal(0)) for wishes in self.kept.values()), Decimal(0))


async def reserve(ground: Ground, wishes: Sequence[Wish]) -> None:
    """Half of them as an order's confirmation does, half as the HTTP operation does: they meet at the same levels."""
    if wishes[0].source[-1] in "02468ace":
        async with ground.database.unit_of_work(ground.organization) as db:
            await reservations.reserve(db, wishes, location_ids=[ground.location_id], on=TODAY)
    else:
        places = frozenset({ground.location_id})
        counter = Counter(ground.database, ground.organization.organization_id, location_ids=places)
        await ground.door.reserve(counter, Request(wishes, TODAY))


async def reserve_unlocked(ground: Ground, wishes: Sequence[Wish]) -> None:
    """As it must not be done: look, decide, and write what was decided, with nothing held in between."""
    chosen: list[tuple[uuid.UUID, Decimal, Decimal, str]] = []
    async with ground.database.unit_of_work(ground.organization, read_only=True) as db:
        for wish in wishes:
            its = select(StockLevel).where(
                StockLevel.product_id == wish.product_id,
                StockLevel.location_id == ground.location_id,
                StockLevel.on_hand - StockLevel.reserved >= wish.quantity,
            )
            level = (await db.scalars(its.order_by(StockLevel.id).limit(1))).one_or_none()
            if level is None:
                raise NotEnoughStock("there is not so much", field="quantity")
            chosen.append((level.id, level.reserved + wish.quantity, wish.quantity, wish.source))
    async with ground.database.unit_of_work(ground.organization) as db:
        for level_id, reserved, quantity, source in sorted(chosen):
            level = await db.get_one(StockLevel, level_id)
            level.reserved = reserved
            promise = StockReservation(stock_level_id=level_id, quantity=quantity, source=source)
            promise.reserved_at = clock.now()
            db.add(promise)


async def play(
    ground: Ground, chance: random.Random, reserve_by: Reserve = reserve, *, give_back: float = 0.3
) -> Round:
    """One round; such a part of those who got something gives it back."""
    played = Round(await _stock_up(ground, chance))
    async with asyncio.TaskGroup() as crowd:
        for _ in range(RESERVERS):
            crowd.create_task(_want(ground, played, _wishes(ground, chance), chance.random() < give_back, reserve_by))
    return played


async def oversold(ground: Ground, played: Round) -> list[str]:
    """What is wrong with what they were told, in words; empty when nothing is."""
    wrong = [
        f"{played.promised(product_id)} promised of {free}"
        for product_id, free in played.free.items()
        if played.promised(product_id) > free
    ]
    async with ground.database.unit_of_work(ground.organization, read_only=True) as db:
        rows = await db.execute(
            select(StockReservation.source, StockLevel.product_id, func.sum(StockReservation.quantity))
            .join(StockLevel, StockLevel.id == StockReservation.stock_level_id)
            .where(StockReservation.status == "active", StockReservation.source.in_(played.kept))
            .group_by(StockReservation.source, StockLevel.product_id)
        )
        stand = {(source, product_id): quantity for source, product_id, quantity in rows}
        told = {(source, product_id): q for source, wishes in played.kept.items() for product_id, q in wishes.items()}
        keys = told.keys() | stand.keys()
        wrong += [
            f"{key[0]} was told {told.get(key)}, and has {stand.get(key)}"
            for key in keys
            if told.get(key) != stand.get(key)
        ]
        sums = await db.execute(
            select(StockLevel.id, StockLevel.reserved, func.sum(StockReservation.quantity))
            .join(StockReservation, StockReservation.stock_level_id == StockLevel.id)
            .where(StockReservation.status == "active", StockLevel.location_id == ground.location_id)
            .group_by(StockLevel.id, StockLevel.reserved)
        )
        wrong += [f"level {id} says {says} is promised: {is_}" for id, says, is_ in sums if says != is_]
        wrong += [f"{difference}" for difference in await ledger.differences(db)]
    return wrong


async def _stock_up(ground: Ground, chance: random.Random) -> dict[uuid.UUID, Decimal]:
    """Lots of this round's own, so that nothing of an earlier round is on the shelf: what is free of each product."""
    async with ground.database.unit_of_work(ground.organization) as db:
        await reservations.release(db, list(await db.scalars(_sources(ground))))
        its = select(StockLevel).where(StockLevel.location_id == ground.location_id, StockLevel.on_hand > 0)
        for level in await db.scalars(its.order_by(StockLevel.id)):
            lot = await ledger.get_lot(db, level.lot_id)
            away = ledger.Entry(movement_type="waste", lot=lot, location_id=ground.location_id, quantity=-level.on_hand)
            await ledger.append(db, away)
        free: dict[uuid.UUID, Decimal] = {}
        for product_id, lots in ((ground.single_id, 1), (ground.spread_id, 3)):
            for _ in range(lots):
                quantity = Decimal(chance.randint(5, 25))
                free[product_id] = free.get(product_id, Decimal(0)) + quantity
                await stock.receive_goods(
                    db,
                    product_id=product_id,
                    location_id=ground.location_id,
                    lot_number=uuid.uuid4().hex[:12],
                    expires_on=TODAY + timedelta(days=chance.randint(0, 20)),
                    quantity=quantity,
                )
    return free


def _sources(ground: Ground) -> Select[tuple[str]]:
    return (
        select(StockReservation.source)
        .join(StockLevel, StockLevel.id == StockReservation.stock_level_id)
        .where(StockReservation.status == "active", StockLevel.location_id == ground.location_id)
        .distinct()
    )


def _wishes(ground: Ground, chance: random.Random) -> list[Wish]:
    source = f"order_line:{uuid.uuid4()}"
    product_ids = chance.choice(
        [[ground.single_id], [ground.single_id], [ground.spread_id], [ground.single_id, ground.spread_id]]
    )
    chance.shuffle(product_ids)
    return [Wish(product_id, Decimal(chance.randint(1, 3)), source) for product_id in product_ids]


async def _want(ground: Ground, played: Round, wishes: Sequence[Wish], gives_back: bool, reserve_by: Reserve) -> None:
    source, called_ns = wishes[0].source, time.perf_counter_ns()
    single = {wish.product_id: wish.quantity for wish in wishes}.get(ground.single_id)
    try:
        await reserve_by(ground, wishes)
    except NotEnoughStock:
        played.refused += 1
        if single is not None and len(wishes) == 1:  # of two, the other may have been what was missing
            played.history.append(Operation(called_ns, time.perf_counter_ns(), single, done=False))
        return
    if single is not None:
        played.history.append(Operation(called_ns, time.perf_counter_ns(), single, done=True))
    if not gives_back:
        played.kept[source] = {wish.product_id: wish.quantity for wish in wishes}
        return
    called_ns = time.perf_counter_ns()
    async with ground.database.unit_of_work(ground.organization) as db:
        await reservations.release(db, [source])
    if single is not None:
        played.history.append(Operation(called_ns, time.perf_counter_ns(), -single, done=True))
