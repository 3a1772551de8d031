"""Events leave with the work they tell of, and are heard at least once; what a reaction does happens once."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.outbox import (
    Dispatcher,
    OutboxDelivery,
    OutboxEvent,
    Subscription,
    effect,
    emit,
    reaction,
    reaction_to_all,
)
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope, TenancyViolation
from cloud_api.migrations.migrate import upgrade
from cloud_api.realtime.hub import Hub
from cloud_api.worker import connected, running
from tests.cloud_api.kernel.rows import add_organization, warehouse, warehouse_names
from tests.services.waiting import until

#: nobody polls within a test
NEVER_S = 3600.0


@dataclass(frozen=True)
class DoorOpened:
    """What these tests tell of."""

    door: str
    opened_at: datetime
    by: uuid.UUID
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class WindowOpened:
    """What nobody in these tests listens to."""

    window: str


@dataclass
class Farm:
    """A database whose outbox is settled, and an organisation."""

    database: Database
    scope: OrganizationScope

    async def open_doors(self, *doors: str) -> None:
        async with self.database.unit_of_work(self.scope) as db:
            for door in doors:
                emit(db, opened(door))

    async def names(self) -> list[str]:
        return list(await warehouse_names(self.database, self.scope))

    async def delivery(self, name: str) -> OutboxDelivery:
        async with self.database.unit_of_work(SystemScope("test"), read_only=True) as db:
            return (await db.scalars(select(OutboxDelivery).where(OutboxDelivery.reaction == name))).one()

    async def make_due(self, name: str) -> None:
        """As if the lease had run out, or the back-off were over."""
        async with self.database.unit_of_work(SystemScope("test")) as db:
            now = clock.machine_now()
            await db.execute(update(OutboxDelivery).where(OutboxDelivery.reaction == name).values(due_at=now))


def opened(door: str) -> DoorOpened:
    return DoorOpened(door, clock.now(), uuid.uuid4(), ("wind", "cold"))


@pytest.fixture
async def farm(shared_database: Database) -> Farm:
    await Dispatcher(shared_database, []).deliver_due()
    return Farm(shared_database, await add_organization(shared_database))


def a_name() -> str:
    """Of a reaction; the tests share a database."""
    return f"test.{uuid.uuid4()}"


def noting(name: str) -> Subscription:
    """A reaction that leaves a warehouse of the door's name, a new one each time it runs."""

    async def note(db: AsyncSession, event: DoorOpened) -> None:
        made = warehouse(event.door)
        made.code = str(uuid.uuid4())
        db.add(made)

    return reaction(DoorOpened, name, note)


async def test_an_event_comes_as_it_was_sent_and_to_its_own_organisation(farm: Farm) -> None:
    heard: list[DoorOpened] = []
    sent = opened("north")

    async def hear(db: AsyncSession, event: DoorOpened) -> None:
        assert db.sync_session.info["scope"] == farm.scope
        heard.append(event)

    async with farm.database.unit_of_work(farm.scope) as db:
        emit(db, sent)
    assert await Dispatcher(farm.database, [reaction(DoorOpened, a_name(), hear)]).deliver_due() == 1
    assert heard == [sent]


async def test_an_event_of_a_system_session_names_its_organisation(farm: Farm) -> None:
    scopes: list[object] = []

    async def hear(db: AsyncSession, event: DoorOpened) -> None:
        scopes.append(db.sync_session.info["scope"])

    woken: list[bool] = []
    farm.database.on_emitted = lambda: woken.append(True)
    async with farm.database.unit_of_work(SystemScope("test")) as db:
        emit(db, opened("north"), organization_id=farm.scope.organization_id)
    assert await Dispatcher(farm.database, [reaction(DoorOpened, a_name(), hear)]).deliver_due() == 1
    assert (scopes, woken) == ([farm.scope], [True])
    with pytest.raises(AssertionError):
        async with farm.database.unit_of_work(SystemScope("test")) as db:
            emit(db, opened("south"))


async def test_an_organisation_cannot_emit_for_another(farm: Farm) -> None:
    other = await add_organization(farm.database)
    with pytest.raises(TenancyViolation):
        async with farm.database.unit_of_work(farm.scope) as db:
            emit(db, opened("north"), organization_id=other.organization_id)


