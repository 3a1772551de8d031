"""Whatever happens to stock, in whatever order, it is what somebody with a notebook would have written down.

Hypothesis plays sequences of receipts, promises, shipments, transfers, counts, holds, returns and undone bookings on
the product and on a plain model (`plain_stock`); after each step both must tell the same of every shelf, and a refusal
must be one that the model gives as well.
"""

import asyncio
import itertools
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.errors import AlreadyReversed, NotEnoughStock, StockOnHold
from cloud_api.inventory.holds import service as holds
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement, StockReservation
from cloud_api.inventory.lots import service as lots_of
from cloud_api.inventory.lots.schemas import LotSplit, PartCreate
from cloud_api.inventory.reservations import service as reservations
from cloud_api.inventory.reservations.service import Wish
from cloud_api.inventory.stock import service as stock
from cloud_api.inventory.stock.schemas import MovementCreate
from cloud_api.inventory.transfers import service as transfers
from cloud_api.inventory.transfers.schemas import MoveCreate
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.places.queries import EVERYWHERE
from tests.cloud_api.inventory.plain_stock import PlainStock, Shelf
from tests.factories.farms import open_farm, plant_store
from tests.factories.stores import make_product, make_room

T = TypeVar("T")

TODAY = date(2026, 6, 1)
LOTS = ("A", "B", "C")
PLACES = (0, 1)
_numbers = itertools.count(1)

lots, places = st.sampled_from(LOTS), st.sampled_from(PLACES)
few, some, people = st.integers(1, 6), st.integers(0, 99), st.sampled_from(["asha", "ravi", "meena"])


@dataclass(frozen=True)
class Ground:
    """A database, the loop that works on it, and where things lie."""

    runner: asyncio.Runner
    database: Database
    organization: OrganizationScope
    new_product: Callable[[], Coroutine[Any, Any, str]]
    location_ids: tuple[uuid.UUID, ...]


