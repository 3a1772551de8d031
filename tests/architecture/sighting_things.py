"""Tags, portals, scales and items, as operations need them."""

import uuid
from datetime import timedelta
from typing import Any

from cloud_api.inventory.sightings.models import Weight
from cloud_api.inventory.sightings.portals.models import Passage
from cloud_api.kernel import clock
from tests.architecture.edge_things import a_reader, a_scale
from tests.architecture.worlds import World
from tests.factories.farms import make_person
from tests.factories.stores import make_room, receive

ITEMS, TAGS, RULES = "/api/v1/items", "/api/v1/edge/tags", "/api/v1/warehouse/portal-rules"


async def an_item(world: World) -> str:
    return str((await world.tenant.post(ITEMS, (await a_new_item(world))))["id"])


async def a_new_item(world: World) -> dict[str, object]:
    return {"name": f"Pallet jack {world.number()}", "location_id": world.store.room_id}


async def a_lent_item(world: World) -> str:
    item_id = await an_item(world)
    await world.tenant.post(f"{ITEMS}/{item_id}/checkout", await a_checkout(world))
    return item_id


async def a_checkout(_world: World) -> dict[str, object]:
    due_at = (clock.now() + timedelta(days=1)).isoformat()
    return {"assignee_type": "job", "assignee_name": "Harvest", "due_at": due_at}


async def a_checkout_to_decide(world: World) -> str:
    """Asked for by nobody who decides."""
    item = await world.tenant.post(ITEMS, {**await a_new_item(world), "restricted": True})
    asker = await make_person(world.platform, world.tenant, "org_admin")
    return str((await asker.post(f"{ITEMS}/{item['id']}/checkout", await a_checkout(world)))["id"])


async def the_room(world: World) -> dict[str, object]:
    return {"location_id": world.store.room_id}


async def a_crate(world: World) -> dict[str, object]:
    """What a tag is on."""
    lot = await receive(world.store, lot=f"LOT-{world.number()}")
    of = {"entity_type": "lot", "entity_id": lot["lot_id"], "quantity": "20.000"}
    return {**of, "goods_location_id": world.store.room_id}


async def a_binding(world: World) -> dict[str, object]:
    return {"epc": f"3034257BF7194E4{world.number():09X}", **await a_crate(world)}


async def some_bindings(world: World) -> dict[str, object]:
    return {"tags": [await a_binding(world)]}


async def a_bound_tag(world: World) -> str:
    return str((await world.tenant.post(TAGS, await a_binding(world)))["id"])


async def a_portal_rule(world: World) -> str:
    return str((await world.tenant.post(RULES, await a_new_portal_rule(world)))["id"])


async def a_new_portal_rule(world: World) -> dict[str, object]:
    return {"reader_id": await a_reader(world), "action": "transfer", "to_location_id": world.store.room_id}


async def a_proposal(world: World) -> str:
    """What passed is to be shipped."""
    tag_id, reader_id, now = await a_bound_tag(world), await a_reader(world), clock.now()
    async with world.platform.database.unit_of_work(world.tenant.organization) as db:
        passage = Passage(
            reader_id=uuid.UUID(reader_id),
            location_id=uuid.UUID(world.store.room_id),
            epc="3034257BF7194E4000001A85",
            began_at=now,
            ended_at=now,
            reads=1,
            told_direction="out",
            direction="out",
            status="proposed",
            due_at=now,
            tag_id=uuid.UUID(tag_id),
            action="ship",
        )
        db.add(passage)
        await db.flush()
        return str(passage.id)


async def a_known_scale(world: World) -> str:
    scale_id = await a_scale(world)
    facts = {"name": "Platform", "capacity_kg": 600.0, "division_kg": 0.2}
    await world.tenant.put(f"/api/v1/edge/scales/{scale_id}", facts)
    return scale_id


async def a_weight(world: World) -> str:
    scale_id = await a_known_scale(world)
    async with world.platform.database.unit_of_work(world.tenant.organization) as db:
        weight = Weight(
            gateway_id=uuid.UUID(world.store.gateway_id),
            sequence=-world.number(),
            scale_id=uuid.UUID(scale_id),
            location_id=uuid.UUID(world.store.room_id),
            weight_g=12_500,
            basis="gross",
            weighed_at=clock.now(),
        )
        db.add(weight)
        await db.flush()
        return str(weight.id)


async def a_use(world: World) -> dict[str, object]:
    lot = await receive(world.store, lot=f"LOT-{world.number()}")
    return {"kind": "adjustment", "lot_id": lot["lot_id"], "reason": "weighed"}


async def a_take(world: World) -> str:
    """Of a place in which nothing lies: a lot is counted in one take at a time."""
    room_id = await make_room(world.tenant, world.store.warehouse_id)
    new = {"warehouse_id": world.store.warehouse_id, "location_ids": [room_id]}
    return str((await world.tenant.post("/api/v1/warehouse/stock/takes", new))["id"])


async def a_sweep(world: World) -> dict[str, object]:
    since, until = clock.now() - timedelta(hours=1), clock.now()
    when = {"since": since.isoformat(), "until": until.isoformat()}
    return {"reader_id": await a_reader(world), "location_id": world.store.room_id, **when}


#: operation -> (what makes its id, its body)
SIGHTINGS: dict[str, tuple[Any, ...]] = {
    "get_item": (an_item,),
    "update_item": (an_item, {"name": "Jack"}),
    "archive_item": (an_item,),
    "transfer_item": (an_item, the_room),
    "check_out_item": (an_item, a_checkout),
    "check_in_item": (a_lent_item, {"condition": "good"}),
    "list_item_checkouts": (a_lent_item,),
    "list_item_activity": (an_item,),
    "decide_checkout": (a_checkout_to_decide, {"approve": True}),
    "get_rfid_tag": (a_bound_tag,),
    "rebind_rfid_tag": (a_bound_tag, a_crate),
    "unbind_rfid_tag": (a_bound_tag,),
    "update_portal_rule": (a_portal_rule, {"action": "ignore"}),
    "remove_portal_rule": (a_portal_rule,),
    "get_passage": (a_proposal,),
    "accept_passage": (a_proposal, {}),
    "reject_passage": (a_proposal, {"reason": "it stayed"}),
    "sweep_stock_take": (a_take, a_sweep),
    "get_weight": (a_weight,),
    "apply_weight": (a_weight, a_use),
    "get_scale_stability": (a_known_scale,),
    "set_scale_stability": (a_known_scale, {"readings": 3}),
}
