"""The door of reservations: many who ask at once are served together, and each as if alone."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection

from cloud_api.inventory.errors import NotEnoughStock
from cloud_api.inventory.reservations.grouping import Counter as From
from cloud_api.inventory.reservations.grouping import ReservationDoor
from cloud_api.inventory.reservations.promising import Promised, Request, Wish
from tests.cloud_api.inventory.stock import assert_consistent, hold, lying_in
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_product, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

TODAY = date(2026, 6, 1)


def counter(farm: Platform, store: ColdStore) -> From:
    organization_id = store.tenant.organization.organization_id
    return From(farm.database, organization_id, warehouse_id=uuid.UUID(store.warehouse_id))


def wants(store: ColdStore, quantity: str, source: str = "me", *, others: Sequence[str] = ()) -> Request:
    products = (store.product_id, *others)
    return Request([Wish(uuid.UUID(product), Decimal(quantity), source) for product in products], TODAY)


async def ask(farm: Platform, store: ColdStore, requests: Sequence[Request]) -> list[list[Promised] | BaseException]:
    door, where = ReservationDoor(), counter(farm, store)
    return await asyncio.gather(*(door.reserve(where, request) for request in requests), return_exceptions=True)


async def test_of_64_at_once_as_many_are_served_as_there_is_stock_in_the_order_they_came(
    farm: Platform, store: ColdStore
) -> None:
    await receive(store, lot="ONE", expires_on="2026-07-01", quantity="10")
    await receive(store, lot="TWO", expires_on="2026-08-01", quantity="5.5")
    answers = await ask(farm, store, [wants(store, "1", f"me:{number}") for number in range(64)])
    assert [type(answer) for answer in answers] == [list] * 15 + [NotEnoughStock] * 49
    left = await lying_in(store.tenant, store.room_id)
    assert {lot: available for lot, (_, available, _) in left.items()} == {"ONE": "0.000", "TWO": "0.500"}
    await assert_consistent(farm, store)


async def test_who_is_refused_takes_nothing_with_them(farm: Platform, store: ColdStore) -> None:
    scarce = await make_product(store.tenant)
    await receive(store, quantity="10")
    await receive(store, lot="SCARCE", product_id=scarce, quantity="1")
    answers = await ask(farm, store, [wants(store, "1", f"me:{n}", others=[scarce]) for n in range(3)])
    assert [type(answer) for answer in answers] == [list, NotEnoughStock, NotEnoughStock]
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][1] == "9.000"
    await assert_consistent(farm, store)


async def test_those_who_wait_share_a_transaction(farm: Platform, store: ColdStore) -> None:
    await receive(store, quantity="100")
    commits = 0

    def note(_connection: Connection) -> None:
        nonlocal commits
        commits += 1

    event.listen(farm.database.engine.sync_engine, "commit", note)
    try:
        await ask(farm, store, [wants(store, "1", f"me:{number}") for number in range(40)])
    finally:
        event.remove(farm.database.engine.sync_engine, "commit", note)
    assert commits <= 3
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][1] == "60.000"


async def test_a_request_that_fails_fails_alone(farm: Platform, store: ColdStore) -> None:
    await receive(store, quantity="100")
    broken = wants(store, "1", "x\x00y")  # a NUL: SQLite keeps it, PostgreSQL refuses the statement
    answers = await ask(farm, store, [wants(store, "1", "one"), broken, wants(store, "1", "two")])
    assert isinstance(answers[0], list)
    assert isinstance(answers[2], list)
    promised = sum(isinstance(answer, list) for answer in answers)
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][1] == f"{100 - promised}.000"
    await assert_consistent(farm, store)


async def test_whoever_goes_away_before_their_turn_is_promised_nothing(farm: Platform, store: ColdStore) -> None:
    await receive(store, quantity="100")
    door, where = ReservationDoor(), counter(farm, store)
    asking = [asyncio.create_task(door.reserve(where, wants(store, "1", f"me:{number}"))) for number in range(8)]
    asking[5].cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert Counter(type(answer) for answer in answers) == {list: 7, asyncio.CancelledError: 1}
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][1] == "93.000"


async def test_two_processes_serve_the_same_shelf_and_nothing_is_promised_twice(
    farm: Platform, store: ColdStore
) -> None:
    """Two doors stand for two processes: they share nothing but the database."""
    for number in range(3):
        await receive(store, lot=f"LOT-{number}", expires_on=f"2026-07-0{number + 1}", quantity="7")
    doors, where = (ReservationDoor(), ReservationDoor()), counter(farm, store)
    answers = await asyncio.gather(
        *(doors[number % 2].reserve(where, wants(store, "1", f"me:{number}")) for number in range(60)),
        return_exceptions=True,
    )
    assert Counter(type(answer) for answer in answers) == {list: 21, NotEnoughStock: 39}
    await assert_consistent(farm, store)


async def test_what_is_on_hold_is_promised_at_no_door(farm: Platform, store: ColdStore) -> None:
    await receive(store, quantity="5")
    await hold(farm, store, "excursion:1")
    with pytest.raises(NotEnoughStock):
        await ReservationDoor().reserve(counter(farm, store), wants(store, "1"))


async def test_over_http_whoever_brings_no_key_is_served_with_others_and_whoever_brings_one_once(
    farm: Platform, store: ColdStore
) -> None:
    await receive(store, quantity="5")
    client, path = store.tenant.client, "/api/v1/warehouse/stock/reservations"
    wish = {"product_id": store.product_id, "warehouse_id": store.warehouse_id, "quantity": "1", "reference": "stall"}
    answers = await asyncio.gather(
        *(client.post(path, json={**wish, "reference": f"stall {number}"}) for number in range(4)),
        *(client.post(path, json=wish, headers={"Idempotency-Key": "once"}) for _ in range(3)),
        *(client.post(path, json={**wish, "quantity": "9"}) for _ in range(2)),
    )
    assert [answer.status_code for answer in answers] == [201] * 7 + [409] * 2
    assert len({answer.json()["data"][0]["id"] for answer in answers[4:7]}) == 1
    assert (await lying_in(store.tenant, store.room_id))["LOT-1"][1] == "0.000"
    await assert_consistent(farm, store)
