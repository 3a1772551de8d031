"""Whoever changes a row leaves an entry: who, what, from where, before and after; and no secret."""

import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit.models import AuditEntry, AuditSeal
from cloud_api.audit.recording import CONCEALED, plain
from cloud_api.audit.service import record
from cloud_api.catalog.products.models import Product
from cloud_api.devices.models import Gateway
from cloud_api.identity.people.models import User
from cloud_api.identity.sessions.models import SecondFactor
from cloud_api.inventory.ledger.models import Lot
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database, insert_missing
from cloud_api.kernel.errors import Forbidden
from cloud_api.kernel.outbox import emit
from cloud_api.kernel.tenancy import Actor, OrganizationScope, SystemScope, TenancyViolation
from cloud_api.notifications.events import NotificationWritten
from cloud_api.places.models import Warehouse
from tests.cloud_api.audit.trails import entries_of, leave, seal_all
from tests.cloud_api.kernel.rows import add_organization, add_warehouse, warehouse
from tests.factories.properties import FEW

ASHA = Actor("user", uuid.UUID(int=7), "asha", "192.0.2.7")


def user(scope: OrganizationScope) -> User:
    name = uuid.uuid4().hex
    return User(
        username=name, email=f"{name}@farm.example", full_name="Ravi", password_hash="$argon2$x", created_at=clock.now()
    )


