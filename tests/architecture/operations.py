"""One line for each operation with an id in its path: how to come by that id, and what to send to it.

The ids are made over the API by their owner. A new operation of this kind needs its line here.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from cloud_api.audit.service import raise_security_event
from cloud_api.identity.people.models import User
from cloud_api.identity.sessions.service import Device, begin_session
from cloud_api.kernel.tenancy import SystemScope
from tests.architecture.alert_things import ALERTS
from tests.architecture.catalogue_things import CATALOGUE
from tests.architecture.cold_chain_things import (
    a_hold,
    a_latched_excursion,
    an_acknowledged_excursion,
    an_excursion,
)
from tests.architecture.delivery_things import DELIVERY_CASES, a_round, a_stop, free_the_driver
from tests.architecture.dispatch_things import DISPATCH_CASES
from tests.architecture.edge_things import (
    CONFIG_ACK,
    HEARTBEAT,
    READER,
    SCALE,
    a_command,
    a_gateway,
    a_gateway_of_its_own,
    a_new_name,
    a_reader,
    a_scale,
    a_sensor,
    another_sensor,
    the_gateway,
)
from tests.architecture.exchange_things import EXCHANGE_CASES
from tests.architecture.fleet_things import FLEET_CASES
from tests.architecture.ledger_things import STOCK_CASES
from tests.architecture.media_things import MEDIA_CASES
from tests.architecture.message_things import MESSAGE_CASES
from tests.architecture.order_things import ORDER_CASES
from tests.architecture.outbox_things import a_parked_event
from tests.architecture.payment_things import PAYMENT_CASES
from tests.architecture.phone_log_things import PHONE_LOG_CASES
from tests.architecture.picking_things import PICKING_CASES
from tests.architecture.place_things import PLACE_CASES
from tests.architecture.retention_things import RETENTION_CASES
from tests.architecture.sighting_things import SIGHTINGS
from tests.architecture.stock_things import a_reorder_rule, a_reservation
from tests.architecture.tracking_things import TRACKING_CASES, a_position
from tests.architecture.worlds import World
from tests.factories.farms import make_person
from tests.factories.orders import (
    PHOTO,
    PHOTO_SHA256,
    Depot,
    Drive,
    make_customer,
    make_depot,
    make_drive,
    make_van,
    order_from,
    pack,
    request_plan,
)
from tests.factories.scopes import id_of
from tests.factories.stores import make_rule, make_warehouse, receive
from tests.platform_under_test import Tenant

OWN_ADDRESSES = "/api/v1/auth/me/addresses"
CATEGORIES = "/api/v1/warehouse/products/categories"
#: for ids that nobody has
NOBODYS_ID = "00000000-0000-7000-8000-000000000000"


async def a_warehouse(world: World) -> str:
    return await make_warehouse(world.tenant)


async def a_room(world: World) -> str:
    return world.store.room_id


async def a_product(world: World) -> str:
    return world.store.product_id


async def a_category(world: World) -> str:
    number = world.number()
    made = await world.tenant.post(CATEGORIES, {"name": f"Leafy {number}", "slug": f"leafy-{number}"})
    return str(made["id"])


async def a_movement(world: World) -> str:
    return str((await receive(world.store, lot=f"LOT-{world.number()}"))["id"])


async def a_lot(world: World) -> str:
    return str((await receive(world.store, lot=f"LOT-{world.number()}"))["lot_id"])


async def a_rule(world: World) -> str:
    return str((await make_rule(world.store, quantity="humidity"))["id"])


async def a_customer(world: World) -> str:
    return await make_customer(world.tenant)


async def a_person(world: World) -> str:
    return await id_of(await make_person(world.platform, world.tenant, "viewer"))


async def a_sign_in(world: World) -> str:
    """Another of the administrator's own."""
    me = uuid.UUID(await id_of(world.tenant))
    async with world.platform.database.unit_of_work(SystemScope("test")) as db:
        signed_in = await begin_session(db, await db.get_one(User, me), Device())
    return str(signed_in.claims.session_id)


async def a_pictured_person(world: World) -> str:
    person_id = await a_person(world)
    path, kind = f"/api/v1/admin/users/{person_id}/avatar", {"Content-Type": "image/png"}
    answer = await world.tenant.client.post(path, content=PHOTO, headers=kind)
    assert answer.status_code == 201, answer.text
    return person_id


