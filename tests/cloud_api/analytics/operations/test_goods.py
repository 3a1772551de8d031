"""What lies in the stores, what left them and what was lost, counted by hand; and who sees none of it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from cloud_api.kernel import clock
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import Depot, day_in, deliver_without_a_route, order_from, receive_lot
from tests.factories.scopes import heard_by, make_keeper
from tests.factories.stores import make_product, make_room, make_warehouse
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

OPERATIONS = "/api/v1/warehouse/operations"
ANALYTICS = "/api/v1/warehouse/analytics"
MOVEMENTS = "/api/v1/warehouse/stock/movements"
#: every operation of the room
FIGURES = (
    *(f"{OPERATIONS}/{name}" for name in ("overview", "metrics")),
    *(
        f"{ANALYTICS}/{name}"
        for name in (
            "inventory",
            "valuation",
            "turnover",
            "waste",
            "efficiency",
            "logistics",
            "performance",
            "trends",
            "compliance",
            "costs",
        )
    ),
)


async def a_depot(tenant: Tenant, *, cost: str = "15.0000", **product: Any) -> tuple[Depot, str]:
    """A store with 100 kg of a lot that cost so much a kilogram, and the lot."""
    warehouse_id = await make_warehouse(tenant, latitude=12.93, longitude=77.61, capacity_limit_kg=400.0)
    room_id = await make_room(tenant, warehouse_id, capacity_kg=200.0)
    product_id = await make_product(tenant, **product)
    movement = await receive_lot(
        tenant, product_id=product_id, location_id=room_id, unit_cost=cost, expires_on=day_in(4)
    )
    return Depot(tenant, warehouse_id, room_id, product_id), str(movement["lot_id"])


async def waste(depot: Depot, lot_id: str, quantity: str, reference: str = "") -> Any:
    body = {"movement_type": "waste", "lot_id": lot_id, "location_id": depot.room_id, "quantity": quantity}
    return await depot.tenant.post(MOVEMENTS, {**body, "reference": reference})


async def test_stock_is_in_one_state_each_and_the_value_is_the_valuation_reports(farm: Platform) -> None:
    depot, lot_id = await a_depot(farm.tenant, reorder_point="120.000", max_stock_level="200.000")
    await farm.tenant.post(f"/api/v1/orders/{(await order_from(depot))['id']}/confirm")
    said = await farm.tenant.get(f"{ANALYTICS}/inventory")
    assert said["total"] == {"quantity": "100.000", "cost": "1500.00"}
    by_status = {one["status"]: (one["quantity"], one["cost"]) for one in said["by_status"]}
    assert by_status == {
        "available": ("96.000", "1440.00"),
        "reserved": ("4.000", "60.00"),
        "on_hold": ("0.000", "0.00"),
        "expired": ("0.000", "0.00"),
    }
    [low] = said["low"]
    assert (said["low_stock"], low["available"], low["suggested_quantity"]) == (1, "96.000", "104.000")
    [soon] = said["expiring"]["first"]
    assert (soon["lot_id"], soon["quantity"], said["expiring"]["lots"]) == (lot_id, "100.000", 1)
    none = await farm.tenant.get(f"{ANALYTICS}/inventory", days=2)
    assert (none["expiring"]["lots"], none["expiring"]["first"]) == (0, [])
    report = await farm.tenant.get("/api/v1/warehouse/stock/valuation")
    overview = await farm.tenant.get(f"{OPERATIONS}/overview")
    figures = await farm.tenant.get(f"{ANALYTICS}/valuation")
    assert overview["inventory"] == {"quantity": "100.000", "value": report["value"]} == figures["total"]
    assert Decimal(report["value"]) == 1500
    assert (overview["low_stock"], overview["expiring_lots"]) == (1, 1)


async def test_what_was_held_is_on_hold_and_what_has_expired_is_told_apart(farm: Platform) -> None:
    depot, lot_id = await a_depot(farm.tenant)
    await receive_lot(
        farm.tenant,
        product_id=depot.product_id,
        location_id=depot.room_id,
        lot_number="OLD",
        unit_cost="2.0000",
        quantity="5.000",
        expires_on=day_in(-2),
    )
    await farm.tenant.post(f"/api/v1/warehouse/batches/{lot_id}/hold", {"reason": "Smells"})
    said = await farm.tenant.get(f"{ANALYTICS}/inventory")
    by_status = {one["status"]: one["quantity"] for one in said["by_status"]}
    assert by_status == {"available": "0.000", "reserved": "0.000", "on_hold": "100.000", "expired": "5.000"}
    lost = (await farm.tenant.get(f"{ANALYTICS}/waste"))["expired_on_hand"]
    assert [(one["lot_number"], one["quantity"], one["cost"]) for one in lost["first"]] == [("OLD", "5.000", "10.00")]


async def test_turnover_waste_and_trends_follow_what_left(farm: Platform) -> None:
    depot, lot_id = await a_depot(farm.tenant)
    order = await order_from(depot)
    await deliver_without_a_route(farm, farm.tenant, order["id"])
    await waste(depot, lot_id, "6.000", "spilt")
    undone = await waste(depot, lot_id, "10.000", "by mistake")
    await farm.tenant.post(f"{MOVEMENTS}/{undone['id']}/reverse", {"reason": "was another lot"})
    said = await farm.tenant.get(f"{ANALYTICS}/waste")
    assert said["total"] == {"quantity": "6.000", "cost": "90.00"}
    assert said["by_reason"] == [{"quantity": "6.000", "cost": "90.00", "reason": "written_off"}]
    assert said["share"] == 0.6, "90 wasted, 60 sold"
    today = await farm.tenant.get(f"{ANALYTICS}/trends")
    *before, last = today["days"]
    assert len(before) == 29
    assert {one["stock"]["cost"] for one in before} == {"0.00"}
    assert (last["stock"]["cost"], last["received"]["cost"]) == ("1350.00", "1500.00")
    assert (last["sold"]["cost"], last["wasted"]["cost"]) == ("60.00", "90.00")
    a_day = {"from": last["day"], "to": last["day"]}
    turned = await farm.tenant.get(f"{ANALYTICS}/turnover", **a_day)
    assert (turned["sold_cost"], turned["mean_stock_cost"]) == ("60.00", "1350.00")
    assert (turned["turnover"], turned["days_of_stock"]) == (0.0444, 22.5)
    month = await farm.tenant.get(f"{ANALYTICS}/turnover")
    assert month["mean_stock_cost"] == "45.00", "1350 on one day of thirty"
    assert (await farm.tenant.get(f"{OPERATIONS}/overview"))["waste_share"] == 0.6
    assert (await farm.tenant.get(f"{ANALYTICS}/costs"))["waste"] == "90.00"


async def test_space_in_use_is_told_by_storage_type(farm: Platform) -> None:
    await a_depot(farm.tenant, unit_weight_g=1000)
    said = await farm.tenant.get(f"{ANALYTICS}/efficiency")
    assert (said["used_kg"], said["capacity_kg"], said["utilisation_pct"]) == (100.0, 400.0, 25.0)
    [cold] = [one for one in said["by_storage_type"] if one["used_kg"]]
    assert (cold["storage_type"], cold["capacity_kg"], cold["utilisation_pct"]) == ("cold_storage", 200.0, 50.0)


async def test_orders_are_counted_on_the_day_they_are_packed(farm: Platform) -> None:
    depot, _ = await a_depot(farm.tenant)
    order = await order_from(depot)
    await deliver_without_a_route(farm, farm.tenant, order["id"])
    await order_from(depot)
    overview = await farm.tenant.get(f"{OPERATIONS}/overview")
    assert overview["orders"] == {"packed": 1, "delivered": 1}
    yesterday = (clock.now() - timedelta(days=2)).date().isoformat()
    assert (await farm.tenant.get(f"{OPERATIONS}/overview", to=yesterday))["orders"] == {"packed": 0, "delivered": 0}
    metrics = await farm.tenant.get(f"{OPERATIONS}/metrics")
    assert metrics["open_orders"] == {"pending": 1, "confirmed": 0, "packed": 0, "out_for_delivery": 0}
    assert (metrics["fleet"]["active"], metrics["fleet"]["total"]) == (1, 1)


async def test_each_warehouse_has_its_own_figures_and_shows_them_to_nobody_else(farm: Platform) -> None:
    here, lot_id = await a_depot(farm.tenant)
    there, _ = await a_depot(farm.tenant, cost="1.0000")
    await waste(here, lot_id, "6.000")
    keeper = await make_keeper(farm, there.warehouse_id)
    other = await make_farm(farm)
    for path in FIGURES:
        assert (await heard_by(farm.tenant, "GET", path, warehouse_id=here.warehouse_id))[0] == 200, path
        assert await heard_by(keeper, "GET", path, warehouse_id=here.warehouse_id) == (404, "NOT_FOUND"), path
        assert await heard_by(other, "GET", path, warehouse_id=here.warehouse_id) == (404, "NOT_FOUND"), path
    expected = ((keeper, "100.00", "0.00"), (other, "0.00", "0.00"), (farm.tenant, "1510.00", "90.00"))
    for person, everywhere, wasted in expected:
        said = await person.get(f"{ANALYTICS}/inventory")
        value = await person.get(f"{ANALYTICS}/valuation")
        assert said["total"]["cost"] == everywhere
        assert Decimal(value["total"]["value"]) == Decimal(everywhere)
        assert (await person.get(f"{ANALYTICS}/waste"))["total"]["cost"] == wasted
    one = await farm.tenant.get(f"{ANALYTICS}/inventory", warehouse_id=there.warehouse_id)
    assert one["total"]["cost"] == "100.00"


async def test_figures_are_for_those_who_may_see_them(farm: Platform) -> None:
    staff, driver = [await make_person(farm, farm.tenant, role) for role in ("inventory_staff", "delivery_personnel")]
    dispatcher = await make_person(farm, farm.tenant, "logistics_manager")
    heard = {path: [(await heard_by(one, "GET", path))[0] for one in (staff, dispatcher, driver)] for path in FIGURES}
    assert {path for path, (by_staff, _, _) in heard.items() if by_staff == 200} == set(FIGURES[:2])
    road = {f"{ANALYTICS}/logistics", f"{ANALYTICS}/performance"}
    assert {path for path, (_, by_dispatcher, _) in heard.items() if by_dispatcher == 200} == {*FIGURES[:2], *road}
    assert {by_driver for _, _, by_driver in heard.values()} == {403}


async def test_days_that_are_none_are_refused_by_name(farm: Platform) -> None:
    for query, field in (
        ({"from": "2026-02-02", "to": "2026-02-01"}, "from"),
        ({"from": "2020-01-01", "to": "2026-02-01"}, "from"),
        ({"to": "0001-01-01"}, "to"),
    ):
        answer = await farm.tenant.client.get(f"{ANALYTICS}/trends", params=query)
        error = answer.json()["error"]
        assert (answer.status_code, [one["field"] for one in error["details"]]) == (422, [field]), error
