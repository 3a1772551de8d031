"""One line for each operation without an id in its path that needs more than an empty call to succeed."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.architecture.alert_things import STEPS
from tests.architecture.delivery_things import DELIVERY_GOOD
from tests.architecture.dispatch_things import DISPATCH_GOOD, a_board
from tests.architecture.edge_things import READER, SCALE
from tests.architecture.exchange_things import CSV, SEARCH_GOOD, a_file, a_zip
from tests.architecture.fleet_things import FLEET_GOOD
from tests.architecture.ledger_things import STOCK_GOOD
from tests.architecture.media_things import MEDIA_GOOD, PNG
from tests.architecture.operations import IDENTITY_PROVIDER, a_depot, a_vehicle, an_order
from tests.architecture.order_things import ORDER_GOOD, whose_shop
from tests.architecture.payment_things import PAYMENT_GOOD, a_webhook
from tests.architecture.phone_log_things import PHONE_LOG_GOOD, a_picture
from tests.architecture.picking_things import PICKING_GOOD
from tests.architecture.place_things import PLACE_GOOD
from tests.architecture.retention_things import a_hold_of
from tests.architecture.sighting_things import a_binding, a_new_item, a_new_portal_rule, some_bindings
from tests.architecture.stock_things import a_reorder_point, a_wish
from tests.architecture.tracking_things import TRACKING_GOOD
from tests.architecture.worlds import World
from tests.cloud_api.media.samples import picture
from tests.factories.orders import day_in, make_customer, pack
from tests.factories.scopes import id_of
from tests.platform_under_test import PASSWORD

Made = Mapping[str, Any]


@dataclass(frozen=True)
class Good:
    """A call that succeeds."""

    body: object = None
    query: Made | None = None
    #: of a body that is bytes
    headers: Made | None = None


async def _receipt(world: World) -> Good:
    goods = {"product_id": world.store.product_id, "location_id": world.store.room_id, "expires_on": day_in(30)}
    return Good({**goods, "lot_number": f"LOT-R{world.number()}", "quantity": "1.000"})


async def _adjustment(world: World) -> Good:
    received = (await _receipt(world)).body
    movement = await world.tenant.post("/api/v1/warehouse/stock/receiving", received)
    place = {"lot_id": movement["lot_id"], "location_id": world.store.room_id}
    return Good({**place, "delta": "-0.500", "reason": "spilt"})


async def _order(world: World) -> Good:
    depot = await a_depot(world)
    line = {"product_id": depot.product_id, "quantity": "1.000", "unit_price": "42.5000"}
    customer_id = await make_customer(world.tenant)
    whose = {"customer_id": customer_id, "warehouse_id": depot.warehouse_id}
    return Good({**whose, "delivery_date": day_in(1), "lines": [line]})


async def _plan(world: World) -> Good:
    depot = await a_depot(world)
    await a_vehicle(world)
    await pack(world.tenant, await an_order(world))
    return Good({"warehouse_id": depot.warehouse_id, "delivery_date": day_in(1), "time_limit_s": 1})


async def _board(world: World) -> Good:
    return Good(query=await a_board(world))


async def _readings(world: World) -> Good:
    period = {"since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"}
    return Good(query={"sensor_id": world.store.sensor_id, **period})


async def _comparison(world: World) -> Good:
    period = {"since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"}
    return Good(query={"location_id": world.store.room_id, **period})


async def _log(world: World) -> Good:
    period = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-31T00:00:00Z"}
    return Good(query={"location_id": world.store.room_id, **period})


async def _manual_reading(world: World) -> Good:
    return Good({"location_id": world.store.room_id, "value": 4.1})


async def _team(world: World) -> Good:
    return Good({"name": f"Team {world.number()}"})


def _named(make: Callable[[str], object]) -> Callable[[World], Awaitable[Good]]:
    """A body with a name that nobody has yet."""

    async def good(world: World) -> Good:
        return Good(make(f"{world.tenant.slug}-{world.number()}"))

    return good


def _as_is(body: object) -> Callable[[World], Awaitable[Good]]:
    async def good(_world: World) -> Good:
        return Good(body)

    return good


def _person(name: str) -> dict[str, object]:
    who = {"username": f"p-{name}", "email": f"p-{name}@farm.example", "full_name": "Asha Patil"}
    return {**who, "password": PASSWORD, "roles": ["viewer"]}


def _organization(name: str) -> dict[str, object]:
    admin = {"email": f"a-{name}@farm.example", "username": f"a-{name}", "full_name": "Asha", "password": PASSWORD}
    return {"name": name, "slug": f"new-{name}", "admin": admin}


async def _rule(world: World) -> Good:
    limit = {"name": f"Heat {world.number()}", "quantity": "temperature", "kind": "high", "set_at": 8, "clear_at": 7}
    return Good({**limit, "location_id": world.store.room_id})


async def _sensor(world: World) -> Good:
    sensor = {"code": f"z2m:s-{world.number()}", "quantity": "temperature", "unit": "Cel"}
    return Good({**sensor, "gateway_id": world.store.gateway_id})


async def _scale(world: World) -> Good:
    return Good({**SCALE, "gateway_id": world.store.gateway_id, "code": f"scale:{world.tenant.slug}-{world.number()}"})


async def _reader(world: World) -> Good:
    return Good({**READER, "gateway_id": world.store.gateway_id, "code": f"zebra:{world.tenant.slug}-{world.number()}"})


async def _location(world: World) -> Good:
    place = {"code": f"R-{world.number()}", "name": "Room", "location_type": "room", "storage_type": "freezer"}
    return Good({**place, "warehouse_id": world.store.warehouse_id})


async def _on_call_list(world: World) -> Good:
    return Good({"name": f"Nights {world.number()}", "members": [{"user_id": await id_of(world.tenant)}]})


def _customer(name: str) -> dict[str, object]:
    return {"name": name, "addresses": [{"address": "4 Mill Road", "latitude": 12.93, "longitude": 77.61}]}


def _provider(name: str) -> dict[str, object]:
    return {**IDENTITY_PROVIDER, "name": name}


async def _shop(world: World) -> Good:
    return Good(query=await whose_shop(world))


async def _legal_hold(world: World) -> Good:
    return Good(a_hold_of(world))


def _made(make: Callable[[World], Awaitable[object]]) -> Callable[[World], Awaitable[Good]]:
    """A body that names what there is."""

    async def good(world: World) -> Good:
        return Good(await make(world))

    return good


async def _reservation(world: World) -> Good:
    return Good(await a_wish(world))


async def _reorder_rule(world: World) -> Good:
    return Good(await a_reorder_point(world))


async def _fulfillment(world: World) -> Good:
    wish = await a_wish(world)
    return Good({"lines": [{"product_id": wish["product_id"], "quantity": wish["quantity"]}]})


def _rows(**query: str) -> Callable[[World], Awaitable[Good]]:
    """A file with a row in it."""

    async def good(world: World) -> Good:
        return Good(a_file(world), query, CSV)

    return good


async def _zip(_world: World) -> Good:
    return Good(a_zip(), headers={"Content-Type": "application/zip"})


def _asked(query: Made) -> Callable[[World], Awaitable[Good]]:
    async def good(_world: World) -> Good:
        return Good(query=query)

    return good


async def _file(world: World) -> Good:
    return Good(picture(20 + 2 * world.number()), {"name": "crate.png"}, PNG)


async def _command_photo(world: World) -> Good:
    content, headers = await a_picture(world)
    return Good(content, headers=headers)


async def _razorpay_webhook(world: World) -> Good:
    webhook = a_webhook(world)
    return Good(webhook.body, headers=webhook.headers)


GOOD: dict[str, Callable[[World], Awaitable[Good]]] = {
    "take_razorpay_webhook": _razorpay_webhook,
    "create_item": _made(a_new_item),
    "bind_rfid_tag": _made(a_binding),
    "bind_rfid_tags": _made(some_bindings),
    "create_portal_rule": _made(a_new_portal_rule),
    "create_feature_flag": _named(lambda name: {"key": f"new-{name}"}),
    "connect_identity_provider": _named(_provider),
    "switch_maintenance": _as_is({"enabled": False}),
    "register_oauth_client": _named(lambda name: {"name": name, "scopes": ["products:read"]}),
    "create_role": _named(lambda name: {"name": f"role_{name}".replace("-", "_"), "permissions": ["products:read"]}),
    "save_view": _as_is({"page": "/console/stock", "name": "Milk", "query": "search=milk"}),
    "create_audit_log": _as_is({"action": "checked", "entity": "cold_room", "entity_id": "1", "note": "by hand"}),
    "add_allowed_range": _named(lambda name: {"cidr": f"10.{sum(name.encode()) % 200}.{len(name)}.0/24"}),
    "change_settings": _as_is({"values": {"locale": "hi-IN"}}),
    "create_user": _named(_person),
    "create_rule": _rule,
    "create_escalation_policy": _named(lambda name: {"name": name, "steps": STEPS}),
    "create_on_call_list": _on_call_list,
    "send_notification": _as_is({"roles": ["org_admin"], "title": "Stock-take", "message": "On Monday"}),
    "create_api_key": _named(lambda name: {"name": name, "scopes": ["products:read"]}),
    "create_customer": _named(_customer),
    "register_gateway": _named(lambda name: {"name": name}),
    "register_reader": _reader,
    "register_scale": _scale,
    "register_sensor": _sensor,
    "create_invitation": _named(lambda name: {"email": f"i-{name}@farm.example", "roles": ["viewer"]}),
    "create_order": _order,
    "create_organization": _named(_organization),
    "create_team": _team,
    "create_retention_class": _named(lambda name: {"name": name, "raw_days": 400}),
    "create_legal_hold": _legal_hold,
    "list_readings": _readings,
    "aggregate_readings": _readings,
    "export_readings": _readings,
    "compare_places": _comparison,
    "excursion_minutes": _log,
    "temperature_log": _log,
    "record_manual_reading": _manual_reading,
    "create_vehicle": _named(lambda name: {"number": f"VAN-{name}", "capacity_g": 500_000}),
    "create_product": _named(lambda name: {"sku": name, "name": "Chard", "unit": "kg"}),
    "create_tag": _named(lambda name: {"name": name}),
    "change_products": _named(
        lambda name: {"rows": [{"action": "create", "product": {"sku": name, "name": "Chard", "unit": "kg"}}]}
    ),
    "change_categories": _named(
        lambda name: {"changes": [{"action": "create", "category": {"name": name, "slug": f"leafy-{name}"}}]}
    ),
    "create_category": _named(lambda name: {"name": name, "slug": f"leafy-{name}"}),
    "optimize_routes": _plan,
    "reserve_stock": _reservation,
    "create_reorder_rule": _reorder_rule,
    "optimize_fulfillment": _fulfillment,
    "adjust_stock": _adjustment,
    **{name: _made(make) for name, make in STOCK_GOOD.items()},
    **{name: _made(make) for name, make in PICKING_GOOD.items()},
    **{name: _made(make) for name, make in ORDER_GOOD.items()},
    "browse_catalogue": _shop,
    **{name: _made(make) for name, make in FLEET_GOOD.items()},
    **{name: _made(make) for name, make in DISPATCH_GOOD.items()},
    "get_dispatch_board": _board,
    "get_dispatch_schedule": _board,
    **{name: _made(make) for name, make in DELIVERY_GOOD.items()},
    **{name: _made(make) for name, make in PLACE_GOOD.items()},
    **{name: _made(make) for name, make in PAYMENT_GOOD.items()},
    **{name: _made(make) for name, make in MEDIA_GOOD.items()},
    **{name: _made(make) for name, make in PHONE_LOG_GOOD.items()},
    "upload_command_photo": _command_photo,
    **{name: _made(make) for name, make in TRACKING_GOOD.items()},
    "upload_media": _file,
    "start_import": _rows(entity="products"),
    "validate_import": _rows(entity="products"),
    "import_products": _rows(),
    "import_images": _zip,
    "start_export": _as_is({"entity": "products"}),
    "reindex": _as_is(None),
    **{name: _asked(query) for name, query in SEARCH_GOOD.items()},
    "receive_goods": _receipt,
    "create_location": _location,
    "create_warehouse": _named(lambda name: {"code": name, "name": "Store"}),
}