async def test_work_that_fails_tells_nothing(farm: Farm) -> None:
    async def fail() -> None:
        async with farm.database.unit_of_work(farm.scope) as db:
            emit(db, opened("north"))
            await db.flush()
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await Dispatcher(farm.database, [noting(a_name())]).deliver_due() == 0


async def test_a_reaction_that_fails_leaves_nothing_and_is_tried_again(farm: Farm) -> None:
    name, attempts = a_name(), 0

    async def stumble(db: AsyncSession, event: DoorOpened) -> None:
        nonlocal attempts
        attempts += 1
        db.add(warehouse(event.door))
        await db.flush()
        if attempts == 1:
            raise LookupError("the key is lost")

    dispatcher = Dispatcher(farm.database, [reaction(DoorOpened, name, stumble)])
    await farm.open_doors("north")
    await dispatcher.deliver_due()
    failed = await farm.delivery(name)
    assert (failed.state, failed.attempts, failed.last_error) == ("pending", 1, "LookupError: the key is lost")
    assert await farm.names() == []
    assert await dispatcher.deliver_due() == 0
    await farm.make_due(name)
    assert await dispatcher.deliver_due() == 1
    settled = await farm.delivery(name)
    assert (settled.state, settled.attempts, settled.last_error) == ("done", 2, None)
    assert await farm.names() == ["north"]
    await farm.make_due(name)
    assert await dispatcher.deliver_due() == 0


async def test_after_eight_attempts_further_and_further_apart_it_is_parked(farm: Farm) -> None:
    name = a_name()

    async def fail(_db: AsyncSession, _event: DoorOpened) -> None:
        raise LookupError("x" * 5000)

    dispatcher = Dispatcher(farm.database, [reaction(DoorOpened, name, fail)])
    await farm.open_doors("north")
    for attempt in range(1, 9):
        before = clock.machine_now()
        assert await dispatcher.deliver_due() == 1
        delivery = await farm.delivery(name)
        assert delivery.attempts == attempt
        assert before + timedelta(seconds=2**attempt) <= delivery.due_at
        assert delivery.due_at <= clock.machine_now() + timedelta(seconds=2**attempt)
        assert delivery.state == ("parked" if attempt == 8 else "pending")
        await farm.make_due(name)
    assert await dispatcher.deliver_due() == 0
    assert len(delivery.last_error or "") == 2000


async def test_one_that_fails_holds_up_no_other(farm: Farm) -> None:
    poisoned, healthy = a_name(), a_name()

    async def fail_for_the_north(db: AsyncSession, event: DoorOpened) -> None:
        if event.door == "north":
            raise LookupError
        db.add(warehouse(f"{event.door} too"))

    await farm.open_doors("north", "south")
    both = [reaction(DoorOpened, poisoned, fail_for_the_north), noting(healthy)]
    assert await Dispatcher(farm.database, both).deliver_due() == 4
    assert await farm.names() == ["north", "south", "south too"]


async def test_what_comes_in_crowds_is_heard_in_one_unit_of_work_of_each_organisation(farm: Farm) -> None:
    heard: list[tuple[object, list[str]]] = []

    async def hear(db: AsyncSession, events: Sequence[DoorOpened]) -> None:
        heard.append((db.sync_session.info["scope"], [event.door for event in events]))

    other = Farm(farm.database, await add_organization(farm.database))
    await farm.open_doors("north", "south")
    await other.open_doors("gate")
    assert await Dispatcher(farm.database, [reaction_to_all(DoorOpened, a_name(), hear)]).deliver_due() == 3
    assert sorted(heard, key=lambda one: len(one[1])) == [(other.scope, ["gate"]), (farm.scope, ["north", "south"])]


async def test_of_a_crowd_only_what_fails_is_heard_again(farm: Farm) -> None:
    name = a_name()

    async def note(db: AsyncSession, events: Sequence[DoorOpened]) -> None:
        for event in events:
            made = warehouse(event.door)
            made.code = str(uuid.uuid4())
            db.add(made)
            if event.door == "west":
                raise RuntimeError("it jams")

    await farm.open_doors("north", "west", "south")
    dispatcher = Dispatcher(farm.database, [reaction_to_all(DoorOpened, name, note)])
    assert await dispatcher.deliver_due() == 3
    assert sorted(await farm.names()) == ["north", "south"]
    async with farm.database.unit_of_work(SystemScope("test"), read_only=True) as db:
        its = select(OutboxDelivery.state, OutboxDelivery.last_error).where(OutboxDelivery.reaction == name)
        states = sorted((await db.execute(its)).tuples(), key=lambda row: row[0])
    assert states == [("done", None), ("done", None), ("pending", "RuntimeError: it jams")]