async def an_organization_with_a_logo(world: World) -> str:
    organization_id = await the_organization(world)
    path, kind = f"/api/v1/organizations/{organization_id}/logo", {"Content-Type": "image/png"}
    answer = await world.tenant.client.put(path, content=PHOTO, headers=kind)
    assert answer.status_code == 200, answer.text
    return organization_id


async def a_saved_view(world: World) -> str:
    view = {"page": "/console/stock", "name": f"View {world.number()}", "query": "search=milk"}
    return str((await world.tenant.put("/api/v1/auth/me/saved-views", view))["id"])


async def a_new_buyer(world: World) -> object:
    return {"user_id": await id_of(await make_person(world.platform, world.tenant, "customer"))}


async def an_own_address(world: World) -> str:
    """Of the customer that the administrator signs in as."""
    if not (await world.tenant.client.get(OWN_ADDRESSES)).is_success:
        tie = {"user_id": await id_of(world.tenant)}
        await world.tenant.put(f"/api/v1/customers/{await make_customer(world.tenant)}/account", tie)
    door = {"address": "4 Mill Road", "latitude": 12.93, "longitude": 77.61}
    return str((await world.tenant.post(OWN_ADDRESSES, door))["id"])


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


#: by an address, so that no name has to be found
IDENTITY_PROVIDER: dict[str, object] = {
    "kind": "oidc",
    "display_name": "Works account",
    "issuer": "https://93.184.216.34",
    "client_id": "coldfleet",
}


async def a_renamed_provider(world: World) -> dict[str, object]:
    return {**IDENTITY_PROVIDER, "name": f"works-{world.number()}"}


async def an_identity_provider(world: World) -> str:
    body = await a_renamed_provider(world)
    return str((await world.tenant.post("/api/v1/admin/identity-providers", body))["id"])


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
    await free_the_driver(world)
    return await make_drive(world.platform, doors=1, tenant=world.tenant, driver=driver)


async def a_route(world: World) -> str:
    drive = await a_drive(world)
    return str((await world.tenant.get("/api/v1/warehouse/routes", planning_job_id=drive.job["id"]))[0]["id"])


async def the_operator(world: World) -> Tenant:
    """Somebody of the platform."""
    if world.operator is None:
        world.operator = await make_person(world.platform, world.tenant, "super_admin")
    return world.operator


async def a_flag(world: World) -> str:
    operator = await the_operator(world)
    made = await operator.post("/api/v1/admin/feature-flags", {"key": f"flag-{world.tenant.slug}-{world.number()}"})
    return str(made["key"])


async def a_setting(_world: World) -> str:
    return "locale"


async def a_security_event(world: World) -> str:
    async with world.platform.database.unit_of_work(world.tenant.organization) as db:
        return str(raise_security_event(db, type="failed_sign_in", severity="low").id)


async def an_api_key(world: World) -> str:
    return str((await world.tenant.post("/api/v1/api-keys", {"name": "ERP", "scopes": ["products:read"]}))["id"])


async def an_oauth_client(world: World) -> str:
    body = {"name": "Shop", "scopes": ["products:read"]}
    return str((await world.tenant.post("/api/v1/admin/oauth-clients", body))["id"])


async def an_allowed_range(world: World) -> str:
    body = {"cidr": f"10.0.0.{world.number()}"}
    return str((await world.tenant.post("/api/v1/admin/security/ip-allowlist", body))["id"])


async def a_role(world: World) -> str:
    made = await world.tenant.post("/api/v1/admin/roles", {"name": f"role_{world.number()}", "permissions": []})
    return str(made["id"])


async def a_role_to_give(world: World) -> dict[str, object]:
    return {"role_id": await a_role(world)}


async def a_held_role(world: World) -> str:
    """Two ids: whose, and which."""
    person_id, role_id = await a_person(world), await a_role(world)
    await world.tenant.post(f"/api/v1/admin/users/{person_id}/roles", {"role_id": role_id})
    return f"{person_id} {role_id}"


async def a_team(world: World) -> str:
    return str((await world.tenant.post("/api/v1/teams", {"name": f"Team {world.number()}"}))["id"])


