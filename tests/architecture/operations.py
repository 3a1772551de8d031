"""One line for each operation with an id in its path: how to come by that id, and what to send to it.

The ids are made over the API by their owner. A new operation of this kind needs its line here.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from tests.factories.batches import make_batch, make_epoch, make_reading, post
from tests.factories.orders import (
    PHOTO,
    PHOTO_SHA256,
    Depot,
    Drive,
    in_this_process,
    make_customer,
    make_depot,
    make_drive,
    make_van,
    order_from,
    pack,
    proof,
    request_plan,
    upload,
)
from tests.factories.stores import ColdStore, make_cold_store, make_gateway, make_rule, make_warehouse, receive
from tests.platform_under_test import Platform, Tenant

CATEGORIES = "/api/v1/warehouse/products/categories"
#: for ids that nobody has
NOBODYS_ID = "00000000-0000-7000-8000-000000000000"
HEARTBEAT: dict[str, object] = {
    "epoch": "0" * 32,
    "recorded_at_ms": 1,
    "uptime_s": 1,
    "software_version": "0.1.0",
    "config_version": 1,
    "backlog_rows": 0,
    "oldest_unsent_ms": None,
    "dead_letters": 0,
    "disk_free_mb": 1,
}


@dataclass
class World:
    """What an organisation has, as far as operations need it."""

    platform: Platform
    store: ColdStore
    numbers: int = 0
    depot: Depot | None = None

    @property
    def tenant(self) -> Tenant:
        return self.store.tenant

    def number(self) -> int:
        self.numbers += 1
        return self.numbers


async def make_world(platform: Platform, tenant: Tenant) -> World:
    """A cold store; everything else as operations ask for it."""
    return World(platform, await make_cold_store(platform, tenant))


async def a_warehouse(world: World) -> str:
    return await make_warehouse(world.tenant)


async def a_room(world: World) -> str:
    return world.store.room_id


async def a_product(world: World) -> str:
    return world.store.product_id


async def a_gateway(world: World) -> str:
    return (await make_gateway(world.platform, world.tenant))[0]


async def the_gateway(world: World) -> str:
    return world.store.gateway_id


async def a_sensor(world: World) -> str:
    return world.store.sensor_id


async def a_category(world: World) -> str:
    number = world.number()
    made = await world.tenant.post(CATEGORIES, {"name": "Leafy", "slug": f"leafy-{number}"})
    return str(made["id"])


async def a_movement(world: World) -> str:
    return str((await receive(world.store, lot=f"LOT-{world.number()}"))["id"])


async def a_lot(world: World) -> str:
    return str((await receive(world.store, lot=f"LOT-{world.number()}"))["lot_id"])


async def a_rule(world: World) -> str:
    return str((await make_rule(world.store, quantity="humidity"))["id"])


async def an_excursion(world: World) -> str:
    """Open; in a store of its own, because a place has one at a time."""
    store = await make_cold_store(world.platform, world.tenant)
    await make_rule(store, duration_s=0)
    answer = await post(world.platform, store, make_batch([make_reading(1, 20.0)], epoch=make_epoch()))
    assert answer.status_code == 200, answer.text
    [made] = await world.tenant.get("/api/v1/excursions", location_id=store.room_id)
    return str(made["id"])


async def an_acknowledged_excursion(world: World) -> str:
    made = await an_excursion(world)
    await world.tenant.post(f"/api/v1/excursions/{made}/ack")
    return made


async def a_notification(world: World) -> str:
    await an_excursion(world)
    newest = (await world.tenant.get("/api/v1/notifications", limit=1))[0]
    return str(newest["id"])


async def a_phone(world: World) -> str:
    body = {"registration": f"phone-{world.tenant.slug}-{world.number()}"}
    return str((await world.tenant.post("/api/v1/mobile/devices", body))["id"])


async def a_customer(world: World) -> str:
    return await make_customer(world.tenant)


async def a_depot(world: World) -> Depot:
    if world.depot is None:
        world.depot = await make_depot(world.tenant)
    return world.depot


async def an_order(world: World) -> str:
    return str((await order_from(await a_depot(world), quantity="1"))["id"])


async def a_confirmed_order(world: World) -> str:
    order_id = await an_order(world)
    await world.tenant.post(f"/api/v1/orders/{order_id}/confirm")
    return order_id


async def a_vehicle(world: World) -> str:
    return str((await make_van(world.tenant))["id"])


async def a_planning_job(world: World) -> str:
    await a_vehicle(world)
    await pack(world.tenant, await an_order(world))
    return await request_plan(world.tenant, (await a_depot(world)).warehouse_id)


async def a_drive(world: World) -> Drive:
    """The administrator drives: owner of what is on the route in every sense."""
    me = (await world.tenant.get("/api/v1/auth/me"))["id"]
    driver = (str(me), world.tenant)
    return await make_drive(world.platform, doors=1, tenant=world.tenant, driver=driver, plan=in_this_process)


async def a_route(world: World) -> str:
    drive = await a_drive(world)
    return str((await world.tenant.get("/api/v1/warehouse/routes", planning_job_id=drive.job["id"]))[0]["id"])


async def a_delivery(world: World) -> str:
    drive = await a_drive(world)
    return str((await world.tenant.get("/api/v1/warehouse/deliveries", order_id=drive.order_ids[0]))[0]["id"])


async def a_delivery_on_the_road(world: World) -> str:
    delivery_id = await a_delivery(world)
    delivery = await world.tenant.get(f"/api/v1/mobile/deliveries/{delivery_id}")
    await world.tenant.post(f"/api/v1/mobile/routes/{delivery['route_id']}/start")
    uploaded = await upload(world.tenant, delivery_id)
    assert uploaded.status_code == 201, uploaded.text
    return delivery_id


async def a_driven_route(world: World) -> str:
    delivery_id = await a_delivery_on_the_road(world)
    delivery = await world.tenant.post(f"/api/v1/mobile/deliveries/{delivery_id}/proof", proof())
    return str(delivery["route_id"])


@dataclass(frozen=True)
class Case:
    """How one operation is called."""

    #: makes what the path's `{id}` names
    make: Callable[[World], Awaitable[str]]
    body: object = None
    #: called with the gateway's credential instead of the administrator's
    by_gateway: bool = False
    #: of a body that is bytes
    headers: Mapping[str, str] | None = None
    #: what another organisation hears
    foreign: int = 404


CASES: dict[str, Case] = {
    "get_warehouse": Case(a_warehouse),
    "get_location": Case(a_room),
    "get_product": Case(a_product),
    "get_category": Case(a_category),
    "update_category": Case(a_category, {"name": "Leaves"}),
    "archive_category": Case(a_category),
    "get_gateway": Case(a_gateway),
    "renew_claim_code": Case(a_gateway),
    # nobody but the gateway itself, and without a look whether there is another of this id
    "receive_heartbeat": Case(the_gateway, HEARTBEAT, by_gateway=True, foreign=403),
    "list_heartbeats": Case(a_gateway),
    "get_gateway_config": Case(a_gateway),
    "get_sensor": Case(a_sensor),
    "update_sensor": Case(a_sensor, {"offset": 0.5}),
    "get_movement": Case(a_movement),
    "get_lot": Case(a_lot),
    "get_rule": Case(a_rule),
    "update_rule": Case(a_rule, {"duration_s": 60}),
    "get_excursion": Case(an_excursion),
    "acknowledge_excursion": Case(an_excursion, {"note": "on it"}),
    "close_excursion": Case(an_acknowledged_excursion, {"disposition": "waste", "note": "too warm"}),
    "mark_notification_read": Case(a_notification),
    "unregister_phone": Case(a_phone),
    "get_customer": Case(a_customer),
    "update_customer": Case(a_customer, {"phone": "+91 98765 43210"}),
    "deactivate_customer": Case(a_customer),
    "get_order": Case(an_order),
    "confirm_order": Case(an_order),
    "pack_order": Case(a_confirmed_order),
    "cancel_order": Case(an_order, {"reason": "closed today"}),
    "get_vehicle": Case(a_vehicle),
    "get_planning_job": Case(a_planning_job),
    "get_route": Case(a_route),
    "track_route": Case(a_route),
    "list_route_orders": Case(a_route),
    "start_route": Case(a_route),
    "complete_route": Case(a_driven_route, {}),
    "get_my_delivery": Case(a_delivery),
    "move_delivery": Case(a_delivery_on_the_road, {"status": "arrived"}),
    "report_position": Case(a_delivery, {"recorded_at": "2026-01-31T08:00:00Z", "latitude": 12.93, "longitude": 77.61}),
    "upload_photo": Case(a_delivery, PHOTO, headers={"Content-Type": "image/png", "X-Content-SHA256": PHOTO_SHA256}),
    "prove_delivery": Case(a_delivery_on_the_road, proof()),
}