async def test_a_new_row_leaves_what_is_in_it(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    before = clock.now()
    with structlog.contextvars.bound_contextvars(request_id="request-1234"):
        async with shared_database.unit_of_work(scope, actor=ASHA) as db:
            db.add(warehouse("W1"))
    [entry] = await entries_of(shared_database, scope, "warehouses")
    assert (entry.action, entry.actor_kind, entry.actor_id, entry.actor_name, entry.address) == (
        "warehouses.created",
        "user",
        ASHA.id,
        "asha",
        "192.0.2.7",
    )
    assert entry.request_id == "request-1234"
    assert before - timedelta(seconds=1) <= entry.occurred_at <= clock.now()
    assert entry.old is None
    assert entry.new is not None
    assert (entry.new["code"], entry.new["name"]) == ("W1", "W1")
    assert not entry.new.keys() & {"id", "organization_id"}
    async with shared_database.unit_of_work(scope, read_only=True) as db:
        assert entry.entity_id == str((await db.scalars(select(Warehouse))).one().id)


async def test_a_change_leaves_only_what_changed_before_and_after(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    warehouse_id = await add_warehouse(shared_database, scope, "W1")
    async with shared_database.unit_of_work(scope, actor=ASHA) as db:
        found = await db.get_one(Warehouse, warehouse_id)
        found.name, found.code = "North", "W1"
    entry = (await entries_of(shared_database, scope, "warehouses"))[-1]
    assert (entry.action, entry.old, entry.new) == ("warehouses.changed", {"name": "W1"}, {"name": "North"})


async def test_a_deleted_row_leaves_what_was_in_it(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    warehouse_id = await add_warehouse(shared_database, scope, "W1")
    async with shared_database.unit_of_work(scope, actor=ASHA) as db:
        await db.delete(await db.get_one(Warehouse, warehouse_id))
    entry = (await entries_of(shared_database, scope, "warehouses"))[-1]
    assert (entry.action, entry.new) == ("warehouses.deleted", None)
    assert entry.old is not None
    assert entry.old["code"] == "W1"


async def test_changing_nothing_leaves_nothing(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    warehouse_id = await add_warehouse(shared_database, scope, "W1")
    async with shared_database.unit_of_work(scope) as db:
        found = await db.get_one(Warehouse, warehouse_id)
        found.name = "X"
        found.name = "W1"
    assert len(await entries_of(shared_database, scope, "warehouses")) == 1


async def flush_warehouses(db: AsyncSession, *codes: str) -> None:
    for code in codes:
        db.add(warehouse(code))
        await db.flush()


async def fail(database: Database, scope: OrganizationScope) -> None:
    async with database.unit_of_work(scope) as db:
        await flush_warehouses(db, "W1")
        raise Forbidden("no")


async def test_work_that_fails_leaves_nothing(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    with pytest.raises(Forbidden):
        await fail(shared_database, scope)
    assert await entries_of(shared_database, scope, "warehouses") == []


async def fail_within(db: AsyncSession) -> None:
    async with db.begin_nested():
        await flush_warehouses(db, "W2", "W1")


async def test_a_savepoint_that_is_left_takes_its_entries_with_it(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    async with shared_database.unit_of_work(scope) as db:
        await flush_warehouses(db, "W1")
        with pytest.raises(IntegrityError):
            await fail_within(db)
    told = [entry.new for entry in await entries_of(shared_database, scope, "warehouses")]
    assert [new and new["code"] for new in told] == ["W1"]


async def test_an_organisation_begins_its_own_trail_with_the_reason_of_the_work(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    [entry] = await entries_of(shared_database, scope)
    assert (entry.action, entry.entity_id) == ("organizations.created", str(scope.organization_id))
    assert (entry.actor_kind, entry.actor_id, entry.actor_name) == ("system", None, "test")


async def test_what_is_inserted_where_it_was_missing_is_told_once(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    row = {"code": "W1", "name": "North", "address": "", "created_at": clock.now()}
    for _ in range(2):
        async with shared_database.unit_of_work(scope, actor=ASHA) as db:
            await insert_missing(db, Warehouse, row)
    [entry] = await entries_of(shared_database, scope, "warehouses")
    assert (entry.action, entry.actor_name) == ("warehouses.created", "asha")
    assert entry.new == {"code": "W1", "name": "North", "address": "", "created_at": plain(row["created_at"])}
    async with shared_database.unit_of_work(scope, read_only=True) as db:
        assert entry.entity_id == str((await db.scalars(select(Warehouse))).one().id)


async def test_secrets_never_enter(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    async with shared_database.unit_of_work(scope) as db:
        person = user(scope)
        db.add(person)
        await db.flush()
        db.add(SecondFactor(user_id=person.id, totp_seed="JBSWY3DPEHPK3PXP", created_at=clock.now()))
        await db.flush()
        person.password_hash = "$argon2$y"
    told = {entry.action: entry for entry in await entries_of(shared_database, scope)}
    created, changed = told["users.created"], told["users.changed"]
    assert created.new is not None
    assert created.new["password_hash"] == CONCEALED
    assert (changed.old, changed.new) == ({"password_hash": CONCEALED}, {"password_hash": CONCEALED})
    enrolled = told["second_factors.created"].new
    assert enrolled is not None
    assert enrolled["totp_seed"] == CONCEALED
    everything = json.dumps([[entry.old, entry.new] for entry in told.values()])
    assert not [secret for secret in ("argon2", "JBSWY3") if secret in everything]


async def test_what_is_only_heard_of_leaves_nothing(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    async with shared_database.unit_of_work(scope) as db:
        gateway = Gateway(
            name="Box", claim_code_sha256=uuid.uuid4().hex, claim_expires_at=clock.now(), created_at=clock.now()
        )
        db.add(gateway)
        await db.flush()
        gateway.last_seen_at = clock.now()
        await db.flush()
        emit(db, NotificationWritten(uuid.uuid4()))
    assert [entry.action for entry in await entries_of(shared_database, scope)][1:] == ["gateways.created"]


async def test_exact_values_are_told_as_they_are(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    async with shared_database.unit_of_work(scope) as db:
        product = Product(sku="CHARD", name="Mangold ä 菜", unit="kg", created_at=clock.now())
        db.add(product)
        await db.flush()
        db.add(Lot(product_id=product.id, lot_number="L1", expires_on=date(2026, 2, 3), received_at=clock.now()))
    told = {entry.entity: entry.new for entry in await entries_of(shared_database, scope)}
    assert told["products"] is not None
    assert told["lots"] is not None
    assert told["products"]["name"] == "Mangold ä 菜"
    assert (told["lots"]["expires_on"], told["lots"]["product_id"]) == ("2026-02-03", str(product.id))


async def test_a_room_records_what_changes_no_row_and_who_it_was(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    nobody = Actor("nobody", None, "", "192.0.2.9")
    async with shared_database.unit_of_work(SystemScope("sign in"), actor=nobody) as db:
        record(
            db,
            action="signed_in",
            entity="users",
            entity_id=uuid.UUID(int=7),
            new={"amount": Decimal("1.50")},
            organization_id=scope.organization_id,
            actor=Actor("user", uuid.UUID(int=7), "asha"),
        )
    entry = (await entries_of(shared_database, scope))[-1]
    assert (entry.action, entry.actor_kind, entry.actor_name) == ("signed_in", "user", "asha")
    assert (entry.address, entry.new) == ("192.0.2.9", {"amount": "1.50"})


async def test_work_across_organisations_must_say_whose_trail_it_means(shared_database: Database) -> None:
    with pytest.raises(TenancyViolation, match="must name its organisation"):
        async with shared_database.unit_of_work(SystemScope("test")) as db:
            record(db, action="signed_in", entity="users", entity_id="1")


async def test_nobody_reads_anothers_trail(shared_database: Database) -> None:
    ours, theirs = await add_organization(shared_database), await add_organization(shared_database)
    await leave(shared_database, theirs, "theirs")
    assert [entry.note for entry in await entries_of(shared_database, ours, "tests")] == []


REFUSED = r"append-only|permission denied"


async def rewrite(database: Database, scope: OrganizationScope) -> None:
    async with database.unit_of_work(scope) as db:
        (await db.scalars(select(AuditEntry).limit(1))).one().note = "something else"


async def move(database: Database, scope: OrganizationScope) -> None:
    async with database.unit_of_work(scope) as db:
        (await db.scalars(select(AuditSeal).limit(1))).one().sequence = 99


async def remove_entry(database: Database, scope: OrganizationScope) -> None:
    async with database.unit_of_work(scope) as db:
        await db.delete((await db.scalars(select(AuditEntry).limit(1))).one())


async def remove_seal(database: Database, scope: OrganizationScope) -> None:
    async with database.unit_of_work(scope) as db:
        await db.delete((await db.scalars(select(AuditSeal).limit(1))).one())


@pytest.mark.parametrize("change", [rewrite, move, remove_entry, remove_seal])
async def test_what_was_written_stands(
    shared_database: Database, change: Callable[[Database, OrganizationScope], Awaitable[None]]
) -> None:
    scope = await add_organization(shared_database)
    await leave(shared_database, scope, "first")
    await seal_all(shared_database)
    with pytest.raises(DBAPIError, match=REFUSED):
        await change(shared_database, scope)
    assert (await entries_of(shared_database, scope))[-1].note == "first"


async def run_raw(database: Database, statement: str) -> None:
    async with database.engine.connect() as connection:
        await connection.execute(text(statement))


@pytest.mark.parametrize("verb", ["UPDATE {} SET id = id", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["audit_entries", "audit_seals"])
async def test_raw_sql_changes_nothing_either(shared_database: Database, verb: str, table: str) -> None:
    scope = await add_organization(shared_database)
    await leave(shared_database, scope, "first")
    await seal_all(shared_database)
    with pytest.raises(DBAPIError, match=REFUSED):
        await run_raw(shared_database, verb.format(table))


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals()
    | st.dates()
    | st.datetimes()
    | st.uuids(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
)


@FEW
@given(value=anything)
def test_whatever_a_column_holds_comes_back_from_json_as_it_went_in(value: object) -> None:
    told = plain(value)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