async def an_invitation(world: World) -> str:
    body = {"email": f"guest-{world.number()}@{world.tenant.slug}.example", "roles": ["viewer"]}
    return str((await world.tenant.post("/api/v1/invites", body))["id"])


async def the_organization(world: World) -> str:
    return str(world.tenant.organization.organization_id)


async def a_new_organization(world: World) -> str:
    """Not the world's own, which is still needed."""
    operator, slug = await the_operator(world), f"{world.tenant.slug}-{world.number()}"
    body = {"name": "Hill farms", "slug": slug, "admin": {"email": f"first@{slug}.example"}}
    return str((await operator.post("/api/v1/organizations", body))["id"])


async def a_copy_of_personal_data(world: World) -> str:
    made = await world.tenant.post("/api/v1/privacy/exports", {"user_id": await a_person(world)})
    await world.platform.deliver()
    return str(made["id"])


async def an_erasure_request(world: World) -> str:
    body = {"user_id": await a_person(world)}
    return str((await world.tenant.post("/api/v1/privacy/erasure-requests", body))["id"])


@dataclass(frozen=True)
class Case:
    """How one operation is called."""

    #: makes what the path's `{id}` names; by blanks where it names several
    make: Callable[[World], Awaitable[str]]
    #: or what makes it of the owner's things
    body: object | Callable[[World], Awaitable[object]] = None
    #: called with the gateway's credential instead of the administrator's
    by_gateway: bool = False
    #: called by somebody of the platform: it is nobody else's
    by_operator: bool = False
    #: of a body that is bytes
    headers: Mapping[str, str] | None = None
    #: what another organisation hears
    foreign: int = 404


async def id_for(case: Case, world: World, method: str) -> str:
    """What to call the operation with: a thing of its own, or what serves all operations that only read it."""
    if method != "GET":
        return await case.make(world)
    if case.make not in world.to_read:
        world.to_read[case.make] = await case.make(world)
    return world.to_read[case.make]


async def body_of(case: Case, world: World) -> object:
    """What the operation is sent."""
    return await case.body(world) if callable(case.body) else case.body