async def test_a_message_that_cannot_be_read_any_more_is_a_failure_like_others(farm: Farm) -> None:
    name = a_name()
    await farm.open_doors("north")
    async with farm.database.unit_of_work(farm.scope) as db:
        (await db.scalars(select(OutboxEvent))).one().payload = {"gate": "north"}
    await Dispatcher(farm.database, [noting(name)]).deliver_due()
    assert "ValidationError" in ((await farm.delivery(name)).last_error or "")


async def test_an_event_that_nobody_hears_is_settled_and_holds_up_nobody(farm: Farm) -> None:
    """More of them than one batch has, and before the one that matters."""
    async with farm.database.unit_of_work(farm.scope) as db:
        for number in range(120):
            emit(db, WindowOpened(str(number)))
    await farm.open_doors("north")
    assert await Dispatcher(farm.database, [noting(a_name())]).deliver_due() == 1
    async with farm.database.unit_of_work(farm.scope) as db:
        waiting = select(func.count()).select_from(OutboxEvent).where(OutboxEvent.dispatched_at.is_(None))
        assert await db.scalar(waiting) == 0
    assert await farm.names() == ["north"]


async def test_deliveries_of_reactions_unknown_here_are_left_to_those_who_know_them(farm: Farm) -> None:
    ours, theirs = a_name(), a_name()
    await farm.open_doors("north")
    async with farm.database.unit_of_work(SystemScope("test")) as db:
        event = (await db.scalars(select(OutboxEvent).where(OutboxEvent.dispatched_at.is_(None)))).one()
        event.dispatched_at = clock.now()
        await db.flush()
        for name in (ours, theirs):
            db.add(OutboxDelivery(event_id=event.id, reaction=name, due_at=clock.machine_now()))
    assert await Dispatcher(farm.database, [noting(ours)]).deliver_due() == 1
    left = await farm.delivery(theirs)
    assert (left.state, left.attempts) == ("pending", 0)
    assert await farm.names() == ["north"]


@dataclass
class SlowCourier:
    """An effect that waits at the door until it is let in; how often it was there is counted."""

    calls: int = 0
    fails: bool = False

    def __post_init__(self) -> None:
        self.arrived = asyncio.Event()
        self.let_in = asyncio.Event()

    async def __call__(self, _database: Database, _organization_id: uuid.UUID, _event: DoorOpened) -> None:
        self.calls += 1
        if self.calls == 1:
            self.arrived.set()
            await self.let_in.wait()
            if self.fails:
                raise LookupError("too late")


@pytest.mark.parametrize("fails", [False, True])
async def test_what_is_delivered_twice_because_a_lease_ran_out_is_done_once(farm: Farm, fails: bool) -> None:
    name, courier = a_name(), SlowCourier(fails=fails)
    both = Subscription(DoorOpened, name, react=noting(name).react, effect=courier)
    await farm.open_doors("north")
    slow = asyncio.create_task(Dispatcher(farm.database, [both]).deliver_due())
    await courier.arrived.wait()
    await farm.make_due(name)
    assert await Dispatcher(farm.database, [both]).deliver_due() == 1
    courier.let_in.set()
    assert await slow == 1
    assert courier.calls == 2
    assert await farm.names() == ["north"]
    settled = await farm.delivery(name)
    assert (settled.state, settled.last_error) == ("done", None)
    await farm.make_due(name)
    assert await Dispatcher(farm.database, [both]).deliver_due() == 0


async def test_a_delivery_that_is_under_way_is_nobody_elses(farm: Farm) -> None:
    name, courier = a_name(), SlowCourier()
    await farm.open_doors("north")
    slow = asyncio.create_task(Dispatcher(farm.database, [effect(DoorOpened, name, courier)]).deliver_due())
    await courier.arrived.wait()
    assert await Dispatcher(farm.database, [effect(DoorOpened, name, courier)]).deliver_due() == 0
    courier.let_in.set()
    assert await slow == 1
    assert courier.calls == 1


