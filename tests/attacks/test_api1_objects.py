"""API1:2023, broken object level authorisation: what belongs to others, by every way in but the path.

The path's ids are called one by one in tests/architecture/test_owners.py.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest

from tests.architecture.ledger_things import a_group
from tests.architecture.operations import CASES, a_route, an_order
from tests.architecture.place_things import a_shipped_transfer, what_arrived
from tests.architecture.test_owners import OPERATIONS, Operation
from tests.architecture.tracking_things import a_fence_that_was_crossed
from tests.architecture.worlds import World, make_world
from tests.attacks.calls import Call, good_call
from tests.cloud_api.conftest import open_shared_platform
from tests.cloud_api.identity.staff import join, make_role
from tests.cloud_api.realtime.sockets import refused
from tests.engines import MOSTLY_POSTGRES
from tests.factories.batches import make_gap, make_summary, send
from tests.factories.stores import make_warehouse
from tests.platform_under_test import Platform, app_to_read

#: lists that can be narrowed by somebody's id: the filter, and who has what it names
FILTERS = [
    ("/api/v1/activity", "actor"),
    *(
        (f"/api/v1/admin/analytics/{figures}", "warehouse_id")
        for figures in ("business", "revenue", "orders", "customers", "products")
    ),
    *(
        (f"/api/v1/warehouse/analytics/{figures}", "warehouse_id")
        for figures in (
            "compliance",
            "costs",
            "efficiency",
            "inventory",
            "logistics",
            "performance",
            "trends",
            "turnover",
            "valuation",
            "waste",
        )
    ),
    *((f"/api/v1/warehouse/operations/{figures}", "warehouse_id") for figures in ("metrics", "overview")),
    ("/api/v1/alerts", "location_id"),
    ("/api/v1/edge/sensors", "gateway_id"),
    ("/api/v1/alerts/rules", "location_id"),
    ("/api/v1/edge/calibrations/due", "location_id"),
    ("/api/v1/edge/readers", "gateway_id"),
    ("/api/v1/edge/scales", "gateway_id"),
    ("/api/v1/edge/sensors", "location_id"),
    ("/api/v1/excursions", "location_id"),
    ("/api/v1/excursions/minutes", "location_id"),
    ("/api/v1/excursions/places", "location_id"),
    ("/api/v1/excursions/minutes", "sensor_id"),
    ("/api/v1/geofences/events", "geofence_id"),
    ("/api/v1/geofences/events", "vehicle_id"),
    ("/api/v1/items", "category_id"),
    ("/api/v1/items", "location_id"),
    ("/api/v1/items", "user_id"),
    ("/api/v1/media", "entity_id"),
    ("/api/v1/orders", "customer_id"),
    ("/api/v1/orders", "line_id"),
    ("/api/v1/orders", "slot_id"),
    ("/api/v1/orders", "warehouse_id"),
    ("/api/v1/orders/lines", "customer_id"),
    ("/api/v1/orders/lines", "line_id"),
    ("/api/v1/orders/lines", "slot_id"),
    ("/api/v1/orders/lines", "warehouse_id"),
    ("/api/v1/orders/payments/cash/handovers", "driver_id"),
    ("/api/v1/orders/picklists", "warehouse_id"),
    ("/api/v1/orders/slots", "warehouse_id"),
    ("/api/v1/returns", "customer_id"),
    ("/api/v1/returns", "order_id"),
    ("/api/v1/returns", "warehouse_id"),
    ("/api/v1/telemetry/dead-letters", "gateway_id"),
    ("/api/v1/telemetry/gaps", "gateway_id"),
    ("/api/v1/telemetry/sensor-retentions", "class_id"),
    ("/api/v1/telemetry/stats", "gateway_id"),
    ("/api/v1/telemetry/readings", "location_id"),
    ("/api/v1/telemetry/readings/aggregate", "location_id"),
    ("/api/v1/telemetry/readings/aggregate", "sensor_id"),
    ("/api/v1/telemetry/readings/compare", "location_id"),
    ("/api/v1/telemetry/readings/export", "location_id"),
    ("/api/v1/telemetry/readings/export", "sensor_id"),
    ("/api/v1/telemetry/readings/latest", "location_id"),
    ("/api/v1/telemetry/summaries", "gateway_id"),
    ("/api/v1/telemetry/summaries", "sensor_id"),
    ("/api/v1/telemetry/weights", "scale_id"),
    ("/api/v1/warehouse/batches", "product_id"),
    ("/api/v1/warehouse/deliveries", "order_id"),
    ("/api/v1/warehouse/passages", "reader_id"),
    ("/api/v1/warehouse/portal-rules", "reader_id"),
    ("/api/v1/warehouse/stock/holds", "location_id"),
    ("/api/v1/warehouse/temperature/alerts", "location_id"),
    ("/api/v1/warehouse/temperature/logs", "location_id"),
    ("/api/v1/warehouse/stock/levels", "product_id"),
    ("/api/v1/warehouse/stock/levels", "location_id"),
    ("/api/v1/warehouse/stock/movements", "lot_id"),
    ("/api/v1/warehouse/stock/movements", "product_id"),
    ("/api/v1/warehouse/stock/movements", "location_id"),
    ("/api/v1/warehouse/stock/movements", "warehouse_id"),
    ("/api/v1/warehouse/stock/levels", "lot_id"),
    ("/api/v1/warehouse/stock/levels", "warehouse_id"),
    ("/api/v1/warehouse/stock/levels/summary", "product_id"),
    ("/api/v1/warehouse/stock/levels/summary", "location_id"),
    ("/api/v1/warehouse/stock/levels/summary", "lot_id"),
    ("/api/v1/warehouse/stock/levels/summary", "warehouse_id"),
    ("/api/v1/warehouse/batches", "variant_id"),
    ("/api/v1/warehouse/batches", "warehouse_id"),
    ("/api/v1/warehouse/recalls", "lot_id"),
    ("/api/v1/warehouse/stock/holds", "lot_id"),
    ("/api/v1/warehouse/stock/levels", "variant_id"),
    ("/api/v1/warehouse/stock/levels/summary", "variant_id"),
    ("/api/v1/warehouse/stock/movements", "group_id"),
    ("/api/v1/warehouse/stock/receiving", "warehouse_id"),
    ("/api/v1/warehouse/stock/valuation", "product_id"),
    ("/api/v1/warehouse/stock/valuation", "warehouse_id"),
    ("/api/v1/warehouse/batches/expiring", "product_id"),
    ("/api/v1/warehouse/batches/expiring", "warehouse_id"),
    ("/api/v1/warehouse/stock/reservations", "product_id"),
    ("/api/v1/warehouse/stock/reservations", "location_id"),
    ("/api/v1/warehouse/stock/reservations", "lot_id"),
    ("/api/v1/warehouse/stock/reorder-rules", "product_id"),
    ("/api/v1/warehouse/stock/reorder-rules", "warehouse_id"),
    ("/api/v1/warehouse/products/low-stock", "product_id"),
    ("/api/v1/warehouse/products/low-stock", "warehouse_id"),
    ("/api/v1/warehouse/products", "category_id"),
    ("/api/v1/warehouse/products", "tag_id"),
    ("/api/v1/warehouse/routes", "planning_job_id"),
    ("/api/v1/warehouse/deliveries", "driver_id"),
    ("/api/v1/warehouse/deliveries", "route_id"),
    ("/api/v1/warehouse/deliveries", "warehouse_id"),
    ("/api/v1/warehouse/deliveries/active", "driver_id"),
    ("/api/v1/warehouse/deliveries/active", "route_id"),
    ("/api/v1/warehouse/deliveries/active", "warehouse_id"),
    ("/api/v1/warehouse/routes", "driver_id"),
    ("/api/v1/warehouse/routes", "vehicle_id"),
    ("/api/v1/warehouse/routes", "warehouse_id"),
    ("/api/v1/warehouse/routes/active", "driver_id"),
    ("/api/v1/warehouse/routes/active", "warehouse_id"),
    ("/api/v1/warehouse/fleet/use", "warehouse_id"),
    ("/api/v1/warehouse/routes/optimizations", "route_id"),
    ("/api/v1/dispatch/board", "warehouse_id"),
    ("/api/v1/dispatch/schedule", "warehouse_id"),
    ("/api/v1/warehouse/fleet/shifts", "user_id"),
    ("/api/v1/warehouse/fleet/shifts", "vehicle_id"),
    ("/api/v1/warehouse/fleet/maintenance", "vehicle_id"),
    ("/api/v1/warehouse/stock/in-transit", "product_id"),
    ("/api/v1/warehouse/stock/in-transit", "warehouse_id"),
    ("/api/v1/warehouse/stock/takes", "warehouse_id"),
    ("/api/v1/warehouse/stock/transfers", "from_warehouse_id"),
    ("/api/v1/warehouse/stock/transfers", "to_warehouse_id"),
    ("/api/v1/warehouse/storage/locations", "parent_id"),
    ("/api/v1/warehouse/storage/locations", "warehouse_id"),
    ("/api/v1/admin/users/search", "team_id"),
    ("/api/v1/admin/security/audit-logs", "actor"),
]

#: those of a period want one, the others look past it
OF_A_DAY = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z", "format": "csv"}

UNUSED = {
    # refused row by row: tests/cloud_api/telemetry/test_direct.py
    ("take_in_readings", "readings.0.sensor_id"),
}


@pytest.fixture
async def platform(shared_database_url: str) -> AsyncIterator[Platform]:
    """Two organisations on it."""
    async with open_shared_platform(shared_database_url) as opened:
        await opened.found()
        yield opened


async def worlds(platform: Platform) -> tuple[World, World]:
    """The owner's and the stranger's."""
    mine, theirs = [await make_world(platform, tenant) for tenant in platform.tenants[:2]]
    return mine, theirs


async def things_of(world: World) -> dict[str, str]:
    """Ids of the owner's, by the name of the filter."""
    order_id = await an_order(world)
    order = await world.tenant.get(f"/api/v1/orders/{order_id}")
    received = await world.tenant.get("/api/v1/warehouse/stock/movements", limit=1)
    team = await world.tenant.post("/api/v1/teams", {"name": f"Team {world.number()}"})
    route = await world.tenant.get(f"/api/v1/warehouse/routes/{await a_route(world)}")
    me = await world.tenant.get("/api/v1/auth/me")
    tag_id, category_id = [await CASES[name].make(world) for name in ("delete_tag", "get_category")]
    shelved = {"tag_ids": [tag_id], "category_id": category_id}
    await world.tenant.put(f"/api/v1/warehouse/products/{world.store.product_id}", shelved)
    await send(world.platform, world.store, [make_summary(1)], lane="summaries")
    await send(world.platform, world.store, [make_gap(1)], lane="gaps")
    class_id = await CASES["get_retention_class"].make(world)
    await world.tenant.put(f"/api/v1/telemetry/sensors/{world.store.sensor_id}/retention", {"class_id": class_id})
    return {
        "class_id": class_id,
        "geofence_id": await a_fence_that_was_crossed(world),
        "gateway_id": world.store.gateway_id,
        "sensor_id": world.store.sensor_id,
        "location_id": world.store.room_id,
        "warehouse_id": world.store.warehouse_id,
        **dict.fromkeys(("from_warehouse_id", "to_warehouse_id"), world.store.warehouse_id),
        "parent_id": world.store.room_id,
        "customer_id": order["customer_id"],
        "slot_id": await CASES["update_slot"].make(world),
        "line_id": order["lines"][0]["id"],
        "product_id": received[0]["product_id"],
        "lot_id": received[0]["lot_id"],
        "group_id": await a_group(world),
        "variant_id": (await CASES["delete_variant"].make(world)).split()[1],
        "order_id": route["deliveries"][0]["order_id"],
        "route_id": route["id"],
        "planning_job_id": route["planning_job_id"],
        "team_id": team["id"],
        "tag_id": tag_id,
        "category_id": category_id,
        "actor": me["id"],
        "user_id": me["id"],
        "driver_id": me["id"],
        "vehicle_id": route["vehicle_id"],
        **dict(zip(("entity_id", "media_id"), (await CASES["remove_product_image"].make(world)).split(), strict=True)),
        "reader_id": await CASES["get_reader"].make(world),
        "scale_id": await CASES["get_scale_stability"].make(world),
    }


