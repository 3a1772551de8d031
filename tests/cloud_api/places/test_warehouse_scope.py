"""A person who is confined to warehouses sees and touches what hangs on them, and nothing of the others."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from cloud_api.inventory.ledger.models import StockMovement
from cloud_api.kernel import clock
from cloud_api.kernel.permissions import Principal
from cloud_api.places import service
from cloud_api.places.queries import EVERYWHERE
from tests.cloud_api.cold_chain.excursions import break_the_limit, judge_at_once
from tests.factories.batches import EIGHT_OCLOCK_MS, make_series, send
from tests.factories.farms import make_farm, plant_gateway, plant_sensor, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import in_this_process, make_depot, make_van, order_from, pack, request_plan
from tests.factories.scopes import asked, heard_by, id_of, make_keeper
from tests.factories.stores import ColdStore, make_room, make_rule, receive
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

STOCK = "/api/v1/warehouse/stock"
PLACES = "/api/v1/warehouse/storage/locations"
PERIOD = {"since": "2026-01-31T00:00:00Z", "until": "2026-02-01T00:00:00Z"}


async def of(person: Tenant, path: str, field: str = "id", **query: Any) -> set[Any]:
    """What a list shows of one field."""
    return {row[field] for row in await person.get(path, limit=200, **query)}


async def two_stores(farm: Platform) -> tuple[ColdStore, ColdStore, Tenant]:
    """A store, another of the same organisation, and a person who is confined to the first."""
    own, other = await plant_store(farm), await plant_store(farm)
    return own, other, await make_keeper(farm, own.warehouse_id)


def scope_of(person_id: str) -> str:
    return f"/api/v1/admin/users/{person_id}/warehouses"


async def test_an_administrator_confines_a_person_anew_each_time_and_opens_all_again(farm: Platform) -> None:
    one, other = await plant_store(farm), await plant_store(farm)
    keeper = await make_keeper(farm, one.warehouse_id)
    path = scope_of(await id_of(keeper))
    for warehouse_ids in ([one.warehouse_id, other.warehouse_id], [other.warehouse_id] * 2, []):
        wanted = sorted(set(warehouse_ids))
        set_now = await farm.tenant.put(path, {"warehouse_ids": warehouse_ids})
        assert set_now["warehouse_ids"] == wanted
        assert await farm.tenant.get(path) == set_now
        seen = set(wanted) or {one.warehouse_id, other.warehouse_id}
        assert await of(keeper, "/api/v1/warehouse/warehouses") == seen


async def test_a_warehouse_that_is_not_there_is_named_and_nothing_changes(farm: Platform) -> None:
    own, _, keeper = await two_stores(farm)
    stranger = await make_farm(farm)
    theirs, path = await plant_store(farm, stranger), scope_of(await id_of(keeper))
    for missing in (str(uuid.uuid4()), theirs.warehouse_id):
        answer = await farm.tenant.client.put(path, json={"warehouse_ids": [own.warehouse_id, missing]})
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "warehouse_ids")
        assert missing in answer.json()["error"]["message"]
    assert (await farm.tenant.get(path))["warehouse_ids"] == [own.warehouse_id]
    nobody = scope_of(str(uuid.uuid4()))
    assert await heard_by(farm.tenant, "GET", nobody) == (404, "NOT_FOUND")
    assert await heard_by(farm.tenant, "PUT", nobody, {"warehouse_ids": []}) == (404, "NOT_FOUND")
    assert await heard_by(stranger, "PUT", path, {"warehouse_ids": []}) == (404, "NOT_FOUND")
    assert await heard_by(keeper, "PUT", path, {"warehouse_ids": []}) == (403, "FORBIDDEN")


async def test_who_is_confined_gives_nobody_more_than_that(farm: Platform) -> None:
    own, other, _ = await two_stores(farm)
    clerk = await make_keeper(farm, own.warehouse_id, role="org_admin")
    for person in (clerk, farm.tenant):
        path = scope_of(await id_of(person))
        assert await heard_by(clerk, "PUT", path, {"warehouse_ids": []}) == (403, "FORBIDDEN")
        assert await heard_by(clerk, "PUT", path, {"warehouse_ids": [other.warehouse_id]}) == (422, "INVALID")
    new = {"code": "NEW", "name": "New store"}
    assert await heard_by(clerk, "POST", "/api/v1/warehouse/warehouses", new) == (403, "FORBIDDEN")
    assert await of(clerk, "/api/v1/warehouse/warehouses") == {own.warehouse_id}


async def test_machines_are_not_confined(farm: Platform) -> None:
    store = await plant_store(farm)
    organization_id = farm.tenant.organization.organization_id
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        machine = Principal(
            kind="api_key", id=uuid.uuid4(), organization_id=organization_id, permissions=frozenset({"stock:read"})
        )
        assert await service.visible_to(db, machine) == EVERYWHERE
    keeper = await make_keeper(farm, (await plant_store(farm)).warehouse_id)
    await judge_at_once(store)
    await break_the_limit(farm, store)
    assert len(await farm.tenant.get("/api/v1/excursions")) == 1
    assert await keeper.get("/api/v1/excursions") == []


async def test_stock_of_other_warehouses_is_not_there(farm: Platform) -> None:
    own, other, keeper = await two_stores(farm)
    mine, theirs = await receive(own), await receive(other)
    for store in (own, other):
        await judge_at_once(store)
        await break_the_limit(farm, store)
    assert await of(keeper, f"{STOCK}/levels", "location_id") == {own.room_id}
    assert await of(keeper, f"{STOCK}/movements") == {mine["id"]}
    assert await of(keeper, f"{STOCK}/holds", "location_id") == {own.room_id}
    assert await of(keeper, "/api/v1/warehouse/batches") == {mine["lot_id"]}
    assert await of(keeper, f"{STOCK}/levels", location_id=other.room_id) == set()
    assert await of(farm.tenant, f"{STOCK}/levels", "location_id") == {own.room_id, other.room_id}
    for row, status in ((mine, 200), (theirs, 404)):
        assert (await heard_by(keeper, "GET", f"{STOCK}/movements/{row['id']}"))[0] == status
        assert (await heard_by(keeper, "GET", f"/api/v1/warehouse/batches/{row['lot_id']}"))[0] == status


async def test_a_lot_that_lies_in_two_warehouses_is_seen_in_ones_own(farm: Platform) -> None:
    own, other, keeper = await two_stores(farm)
    here = await receive(own, product_id=own.product_id)
    await receive(other, product_id=own.product_id)
    assert (await keeper.get(f"/api/v1/warehouse/batches/{here['lot_id']}"))["lot_number"] == "LOT-1"
    assert await of(keeper, f"{STOCK}/levels", "location_id") == {own.room_id}


async def test_what_names_a_place_outside_is_refused_and_nothing_is_stored(farm: Platform) -> None:
    own, other, keeper = await two_stores(farm)
    lot = (await receive(other))["lot_id"]
    sensor = {"code": "z2m:new", "quantity": "humidity", "unit": "%"}
    place = {"code": "X", "name": "X", "location_type": "room", "storage_type": "freezer"}
    goods = {"product_id": own.product_id, "lot_number": "X", "quantity": "1"}
    correction = {"lot_id": lot, "delta": "1", "reason": "found"}
    rule = {"name": "X", "kind": "high", "set_at": 8, "clear_at": 7}
    depot = await make_depot(farm.tenant)
    order = await order_from(depot)
    line = {"product_id": own.product_id, "quantity": "1", "unit_price": "1"}
    wanted = {"customer_id": order["customer_id"], "delivery_date": order["delivery_date"], "lines": [line]}
    before = await booked(farm)
    for path, body in (
        (PLACES, {**place, "warehouse_id": other.warehouse_id}),
        (f"{STOCK}/receiving", {**goods, "location_id": other.room_id}),
        (f"{STOCK}/adjustment", {**correction, "location_id": other.room_id}),
        (f"{STOCK}/adjustment", {**correction, "location_id": own.room_id}),
        ("/api/v1/alerts/rules", {**rule, "location_id": other.room_id}),
        ("/api/v1/edge/sensors", {**sensor, "gateway_id": own.gateway_id, "location_id": other.room_id}),
        ("/api/v1/edge/sensors", {**sensor, "gateway_id": other.gateway_id, "location_id": own.room_id}),
        ("/api/v1/orders", {**wanted, "warehouse_id": depot.warehouse_id}),
        ("/api/v1/warehouse/routes/optimize", {"warehouse_id": depot.warehouse_id, "delivery_date": "2026-01-31"}),
    ):
        assert await heard_by(keeper, "POST", path, body) == (404, "NOT_FOUND"), (path, body)
    moved = f"/api/v1/edge/sensors/{own.sensor_id}"
    assert await heard_by(keeper, "PUT", moved, {"location_id": other.room_id}) == (404, "NOT_FOUND")
    assert (await farm.tenant.get(moved))["location_id"] == own.room_id
    assert await booked(farm) == before
    assert await of(farm.tenant, PLACES, "code") & {"X"} == set()
    assert await farm.tenant.get("/api/v1/alerts/rules") == []
    assert await of(farm.tenant, "/api/v1/edge/sensors", "code") & {"z2m:new"} == set()
    assert [row["id"] for row in await farm.tenant.get("/api/v1/orders")] == [order["id"]]
    rack = {**place, "warehouse_id": own.warehouse_id, "parent_id": own.room_id, "location_type": "rack"}
    assert (await heard_by(keeper, "POST", PLACES, rack))[0] == 201


async def booked(farm: Platform) -> int:
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        return (await db.scalar(select(func.count()).select_from(StockMovement))) or 0


async def test_places_of_other_warehouses_are_not_there_and_vans_are_everybodys(farm: Platform) -> None:
    own, other, keeper = await two_stores(farm)
    van = await make_van(farm.tenant)
    assert await of(keeper, PLACES) == {own.room_id, van["location_id"]}
    assert await of(keeper, "/api/v1/warehouse/fleet/vehicles") == {van["id"]}
    for path, status in (
        (f"{PLACES}/{van['location_id']}", 200),
        (f"{PLACES}/{own.room_id}", 200),
        (f"{PLACES}/{other.room_id}", 404),
        (f"/api/v1/warehouse/warehouses/{own.warehouse_id}", 200),
        (f"/api/v1/warehouse/warehouses/{other.warehouse_id}", 404),
    ):
        assert (await heard_by(keeper, "GET", path))[0] == status, path
    await receive(own, location_id=van["location_id"])
    assert await of(keeper, f"{STOCK}/levels", "location_id") == {van["location_id"]}


async def test_rules_and_excursions_of_other_warehouses_are_not_there(farm: Platform) -> None:
    own, other, keeper = await two_stores(farm)
    rules = [await judge_at_once(store) for store in (own, other)]
    for store in (own, other):
        await break_the_limit(farm, store)
    [theirs] = await farm.tenant.get("/api/v1/excursions", location_id=other.room_id)
    [mine] = await keeper.get("/api/v1/excursions")
    assert mine["location_id"] == own.room_id
    assert await of(keeper, "/api/v1/alerts/rules") == {rules[0]["id"]}
    refused: Sequence[tuple[str, str, object]] = (
        ("GET", f"/api/v1/alerts/rules/{rules[1]['id']}", None),
        ("PUT", f"/api/v1/alerts/rules/{rules[1]['id']}", {"enabled": False}),
        ("GET", f"/api/v1/excursions/{theirs['id']}", None),
        ("POST", f"/api/v1/excursions/{theirs['id']}/ack", {}),
        ("POST", f"/api/v1/excursions/{theirs['id']}/close", {"disposition": "release", "note": "looks fine"}),
    )
    for method, path, body in refused:
        assert await heard_by(keeper, method, path, body) == (404, "NOT_FOUND"), path
    assert (await farm.tenant.get(f"/api/v1/alerts/rules/{rules[1]['id']}"))["enabled"] is True
    assert (await farm.tenant.get(f"/api/v1/excursions/{theirs['id']}"))["status"] == "open"
    assert (await keeper.post(f"/api/v1/excursions/{mine['id']}/ack"))["status"] == "acknowledged"


async def test_sensors_and_their_readings_are_seen_by_place(farm: Platform) -> None:
    own, other, keeper = await two_stores(farm)
    for store in (own, other):
        await send(farm, store, make_series([4.0, 5.0]))
    assert await of(keeper, "/api/v1/edge/sensors") == {own.sensor_id}
    assert [row["sensor_id"] for row in await keeper.get("/api/v1/telemetry/readings/latest")] == [own.sensor_id]
    assert len(await keeper.get("/api/v1/telemetry/readings", sensor_id=own.sensor_id, **PERIOD)) == 2
    theirs = {"sensor_id": other.sensor_id, **PERIOD}
    assert await heard_by(keeper, "GET", "/api/v1/telemetry/readings", **theirs) == (404, "NOT_FOUND")
    assert await heard_by(keeper, "GET", f"/api/v1/edge/sensors/{other.sensor_id}") == (404, "NOT_FOUND")
    assert await of(keeper, "/api/v1/telemetry/stats", "gateway_id") == {own.gateway_id}


async def test_a_gateway_is_seen_where_its_sensors_stand_and_while_none_does(farm: Platform) -> None:
    own, other, keeper = await two_stores(farm)
    fresh, _ = await plant_gateway(farm, farm.tenant)
    unplaced = await plant_sensor(farm, farm.tenant, other.gateway_id, location_id=None, code="z2m:unplaced")
    heard = await plant_sensor(farm, farm.tenant, fresh, location_id=None, code="z2m:heard")
    gateways = "/api/v1/edge/gateways"
    assert await of(keeper, gateways) == {own.gateway_id, fresh}
    assert await of(keeper, "/api/v1/edge/sensors") == {own.sensor_id, heard}
    theirs = f"{gateways}/{other.gateway_id}"
    for method, path in (
        ("GET", theirs),
        ("GET", f"{theirs}/heartbeats"),
        ("GET", f"{theirs}/config"),
        ("POST", f"{theirs}/claim-code"),
    ):
        assert await heard_by(keeper, method, path) == (404, "NOT_FOUND"), path
    await farm.tenant.put(f"/api/v1/edge/sensors/{unplaced}", {"location_id": own.room_id})
    assert await of(keeper, gateways) == {own.gateway_id, fresh, other.gateway_id}


async def test_what_readers_and_scales_saw_is_seen_by_the_place_they_had(farm: Platform) -> None:
    own, other, keeper = await two_stores(farm)
    at_ms = clock.now_ms()
    for store in (own, other):
        await plant_sensor(
            farm, farm.tenant, store.gateway_id, location_id=store.room_id, code="scale:1", quantity="weight"
        )
        weighing = {"weight_kg": 1.5, "state": "stable", "unit": "kg", "recorded_at_ms": at_ms}
        rows = [{"sequence": number, "scale": f"scale:{number}", **weighing} for number in (1, 2)]
        await send(farm, store, rows, lane="weights")
        tag = {"sequence": 1, "reader": "dock:1", "epc": "3034257BF7194E4000001A85", "recorded_at_ms": at_ms}
        await send(farm, store, [tag], lane="tags")
    assert await of(farm.tenant, "/api/v1/telemetry/weights", "location_id") == {own.room_id, other.room_id, None}
    assert len(await farm.tenant.get("/api/v1/telemetry/weights")) == 4
    seen = await keeper.get("/api/v1/telemetry/weights")
    assert sorted((row["location_id"] for row in seen), key=str) == sorted([own.room_id, None], key=str)
    assert len(await keeper.get("/api/v1/telemetry/rfid-reads")) == 1
    assert len(await farm.tenant.get("/api/v1/telemetry/rfid-reads")) == 2


async def test_orders_plans_and_routes_are_seen_by_the_warehouse_they_leave(farm: Platform) -> None:
    depots = [await make_depot(farm.tenant) for _ in range(2)]
    orders, jobs = [], []
    for depot in depots:
        order = await order_from(depot)
        van = await make_van(farm.tenant)
        await pack(farm.tenant, order["id"])
        jobs.append(await request_plan(farm.tenant, depot.warehouse_id, vehicle_ids=[van["id"]]))
        await in_this_process(farm, farm.tenant, jobs[-1])
        orders.append(order["id"])
    keeper = await make_keeper(farm, depots[0].warehouse_id)
    [theirs] = await farm.tenant.get("/api/v1/warehouse/routes", planning_job_id=jobs[1])
    assert await of(keeper, "/api/v1/orders") == {orders[0]}
    assert await of(keeper, "/api/v1/dispatch/jobs") == {jobs[0]}
    assert await of(keeper, "/api/v1/warehouse/routes", "planning_job_id") == {jobs[0]}
    assert await of(keeper, "/api/v1/warehouse/deliveries", "order_id") == {orders[0]}
    refused = (
        ("GET", f"/api/v1/orders/{orders[1]}"),
        ("POST", f"/api/v1/orders/{orders[1]}/confirm"),
        ("POST", f"/api/v1/orders/{orders[1]}/pack"),
        ("GET", f"/api/v1/dispatch/jobs/{jobs[1]}"),
        ("GET", f"/api/v1/warehouse/routes/{theirs['id']}"),
        ("GET", f"/api/v1/warehouse/deliveries/tracking/{theirs['id']}"),
    )
    for method, path in refused:
        assert await heard_by(keeper, method, path) == (404, "NOT_FOUND"), path
    given_up = {"reason": "no longer wanted"}
    assert await heard_by(keeper, "POST", f"/api/v1/orders/{orders[1]}/cancel", given_up) == (404, "NOT_FOUND")
    assert (await farm.tenant.get(f"/api/v1/orders/{orders[1]}"))["status"] == "packed"


async def test_a_rule_of_ones_own_warehouse_leaves_the_limits_of_others_at_a_shared_gateway(farm: Platform) -> None:
    own, other, keeper = await two_stores(farm)
    await plant_sensor(farm, farm.tenant, own.gateway_id, location_id=other.room_id, code="z2m:next-door")
    config = f"/api/v1/edge/gateways/{own.gateway_id}/config"
    await make_rule(other)
    mine = {"name": "Warm", "location_id": own.room_id, "kind": "high", "set_at": 8, "clear_at": 7}
    await keeper.post("/api/v1/alerts/rules", mine)
    limits = (await farm.tenant.get(config))["limits"]
    assert sorted(limit["sensor"] for limit in limits) == ["z2m:cold-room-1", "z2m:next-door"]


LISTS = (
    "/api/v1/warehouse/warehouses",
    PLACES,
    f"{STOCK}/levels",
    f"{STOCK}/movements",
    f"{STOCK}/holds",
    "/api/v1/warehouse/batches",
    "/api/v1/telemetry/rfid-reads",
    "/api/v1/telemetry/weights",
    "/api/v1/telemetry/readings/latest",
    "/api/v1/telemetry/dead-letters",
    "/api/v1/telemetry/stats",
    "/api/v1/edge/gateways",
    "/api/v1/edge/sensors",
    "/api/v1/alerts/rules",
    "/api/v1/excursions",
    "/api/v1/orders",
    "/api/v1/dispatch/jobs",
    "/api/v1/warehouse/routes",
    "/api/v1/warehouse/deliveries",
)


async def statements_of_each_list(farm: Platform, person: Tenant) -> dict[str, int]:
    return {path: await asked(farm, person, path) for path in LISTS}


async def test_a_list_asks_the_database_as_often_for_many_rows_as_for_none(farm: Platform) -> None:
    own = await plant_store(farm)
    keeper = await make_keeper(farm, own.warehouse_id)
    for_few = await statements_of_each_list(farm, keeper)
    for number in range(3):
        room = await make_room(farm.tenant, own.warehouse_id)
        await receive(own, lot=f"LOT-{number}", location_id=room)
        await make_rule(own, duration_s=0, location_id=room)
        await plant_sensor(farm, farm.tenant, own.gateway_id, location_id=room, code=f"z2m:{number}")
        broken = make_series([20.0], first_sequence=number + 1, start_ms=EIGHT_OCLOCK_MS)
        await send(farm, own, [{**row, "sensor": f"z2m:{number}"} for row in broken])
    assert len(await keeper.get("/api/v1/excursions")) == 3
    assert await statements_of_each_list(farm, keeper) == for_few
    assert max(for_few.values()) <= 6, for_few