class Stock(RuleBasedStateMachine):
    """The product and the notebook."""

    ground: ClassVar[Ground]

    def __init__(self) -> None:
        super().__init__()
        self.plain = PlainStock()
        self.product_id = uuid.UUID(self.ground.runner.run(self.ground.new_product()))
        self.lots: dict[str, uuid.UUID] = {}
        #: bookings that can be undone, and what each did
        self.undoable: list[tuple[uuid.UUID, list[tuple[Shelf, int]]]] = []
        self.name = f"{next(_numbers)}"

    def work(self, do: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """One unit of work."""

        async def unit() -> T:
            async with self.ground.database.unit_of_work(self.ground.organization) as db:
                return await do(db)

        return self.ground.runner.run(unit())

    def at(self, place: int) -> uuid.UUID:
        return self.ground.location_ids[place]

    def some_lot(self, which: int) -> str:
        return sorted(self.lots)[which % len(self.lots)]

    def source(self, who: str) -> str:
        return f"{self.name}:{who}"

    @rule(lot=lots, place=places, quantity=few)
    def receive(self, lot: str, place: int, quantity: int) -> None:
        async def do(db: AsyncSession) -> StockMovement:
            return await stock.receive_goods(
                db,
                product_id=self.product_id,
                location_id=self.at(place),
                lot_number=lot,
                expires_on=TODAY + timedelta(days=LOTS.index(lot)),
                quantity=Decimal(quantity),
            )

        movement = self.work(do)
        self.lots[lot] = movement.lot_id
        self.plain.put((lot, place), quantity)
        self.undoable.append((movement.id, [((lot, place), quantity)]))

    @precondition(lambda self: self.lots)
    @rule(which=some, place=places, delta=st.integers(-6, 6).filter(bool))
    def correct(self, which: int, place: int, delta: int) -> None:
        lot = self.some_lot(which)

        async def do(db: AsyncSession) -> StockMovement:
            return await stock.adjust_stock(
                db, lot_id=self.lots[lot], location_id=self.at(place), delta=Decimal(delta), reason="seen"
            )

        if delta < 0 and not self.plain.may_leave((lot, place), -delta):
            with pytest.raises(NotEnoughStock):
                self.work(do)
            return
        movement = self.work(do)
        self.plain.put((lot, place), delta)
        self.undoable.append((movement.id, [((lot, place), delta)]))

    @precondition(lambda self: self.lots)
    @rule(which=some, place=places, counted=st.integers(0, 9))
    def count(self, which: int, place: int, counted: int) -> None:
        lot = self.some_lot(which)
        shelf = (lot, place)

        async def do(db: AsyncSession) -> None:
            await stock.count_stock(
                db, lot_id=self.lots[lot], location_id=self.at(place), counted=Decimal(counted), reason="counted"
            )

        if counted < self.plain.reserved(shelf):
            with pytest.raises(NotEnoughStock):
                self.work(do)
            return
        self.work(do)
        self.plain.put(shelf, counted - self.plain.on_hand[shelf])

    @precondition(lambda self: self.lots)
    @rule(which=some, place=places, quantity=few)
    def take_back(self, which: int, place: int, quantity: int) -> None:
        lot = self.some_lot(which)

        async def do(db: AsyncSession) -> None:
            wanted = MovementCreate(
                movement_type="return", lot_id=self.lots[lot], location_id=self.at(place), quantity=Decimal(quantity)
            )
            await stock.record_movements(db, [wanted])

        self.work(do)
        self.plain.put((lot, place), quantity)

    @precondition(lambda self: self.lots)
    @rule(which=some, place=places, quantity=few)
    def transfer(self, which: int, place: int, quantity: int) -> None:
        lot, to = self.some_lot(which), 1 - place

        async def do(db: AsyncSession) -> list[StockMovement]:
            line = MoveCreate(
                lot_id=self.lots[lot],
                from_location_id=self.at(place),
                to_location_id=self.at(to),
                quantity=Decimal(quantity),
            )
            return await transfers.transfer_stock(db, lines=[line])

        if not self.plain.may_leave((lot, place), quantity):
            with pytest.raises(NotEnoughStock):
                self.work(do)
            return
        left, _ = self.work(do)
        self.plain.carry((lot, place), (lot, to), quantity)
        self.undoable.append((left.id, [((lot, place), -quantity), ((lot, to), quantity)]))

    @precondition(lambda self: self.lots)
    @rule(which=some, place=places, quantity=few)
    def split(self, which: int, place: int, quantity: int) -> None:
        lot = self.some_lot(which)
        number = f"{lot}{next(_numbers)}"

        async def do(db: AsyncSession) -> uuid.UUID:
            part = PartCreate(lot_number=number, quantity=Decimal(quantity))
            made = await lots_of.split_lot(
                db, self.lots[lot], wanted=LotSplit(location_id=self.at(place), parts=[part])
            )
            return made.lots[0].id

        if not self.plain.may_leave((lot, place), quantity):
            with pytest.raises(NotEnoughStock):
                self.work(do)
            return
        self.lots[number] = self.work(do)
        self.plain.carry((lot, place), (number, place), quantity)

    @precondition(lambda self: self.undoable)
    @rule(which=some)
    def undo(self, which: int) -> None:
        movement_id, effects = self.undoable.pop(which % len(self.undoable))

        async def do(db: AsyncSession) -> None:
            await stock.reverse_movement(db, movement_id, reason="mistaken", recorded_by=None, seen=EVERYWHERE)

        if any(effect > 0 and not self.plain.may_leave(shelf, effect) for shelf, effect in effects):
            with pytest.raises(NotEnoughStock):
                self.work(do)
            return
        self.work(do)
        for shelf, effect in effects:
            self.plain.put(shelf, -effect)
        with pytest.raises(AlreadyReversed):
            self.work(do)

    @rule(who=people, quantity=few)
    def reserve(self, who: str, quantity: int) -> None:
        wish = Wish(self.product_id, Decimal(quantity), self.source(who))

        async def do(db: AsyncSession) -> None:
            await reservations.reserve(db, [wish], location_ids=self.ground.location_ids, on=TODAY)

        there = sorted((shelf for shelf in list(self.plain.on_hand) if self.plain.free(shelf) > 0), key=lambda s: s[0])
        if quantity > sum(map(self.plain.free, there)):
            with pytest.raises(NotEnoughStock):
                self.work(do)
            return
        before = self.promises_to(who)
        self.work(do)
        got = {shelf: q - before.get(shelf, 0) for shelf, q in self.promises_to(who).items()}
        got = {shelf: q for shelf, q in got.items() if q}
        assert sum(got.values()) == quantity
        assert all(q <= self.plain.free(shelf) for shelf, q in got.items())
        last = max(lot[0] for lot, _ in got)  # lots expire in the order of their first letters
        assert all(got.get(shelf) == self.plain.free(shelf) for shelf in there if shelf[0][0] < last)
        mine = self.plain.promised.setdefault(who, {})
        for shelf, q in got.items():
            mine[shelf] = mine.get(shelf, 0) + q

    def promises_to(self, who: str) -> dict[Shelf, int]:
        async def do(db: AsyncSession) -> dict[Shelf, int]:
            rows = await db.execute(
                select(Lot.lot_number, StockLevel.location_id, StockReservation.quantity)
                .join(StockLevel, StockLevel.id == StockReservation.stock_level_id)
                .join(Lot, Lot.id == StockLevel.lot_id)
                .where(StockReservation.source == self.source(who), StockReservation.status == "active")
            )
            found: dict[Shelf, int] = {}
            for lot, location_id, quantity in rows:
                shelf = (lot, self.ground.location_ids.index(location_id))
                found[shelf] = found.get(shelf, 0) + int(quantity)
            return found

        return self.work(do)

    @rule(who=people)
    def release(self, who: str) -> None:
        self.work(lambda db: reservations.release(db, [self.source(who)]))
        self.plain.take_promise(who)

    @rule(who=people)
    def ship(self, who: str) -> None:
        async def do(db: AsyncSession) -> None:
            await reservations.consume(db, [self.source(who)], reference="shipped", consumed_by=None)

        if any(self.plain.held[shelf] for shelf in self.plain.promised.get(who, {})):
            with pytest.raises(StockOnHold):
                self.work(do)
            return
        self.work(do)
        for shelf, quantity in self.plain.take_promise(who).items():
            self.plain.put(shelf, -quantity)

    @rule(who=people, place=places)
    def load(self, who: str, place: int) -> None:
        async def do(db: AsyncSession) -> None:
            to = self.ground.location_ids[place]
            await reservations.move(db, [self.source(who)], to_location_id=to, reference="loaded", moved_by=None)

        mine = self.plain.promised.get(who, {})
        if any(self.plain.held[shelf] for shelf in mine):
            with pytest.raises(StockOnHold):
                self.work(do)
            return
        self.work(do)
        moved: dict[Shelf, int] = {}
        for (lot, at), quantity in self.plain.take_promise(who).items():
            self.plain.carry((lot, at), (lot, place), quantity)
            moved[(lot, place)] = moved.get((lot, place), 0) + quantity
        if moved:
            self.plain.promised[who] = moved

    @rule(on=st.one_of(lots, places))
    def hold(self, on: str | int) -> None:
        name = f"{self.name}:{next(_numbers)}"

        async def do(db: AsyncSession) -> None:
            if isinstance(on, int):
                await holds.hold(db, location_id=self.ground.location_ids[on], reason="warm", source=name)
            else:
                await holds.hold(db, lot_id=self.lots[on], kind="recall", reason="called back", source=name)

        if on in PLACES or on in self.lots:
            self.work(do)
            self.plain.hold(name, on)

    @precondition(lambda self: self.plain.holds)
    @rule(which=st.integers(0, 9))
    def free(self, which: int) -> None:
        names = sorted(self.plain.holds)
        self.end(names[which % len(names)])

    def end(self, name: str) -> None:
        self.work(lambda db: holds.release(db, source=name))
        self.plain.let_go(name)

    @invariant()
    def both_tell_the_same(self) -> None:
        async def look(db: AsyncSession) -> dict[Shelf, tuple[int, int, bool]]:
            rows = await db.execute(
                select(StockLevel, Lot.lot_number)
                .join(Lot, Lot.id == StockLevel.lot_id)
                .where(StockLevel.product_id == self.product_id, StockLevel.on_hand > 0)
            )
            return {
                (lot, self.ground.location_ids.index(level.location_id)): (
                    int(level.on_hand),
                    int(level.reserved),
                    level.status == "on_hold",
                )
                for level, lot in rows
            }

        assert self.work(look) == self.plain.shelves()
        assert {who: self.promises_to(who) for who in self.plain.promised} == self.plain.promised

    def teardown(self) -> None:
        """The ledger says what the levels say; the places are everybody's again."""
        for name in list(self.plain.holds):
            self.end(name)
        assert self.work(ledger.differences) == []


@pytest.fixture(params=["sqlite", "postgres"])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    """A cold store of this test's own, in a loop of its own."""
    database_url: str = request.getfixturevalue(f"shared_{request.param}_url")
    with asyncio.Runner() as runner:
        database = Database(database_url)
        farm = open_farm(database)
        try:
            opened = runner.run(farm.__aenter__())
            store = runner.run(plant_store(opened))
            rooms = (uuid.UUID(store.room_id), uuid.UUID(runner.run(make_room(store.tenant, store.warehouse_id))))
            yield Ground(runner, database, store.tenant.organization, lambda: make_product(store.tenant), rooms)
            runner.run(farm.__aexit__(None, None, None))
        finally:
            runner.run(database.close())


def play(ground: Ground, *, examples: int, steps: int) -> None:
    class OnThisGround(Stock):
        pass

    OnThisGround.ground = ground
    run_state_machine_as_test(
        OnThisGround,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=True,
            # a database in each step: finding the shortest way to a mistake takes minutes, and is for whoever mends it
            phases=[Phase.generate],
        ),
    )


def test_stock_is_what_a_notebook_says(ground: Ground) -> None:
    play(ground, examples=15, steps=20)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_stock_is_what_a_notebook_says_for_longer(ground: Ground) -> None:
    play(ground, examples=400, steps=60)