async def test_a_list_that_is_narrowed_to_what_others_have_is_empty(platform: Platform) -> None:
    mine, theirs = await worlds(platform)
    things = await things_of(mine)
    for path, name in FILTERS:
        answer = await theirs.tenant.client.get(path, params={name: things[name], **OF_A_DAY})
        assert answer.status_code in {200, 404}, (path, name, answer.text)
        if answer.headers["content-type"].startswith("text/csv"):
            assert len(answer.text.splitlines()) <= 1, (path, name, answer.text)
            continue
        data = answer.json().get("data", [])
        told = [cells for cells in data.values() if isinstance(cells, list)] if isinstance(data, dict) else [data]
        assert not any(told), (path, name, data)


def document() -> dict[str, Any]:
    """The API's."""
    return app_to_read().openapi()


def test_every_filter_by_id_has_its_line() -> None:
    found = {
        (path, parameter["name"])
        for path, methods in document()["paths"].items()
        for parameter in methods.get("get", {}).get("parameters", [])
        # rows by their own ids are asked for of every such list in test_owners
        if parameter["in"] == "query" and "uuid" in str(parameter["schema"]) and parameter["name"] != "id"
    }
    assert found == {*FILTERS, ("/api/v1/telemetry/readings", "sensor_id")}, "test_owners has list_readings"


