"""Excursions and what they hold, for the operations of these."""

from tests.architecture.worlds import World
from tests.factories.batches import make_batch, make_epoch, make_reading, post
from tests.factories.stores import make_cold_store, make_rule

HOLDS = "/api/v1/warehouse/stock/holds"


async def an_excursion(world: World) -> str:
    """Open; in a store of its own, because a place has one at a time."""
    store = await make_cold_store(world.platform, world.tenant)
    await make_rule(store, duration_s=0)
    answer = await post(world.platform, store, make_batch([make_reading(1, 20.0)], epoch=make_epoch()))
    assert answer.status_code == 200, answer.text
    [made] = await world.tenant.get("/api/v1/excursions", location_id=store.room_id)
    return str(made["id"])


async def a_latched_excursion(world: World) -> str:
    store = await make_cold_store(world.platform, world.tenant)
    await make_rule(store, duration_s=0, latched=True)
    answer = await post(world.platform, store, make_batch([make_reading(1, 20.0)], epoch=make_epoch()))
    assert answer.status_code == 200, answer.text
    [made] = await world.tenant.get("/api/v1/excursions", location_id=store.room_id)
    return str(made["id"])


async def an_acknowledged_excursion(world: World) -> str:
    made = await an_excursion(world)
    await world.tenant.post(f"/api/v1/excursions/{made}/ack")
    return made


async def a_hold(world: World) -> str:
    source = f"excursion:{await an_excursion(world)}"
    return next(str(held["id"]) for held in await world.tenant.get(HOLDS, limit=200) if held["source"] == source)
