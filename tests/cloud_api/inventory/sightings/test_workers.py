"""Several workers, shuffled and repeated deliveries: the same passages, and each booked once."""

import asyncio
import random
import uuid
from decimal import Decimal

import pytest
from sqlalchemy import select

from cloud_api.inventory.sightings.events import PassageReady, TagsSeen
from cloud_api.inventory.sightings.models import TagSighting
from cloud_api.inventory.sightings.portals.booking import book_passage
from cloud_api.inventory.sightings.portals.following import follow_tags
from cloud_api.inventory.sightings.portals.models import Passage
from cloud_api.kernel import clock
from tests.cloud_api.inventory.sightings.tagged import (
    bind_crate,
    follow,
    make_epc,
    make_place,
    make_portal,
    make_rule,
    on_hand,
    passages,
    send,
    tag,
)
from tests.cloud_api.inventory.stock import assert_consistent
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def seen_by(farm: Platform, store: ColdStore) -> list[tuple[uuid.UUID, int]]:
    """(gateway, sequence) of every sighting."""
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        rows = await db.execute(select(TagSighting.gateway_id, TagSighting.sequence).order_by(TagSighting.sequence))
        return list(rows.tuples())


async def work(farm: Platform, store: ColdStore, event: TagsSeen | PassageReady) -> None:
    """One delivery in a unit of work of its own."""
    async with farm.database.unit_of_work(store.tenant.organization) as db:
        if isinstance(event, TagsSeen):
            await follow_tags(db, event)
        else:
            await book_passage(db, event)


@pytest.mark.parametrize("seed", range(3))
async def test_workers_beside_each_other_make_the_passages_that_one_would_make(
    farm: Platform, store: ColdStore, seed: int
) -> None:
    dice = random.Random(seed)
    reader, inside = await make_portal(store), await make_place(store)
    await make_rule(store, reader["id"], inside, mode="propose", window_s=10)
    crates, now = [make_epc() for _ in range(4)], clock.now_ms()
    lot_id = (await receive(store))["lot_id"]
    for epc in crates:
        await bind_crate(store, epc, lot_id, quantity="1.000")
    # each crate passes three times, a minute apart, and is seen five times within eight seconds
    times = [
        (epc, turn, now - 300_000 + turn * 60_000 + at * 2000) for epc in crates for turn in range(3) for at in range(5)
    ]
    dice.shuffle(times)
    await send(farm, store, "tags", *(tag(number, epc, at_ms=at) for number, (epc, _, at) in enumerate(times, 1)))

    sightings = await seen_by(farm, store)
    portions = [sightings[begin : begin + 7] for begin in range(0, len(sightings), 7)]
    dice.shuffle(portions)
    events = [TagsSeen(portion[0][0], portion[0][1], portion[-1][1]) for portion in portions]
    for at in range(0, len(events), 3):
        await asyncio.gather(*(work(farm, store, event) for event in events[at : at + 3]))

    known = await passages(store)
    assert len(known) == 12
    assert {passage["reads"] for passage in known} == {5}
    assert sorted(passage["epc"] for passage in known) == sorted(crates * 3)


async def test_a_passage_that_is_delivered_to_many_workers_is_booked_once(farm: Platform, store: ColdStore) -> None:
    reader, inside, epc = await make_portal(store), await make_place(store), make_epc()
    await make_rule(store, reader["id"], inside)
    await bind_crate(store, epc, (await receive(store))["lot_id"])
    await send(farm, store, "tags", tag(1, epc))
    [(gateway_id, sequence)] = await seen_by(farm, store)
    await work(farm, store, TagsSeen(gateway_id, sequence, sequence))
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        [passage] = (await db.scalars(select(Passage))).all()

    await asyncio.gather(*(work(farm, store, PassageReady(passage.id)) for _ in range(5)))

    assert (await on_hand(store, store.room_id), await on_hand(store, inside)) == ("80.0", "20.0")
    await assert_consistent(farm, store)


async def test_a_proposal_that_many_accept_at_once_is_booked_once(farm: Platform, store: ColdStore) -> None:
    reader, inside, epc = await make_portal(store), await make_place(store), make_epc()
    await make_rule(store, reader["id"], inside, mode="propose")
    await bind_crate(store, epc, (await receive(store))["lot_id"])
    await send(farm, store, "tags", tag(1, epc))
    await follow(farm, store)
    [proposal] = await passages(store, status="proposed")

    path = f"/api/v1/warehouse/passages/{proposal['id']}/accept"
    answers = await asyncio.gather(*(store.tenant.client.post(path, json={}) for _ in range(6)))

    assert {answer.status_code for answer in answers} == {200}
    assert Decimal(await on_hand(store, inside)) == 20
    await assert_consistent(farm, store)


async def test_many_crates_of_one_lot_pass_at_once_and_no_kilogram_is_lost(farm: Platform, store: ColdStore) -> None:
    reader, inside = await make_portal(store), await make_place(store)
    await make_rule(store, reader["id"], inside)
    lot_id = (await receive(store))["lot_id"]
    crates = [make_epc() for _ in range(7)]
    for epc in crates:
        await bind_crate(store, epc, lot_id)
    await send(farm, store, "tags", *(tag(number, epc) for number, epc in enumerate(crates, 1)))
    [(gateway_id, first), *_, (_, last)] = await seen_by(farm, store)
    await work(farm, store, TagsSeen(gateway_id, first, last))
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        ready = (await db.scalars(select(Passage.id))).all()

    await asyncio.gather(*(work(farm, store, PassageReady(passage_id)) for passage_id in ready))

    told = [(one["status"], one["reason"]) for one in await passages(store)]
    assert sorted(told) == [("booked", "")] * 5 + [("proposed", "NOT_ENOUGH_STOCK")] * 2
    assert (await on_hand(store, store.room_id), await on_hand(store, inside)) == ("0.0", "100.0")
    await assert_consistent(farm, store)