def ids_in(schema: Mapping[str, Any], schemas: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    """Where a body names something by id: `lines.0.product_id`."""
    if "$ref" in schema:
        yield from ids_in(schemas[schema["$ref"].rpartition("/")[2]], schemas, path)
    if schema.get("format") == "uuid":
        yield ".".join(path)
    for choice in [*schema.get("anyOf", ()), *schema.get("oneOf", ())]:
        yield from ids_in(choice, schemas, path)
    for name, inner in schema.get("properties", {}).items():
        yield from ids_in(inner, schemas, (*path, name))
    if isinstance(schema.get("items"), dict):  # false: of a tuple, that there are no more
        yield from ids_in(schema["items"], schemas, (*path, "0"))


def named_in_bodies() -> Iterator[tuple[Operation, str]]:
    """Each operation with each id in its body."""
    paths, schemas = document()["paths"], document()["components"]["schemas"]
    for operation in OPERATIONS:
        body = paths[operation.path][operation.method.lower()].get("requestBody", {})
        schema = body.get("content", {}).get("application/json", {}).get("schema", {})
        for where in ids_in(schema, schemas):
            if not operation.name.endswith("feature_flag"):  # the platform's, which names organisations and people
                yield operation, where


def put(body: object, where: str, value: object) -> object:
    """The body with `value` there."""
    name, _, rest = where.partition(".")
    if name == "0":
        first = body[0] if isinstance(body, list) and body else {}
        return [put(first, rest, value) if rest else value]
    fields = dict(body) if isinstance(body, dict) else {}
    return {**fields, name: put(fields.get(name), rest, value) if rest else value}


async def what_arrived_of(mine: World) -> dict[str, Any]:
    """Of a transfer of theirs."""
    await a_shipped_transfer(mine)
    return await what_arrived(mine)


async def foreign_ids(mine: World) -> dict[str, str]:
    """What the owner has, by the names that bodies have for it."""
    things, place = await things_of(mine), await make_warehouse(mine.tenant)
    vehicle = await CASES["get_vehicle"].make(mine)
    category = await CASES["get_category"].make(mine)
    customer = await mine.tenant.get(f"/api/v1/customers/{things['customer_id']}")
    return {
        **things,
        "entity_id": things["lot_id"],
        "assignee_id": things["actor"],
        "take_id": await CASES["sweep_stock_take"].make(mine),
        "reservation_id": (await mine.tenant.get("/api/v1/warehouse/stock/reservations", limit=1))[0]["id"],
        **dict.fromkeys(("to_location_id", "from_location_id", "goods_location_id"), mine.store.room_id),
        "role_id": await make_role(mine.tenant, f"foreign_{mine.number()}", "products:read"),
        "user_id": things["actor"],
        "driver_id": things["actor"],
        "warehouse_id": place,
        "warehouse_ids": place,
        "home_warehouse_id": place,
        "vehicle_id": vehicle,
        "vehicle_ids": vehicle,
        "with_vehicle_id": vehicle,
        "job_id": await CASES["get_planning_job"].make(mine),
        **dict.fromkeys(("order_ids", "before", "after"), things["order_id"]),
        "route_ids": await CASES["get_route"].make(mine),
        "route_id": await CASES["get_route"].make(mine),
        **dict.fromkeys(("delivery_ids", "also"), await CASES["get_delivery"].make(mine)),
        "tag_ids": things["tag_id"],
        "component_id": things["product_id"],
        "variant_id": (await CASES["delete_variant"].make(mine)).split()[1],
        # of rows in bulk
        "id": things["product_id"],
        "parent_id": mine.store.room_id,
        "gateway_id": mine.store.gateway_id,
        "address_id": customer["addresses"][0]["id"],
        "unload_location_id": mine.store.room_id,
        "category": category,
        "manager_id": things["actor"],
        "location_ids": mine.store.room_id,
        "product_ids": things["product_id"],
        **dict.fromkeys(("goods_id", "goods_ids"), await goods_of(mine, await CASES["inspect_return"].make(mine))),
        "key_id": await CASES["revoke_phone_key"].make(mine),
        "weight_id": await CASES["apply_weight"].make(mine),
        "order_line_id": (await mine.tenant.get(f"/api/v1/orders/{things['order_id']}"))["lines"][0]["id"],
        "line_id": (await what_arrived_of(mine))["lines"][0]["line_id"],
        "class_id": await CASES["get_retention_class"].make(mine),
        "list_id": await CASES["get_on_call_list"].make(mine),
        "escalation_policy_id": await CASES["get_escalation_policy"].make(mine),
        "user_ids": things["actor"],
        "stock_level_id": (await mine.tenant.get("/api/v1/warehouse/stock/levels", limit=1))[0]["id"],
        "stock_level_ids": (await mine.tenant.get("/api/v1/warehouse/stock/levels", limit=1))[0]["id"],
    }


async def goods_of(world: World, return_id: str) -> str:
    """Something that came back."""
    return str((await world.tenant.get(f"/api/v1/returns/{return_id}"))["goods"][0]["id"])


@MOSTLY_POSTGRES
async def test_nothing_of_others_can_be_named_in_any_body(platform: Platform) -> None:
    mine, theirs = await worlds(platform)
    foreign = await foreign_ids(mine)
    taken = []
    async with platform.client() as client:
        calls: dict[str, Call] = {}
        for operation, where in named_in_bodies():
            if operation.name not in calls:  # one is enough for all that is named in it: each is to be refused
                calls[operation.name] = await good_call(theirs, operation, by_operator=False)
            call = calls[operation.name]
            name = where.removesuffix(".0").rpartition(".")[2]
            is_category = name == "parent_id" and "category" in operation.name
            body = put(call.body, where, foreign["category" if is_category else name])
            answer = await client.request(
                operation.method, call.path(operation), headers=call.headers, json=body, params=call.query
            )
            if answer.status_code not in {403, 404, 409, 422} and (operation.name, where) not in UNUSED:
                taken.append(f"{operation.name} {where}: {answer.status_code} {answer.text:.200}")
    assert not taken, "\n".join(taken)


async def test_a_cursor_of_somebody_elses_list_shows_ones_own_rows_only(platform: Platform) -> None:
    mine, theirs = await worlds(platform)
    for world in (mine, theirs):
        for _ in range(3):
            await make_warehouse(world.tenant)
    page = (await mine.tenant.client.get("/api/v1/warehouse/warehouses", params={"limit": 1})).json()
    cursor = page["meta"]["next_cursor"]
    shown = await theirs.tenant.get("/api/v1/warehouse/warehouses", cursor=cursor, limit=200)
    own = {row["id"] for row in await theirs.tenant.get("/api/v1/warehouse/warehouses", limit=200)}
    assert {row["id"] for row in shown} <= own


async def test_an_idempotency_key_is_ones_own(platform: Platform) -> None:
    key = {"Idempotency-Key": "the-same-for-all"}
    colleague = await join(platform, roles=["org_admin"])
    names = []
    for number, who in enumerate([*platform.tenants[:2], colleague]):
        body = {"code": f"IDEM-{number}", "name": "Store"}
        answer = await who.client.post("/api/v1/warehouse/warehouses", json=body, headers=key)
        assert answer.status_code == 201, answer.text
        assert "Idempotency-Replayed" not in answer.headers
        names.append(answer.json()["data"]["code"])
    assert names == ["IDEM-0", "IDEM-1", "IDEM-2"]


async def test_exports_hold_nothing_of_others(platform: Platform) -> None:
    mine, theirs = await worlds(platform)
    for answer_format in ("csv", "json"):
        path = f"/api/v1/admin/security/audit-logs?format={answer_format}"
        exported = (await theirs.tenant.client.get(path)).text
        assert theirs.store.room_id in exported
        assert mine.store.room_id not in exported
        assert mine.tenant.username not in exported


async def test_nobody_visits_another_organisation_but_the_platforms_own_people(platform: Platform) -> None:
    mine, theirs = platform.tenants[:2]
    headers = {"X-Organization": mine.slug}
    answer = await theirs.client.get("/api/v1/warehouse/warehouses", headers=headers)
    assert answer.status_code in {403, 404}, answer.text


async def test_a_route_of_others_is_not_followed_live(platform: Platform) -> None:
    mine, theirs = await worlds(platform)
    route_id = await a_route(mine)
    token = theirs.tenant.client.headers["Authorization"].removeprefix("Bearer ")
    assert (await refused(platform.app, f"/ws/tracking/{route_id}", token=token))[0] == 4404