CASES: dict[str, Case] = {
    "get_user": Case(a_person),
    "update_user": Case(a_person, {"full_name": "Asha Rao"}),
    "patch_user": Case(a_person, {"full_name": "Asha Rao"}),
    "remove_user": Case(a_person),
    "set_user_status": Case(a_person, {"status": "suspended"}),
    "set_user_password": Case(a_person, {"password": "Loading-dock-7"}),
    "unlock_user": Case(a_person),
    "list_user_sessions": Case(a_person),
    "end_user_sessions": Case(a_person),
    "give_user_role": Case(a_person, a_role_to_give),
    "take_user_role": Case(a_held_role),
    "get_role": Case(a_role),
    "update_role": Case(a_role, {"description": "At night"}),
    "delete_role": Case(a_role),
    "replace_role_permissions": Case(a_role, {"permissions": ["stock:read"]}),
    "get_organization": Case(the_organization),
    "update_organization": Case(the_organization, {"name": "Dew farms"}),
    "deactivate_organization": Case(a_new_organization, by_operator=True, foreign=403),
    "get_onboarding": Case(the_organization),
    "save_onboarding_step": Case(the_organization, {"step": "welcome"}),
    "get_organization_settings": Case(the_organization),
    "change_organization_settings": Case(the_organization, {"values": {"locale": "mr-IN"}}),
    # a white label is there to be seen
    "get_branding": Case(the_organization, foreign=200),
    "change_branding": Case(the_organization, {"name": "Dew farms"}),
    "set_logo": Case(the_organization, PHOTO, headers={"Content-Type": "image/png"}),
    # as the rest of a white label
    "get_logo": Case(an_organization_with_a_logo, foreign=200),
    "remove_logo": Case(the_organization),
    "delete_saved_view": Case(a_saved_view),
    "get_team": Case(a_team),
    "update_team": Case(a_team, {"description": "From ten"}),
    "delete_team": Case(a_team),
    "replace_team_members": Case(a_team, {"members": []}),
    "revoke_invitation": Case(an_invitation),
    "get_personal_data_export": Case(a_copy_of_personal_data),
    "download_personal_data": Case(a_copy_of_personal_data),
    "execute_erasure": Case(an_erasure_request),
    "cancel_erasure": Case(an_erasure_request),
    "update_api_key": Case(an_api_key, {"name": "Ledger"}),
    "revoke_api_key": Case(an_api_key),
    "rotate_api_key": Case(an_api_key),
    "remove_oauth_client": Case(an_oauth_client),
    "rotate_oauth_client": Case(an_oauth_client),
    "remove_allowed_range": Case(an_allowed_range),
    # every organisation has a setting of this name, with a value of its own: tests/cloud_api/configuration
    "get_setting": Case(a_setting, foreign=200),
    "change_setting": Case(a_setting, {"value": "mr-IN"}, foreign=200),
    "retry_event": Case(a_parked_event, by_operator=True, foreign=403),
    "get_feature_flag": Case(a_flag, by_operator=True, foreign=403),
    "change_feature_flag": Case(a_flag, {"enabled": True}, by_operator=True, foreign=403),
    "delete_feature_flag": Case(a_flag, by_operator=True, foreign=403),
    "get_security_event": Case(a_security_event),
    "move_security_event": Case(a_security_event, {"status": "investigating"}),
    "resolve_security_event": Case(a_security_event, {"note": "it was me"}),
    "end_my_session": Case(a_sign_in),
    "reset_user_second_factor": Case(a_person),
    "set_avatar": Case(a_person, PHOTO, headers={"Content-Type": "image/png"}),
    "get_avatar": Case(a_pictured_person),
    "remove_avatar": Case(a_pictured_person),
    "get_warehouse": Case(a_warehouse),
    "get_location": Case(a_room),
    "get_product": Case(a_product),
    "get_category": Case(a_category),
    "update_category": Case(a_category, {"description": "Leaves"}),
    "delete_category": Case(a_category),
    **{name: Case(*line) for name, line in CATALOGUE.items()},
    **{name: Case(make, foreign=foreign) for name, (make, foreign) in EXCHANGE_CASES.items()},
    **{name: Case(*line) for name, line in SIGHTINGS.items()},
    **{name: Case(*line) for name, line in STOCK_CASES.items()},
    **{name: Case(*line) for name, line in PLACE_CASES.items()},
    **{name: Case(*line) for name, line in PICKING_CASES.items()},
    **{name: Case(*line) for name, line in ORDER_CASES.items()},
    **{name: Case(*line) for name, line in MEDIA_CASES.items()},
    **{name: Case(*line) for name, line in PHONE_LOG_CASES.items()},
    **{name: Case(*line) for name, line in PAYMENT_CASES.items()},
    "get_gateway": Case(a_gateway),
    "renew_claim_code": Case(a_gateway),
    # nobody but the gateway itself, and without a look whether there is another of this id
    "receive_heartbeat": Case(the_gateway, HEARTBEAT, by_gateway=True, foreign=403),
    "list_heartbeats": Case(a_gateway),
    "get_gateway_config": Case(a_gateway),
    "update_gateway": Case(a_gateway, a_new_name),
    "decommission_gateway": Case(a_gateway_of_its_own),
    "rotate_gateway_credential": Case(a_gateway),
    "configure_gateway": Case(a_gateway, {"heartbeat_interval_s": 30}),
    "list_gateway_configs": Case(a_gateway),
    "acknowledge_gateway_config": Case(the_gateway, CONFIG_ACK, by_gateway=True, foreign=403),
    "roll_back_gateway_config": Case(a_gateway, {"version": 1}),
    "list_gateway_commands": Case(a_gateway),
    "issue_gateway_command": Case(a_gateway, {"kind": "identify"}),
    "acknowledge_gateway_command": Case(
        a_command, {"outcome": "done", "recorded_at_ms": 1}, by_gateway=True, foreign=403
    ),
    "list_gateway_alarms": Case(a_gateway),
    "upload_gateway_logs": Case(the_gateway, {"recorded_at_ms": 1, "lines": ["started"]}, by_gateway=True, foreign=403),
    "list_gateway_logs": Case(a_gateway),
    "get_gap_report": Case(a_gateway),
    "tare_scale": Case(a_scale),
    "get_scale": Case(a_scale),
    "update_scale": Case(a_scale, SCALE),
    "retire_scale": Case(a_scale),
    "get_reader": Case(a_reader),
    "update_reader": Case(a_reader, READER),
    "retire_reader": Case(a_reader),
    "list_sensor_placements": Case(a_sensor),
    "list_sensor_calibrations": Case(a_sensor),
    "record_calibration": Case(another_sensor, {"gain": 1.01, "due_on": "2027-01-31"}),
    "get_sensor_retention": Case(a_sensor),
    "set_sensor_retention": Case(another_sensor, {"class_id": None}),
    **{name: Case(*line) for name, line in RETENTION_CASES.items()},
    "get_sensor": Case(a_sensor),
    "retire_sensor": Case(another_sensor),
    "update_sensor": Case(a_sensor, {"offset": 0.5}),
    "get_user_warehouses": Case(a_person),
    "set_user_warehouses": Case(a_person, {"warehouse_ids": []}),
    "get_movement": Case(a_movement),
    "get_lot": Case(a_lot),
    "get_lot_exposure": Case(a_lot),
    "get_lot_evidence": Case(a_lot),
    "get_place_evidence": Case(a_room),
    "get_reservation": Case(a_reservation),
    "release_reservation": Case(a_reservation),
    "get_reorder_rule": Case(a_reorder_rule),
    "update_reorder_rule": Case(a_reorder_rule, {"reorder_point": "6.000"}),
    "delete_reorder_rule": Case(a_reorder_rule),
    "get_hold": Case(a_hold),
    "release_hold": Case(a_hold, {"reason": "cores at 4 °C"}),
    "reject_hold": Case(a_hold, {"reason": "cores at 9 °C", "disposition": "waste"}),
    "get_rule": Case(a_rule),
    "update_rule": Case(a_rule, {"duration_s": 60}),
    "delete_rule": Case(a_rule),
    "try_rule": Case(a_rule, {"set_at": 9.0, "since": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z"}),
    "get_excursion": Case(an_excursion),
    "acknowledge_excursion": Case(an_excursion, {"note": "on it"}),
    "act_on_excursion": Case(an_excursion, {"description": "moved the pallets"}),
    "reset_excursion": Case(a_latched_excursion),
    "close_excursion": Case(an_acknowledged_excursion, {"disposition": "waste", "note": "too warm"}),
    **{name: Case(*line) for name, line in ALERTS.items()},
    **{name: Case(make, body, foreign=foreign) for name, (make, body, foreign) in MESSAGE_CASES.items()},
    **{name: Case(*line) for name, line in FLEET_CASES.items()},
    **{name: Case(*line) for name, line in DISPATCH_CASES.items()},
    "get_customer": Case(a_customer),
    "update_customer": Case(a_customer, {"phone": "+91 98765 43210"}),
    "deactivate_customer": Case(a_customer),
    "tie_customer_account": Case(a_customer, a_new_buyer),
    "untie_customer_account": Case(a_customer),
    "update_own_address": Case(an_own_address, {"label": "back door"}),
    "remove_own_address": Case(an_own_address),
    "get_order": Case(an_order),
    "confirm_order": Case(an_order),
    "pack_order": Case(a_confirmed_order),
    "cancel_order": Case(an_order, {"reason": "closed today"}),
    "get_identity_provider": Case(an_identity_provider),
    "change_identity_provider": Case(an_identity_provider, a_renamed_provider),
    "disconnect_identity_provider": Case(an_identity_provider),
    "get_vehicle": Case(a_vehicle),
    "get_planning_job": Case(a_planning_job),
    "get_route": Case(a_round),
    "track_route": Case(a_round),
    "track_order": Case(an_order),
    **{name: Case(*line) for name, line in TRACKING_CASES.items()},
    "list_route_orders": Case(a_round),
    "get_my_delivery": Case(a_stop),
    "report_position": Case(a_stop, a_position),
    "upload_signature": Case(a_stop, PHOTO, headers={"Content-Type": "image/png", "X-Content-SHA256": PHOTO_SHA256}),
    **{name: Case(*line) for name, line in DELIVERY_CASES.items()},
    "upload_photo": Case(a_stop, PHOTO, headers={"Content-Type": "image/png", "X-Content-SHA256": PHOTO_SHA256}),
}