async def test_a_delivery_that_takes_long_holds_up_nothing_else(farm: Farm) -> None:
    courier = SlowCourier()
    both = [effect(DoorOpened, a_name(), courier), noting(a_name())]
    dispatcher = Dispatcher(farm.database, both, poll_s=NEVER_S)
    async with connected(farm.database, dispatcher, Hub()), running(dispatcher=dispatcher.run()):
        await farm.open_doors("north")
        await courier.arrived.wait()
        await farm.open_doors("south")

        async def noted() -> bool:
            return await farm.names() == ["north", "south"]

        await until(noted, what="both doors are noted while the courier waits for the first to be let in")
        assert not courier.let_in.is_set()
        courier.let_in.set()


async def test_an_effect_runs_outside_any_unit_of_work(farm: Farm) -> None:
    """On SQLite it could not write otherwise: there is one writer at a time."""

    async def write(database: Database, organization_id: uuid.UUID, event: DoorOpened) -> None:
        async with database.unit_of_work(OrganizationScope(organization_id)) as db:
            db.add(warehouse(event.door))

    await farm.open_doors("north")
    await Dispatcher(farm.database, [effect(DoorOpened, a_name(), write)]).deliver_due()
    assert await farm.names() == ["north"]


async def test_dispatchers_beside_each_other_share_the_work(farm: Farm) -> None:
    name = a_name()
    doors = [f"door-{number:03d}" for number in range(60)]
    await farm.open_doors(*doors)

    async def drain() -> None:
        dispatcher = Dispatcher(farm.database, [noting(name)])
        while await dispatcher.deliver_due():
            pass

    await asyncio.gather(*(drain() for _ in range(3)))
    assert await farm.names() == doors
    async with farm.database.unit_of_work(SystemScope("test")) as db:
        rows = select(OutboxDelivery.state, OutboxDelivery.attempts).where(OutboxDelivery.reaction == name)
        assert set((await db.execute(rows)).tuples()) == {("done", 1)}


async def test_the_request_that_caused_it_stands_in_the_logs_of_its_reactions(farm: Farm) -> None:
    seen: list[object] = []

    async def look(_db: AsyncSession, _event: DoorOpened) -> None:
        seen.append(structlog.contextvars.get_contextvars()["request_id"])

    with structlog.contextvars.bound_contextvars(request_id="request-0001"):
        await farm.open_doors("north")
    await Dispatcher(farm.database, [reaction(DoorOpened, a_name(), look)]).deliver_due()
    assert seen == ["request-0001"]


def test_two_reactions_of_one_name_are_refused(shared_sqlite_url: str) -> None:
    with pytest.raises(ValueError, match="two reactions have the same name"):
        Dispatcher(Database(shared_sqlite_url), [noting("test.same"), noting("test.same")])


async def test_an_event_needs_an_organisation(farm: Farm) -> None:
    async with farm.database.unit_of_work(SystemScope("test")) as db:
        with pytest.raises(AssertionError):
            emit(db, opened("north"))


async def test_a_commit_wakes_the_dispatcher_at_once(farm: Farm) -> None:
    dispatcher = Dispatcher(farm.database, [noting(a_name())], poll_s=NEVER_S)
    async with connected(farm.database, dispatcher, Hub()), running(dispatcher=dispatcher.run()):
        for door in ("north", "south"):
            await farm.open_doors(door)

            async def noted(door: str = door) -> bool:
                return door in await farm.names()

            await until(noted, what=f"the {door} door is noted")


async def test_a_dispatcher_outlives_a_database_that_does_not_answer_yet(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'cloud.db'}"
    database = Database(url)
    heard: list[str] = []

    async def hear(_db: AsyncSession, event: DoorOpened) -> None:
        heard.append(event.door)

    dispatcher = Dispatcher(database, [reaction(DoorOpened, a_name(), hear)], poll_s=0.01)
    task = asyncio.create_task(dispatcher.run())
    await until(
        lambda: caplog.text.count("outbox_database_failed") > 1,
        what="it has asked a database without tables more than once",
    )
    await asyncio.to_thread(upgrade, url)
    await Farm(database, await add_organization(database)).open_doors("north")
    await until(lambda: heard == ["north"], what="the door is heard of")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await database.close()


async def test_polling_finds_what_no_wake_up_told_of(farm: Farm) -> None:
    dispatcher = Dispatcher(farm.database, [noting(a_name())], poll_s=0.01)
    task = asyncio.create_task(dispatcher.run())

    async def noted() -> bool:
        return await farm.names() == ["north"]

    await farm.open_doors("north")
    await until(noted, what="the door is noted")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
