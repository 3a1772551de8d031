"""Two people change one thing: the second is shown what it is now beside what they typed, and nothing is lost."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.cloud_api.console.typed import form_on
from tests.factories.farms import make_person, plant_store
from tests.factories.orders import make_customer, make_depot, order_from, pack
from tests.factories.scopes import id_of
from tests.factories.stores import make_product, make_warehouse
from tests.platform_under_test import Platform

STALE = "Somebody else has changed it meanwhile"
API = "/api/v1"


@dataclass
class Edited:
    """Something that two people have before them.

    Args:
        page: where its form stands.
        action: where the form is sent.
        source: where the API changes it.
        theirs: what the quicker one sends to the API.
        ours: what the slower one types.
        told: what the slower one is shown of the quicker one's.
        kept: what the API says of it in the end, once what was typed has been sent again.
        read_at: where the API says so; empty: at `source`.
    """

    page: str
    action: str
    source: str
    theirs: dict[str, Any]
    ours: Mapping[str, str | list[str]]
    told: tuple[str, ...]
    kept: dict[str, Any]
    read_at: str = ""


Make = Callable[[Platform], Awaitable[Edited]]


def named(
    page: str,
    source: str,
    body: dict[str, Any],
    *,
    by: str = "name",
    form: str = "",
    action: str = "",
    whole: bool = False,
) -> Make:
    """Something that is made by one POST; both change the field `by`.

    Args:
        form, action: of the page, below its address.
        whole: the API takes all of it, or nothing.
    """

    async def make(platform: Platform) -> Edited:
        made = await platform.tenant.post(f"{API}{source}", body)
        at, path = f"{page}/{made['id']}", f"{API}{source}/{made['id']}"
        theirs = {**(body if whole else {}), by: "of_theirs"}
        told, kept = ("<td>of_theirs</td>", "<td>of_ours</td>"), {by: "of_ours"}
        return Edited(f"{at}{form}", f"{at}{action}", path, theirs, {by: "of_ours"}, told, kept)

    return make


async def a_policy(platform: Platform) -> Edited:
    step: dict[str, Any] = {"to": {"kind": "everyone"}, "channels": ["push"]}
    source = f"{API}/alerts/escalation-policies"
    made = await platform.tenant.post(source, {"name": "Nights", "steps": [step]})
    at = f"/console/rules/policies/{made['id']}"
    twice = [step, {**step, "channels": ["mail"], "after_s": 300}]
    told = ("Step 2", "Everybody who may answer · ", "5 min")
    return Edited(at, at, f"{source}/{made['id']}", {"steps": twice}, {"name": "Late"}, told, {"name": "Late"})


async def an_on_call_list(platform: Platform) -> Edited:
    source, me = f"{API}/notifications/on-call-lists", await id_of(platform.tenant)
    other = await make_person(platform, platform.tenant, "org_admin")
    made = await platform.tenant.post(source, {"name": "Keepers", "members": [{"user_id": me}]})
    at = f"/console/rules/on-call/{made['id']}"
    hours = [{"weekdays": [0, 1], "from_time": "08:00", "until_time": "18:00"}]
    theirs = {"members": [{"user_id": me}, {"user_id": await id_of(other), "shifts": hours}]}
    told = ("Person 2", "08:00–18:00")
    return Edited(at, at, f"{source}/{made['id']}", theirs, {"name": "Nobody sleeps"}, told, {"name": "Nobody sleeps"})


async def a_geofence(platform: Platform) -> Edited:
    source = f"{API}/geofences"
    made = await platform.tenant.post(source, YARD)
    at, theirs = f"/console/geofences/{made['id']}", {"circle": {**YARD_CIRCLE, "radius_m": 400}}
    told = ("Radius, m", "<td>400</td>", "<td>250</td>")
    return Edited(at, at, f"{source}/{made['id']}", theirs, {"name": "Gate"}, told, {"name": "Gate"}, read_at=source)


async def a_reorder_rule(platform: Platform) -> Edited:
    body = {"product_id": await make_product(platform.tenant), "warehouse_id": await make_warehouse(platform.tenant)}
    source = f"{API}/warehouse/stock/reorder-rules"
    made = await platform.tenant.post(source, {**body, "reorder_point": "5", "reorder_quantity": "10"})
    at, ours = f"/console/stock/rules/{made['id']}", {"lead_time_days": "4"}
    theirs = {"reorder_point": "7"}
    return Edited(
        at, at, f"{source}/{made['id']}", theirs, ours, ("Order at", "<td>7</td>", "<td>5</td>"), {"lead_time_days": 4}
    )


async def a_variant(platform: Platform) -> Edited:
    product = await make_product(platform.tenant)
    source = f"{API}/warehouse/products/{product}/variants"
    made = await platform.tenant.post(source, {"sku": f"V-{product[-8:]}", "name": "Small"})
    at = f"/console/products/{product}/variants/{made['id']}"
    theirs, ours = {"barcode": "B-1"}, {"name": "Smallest"}
    return Edited(at, at, f"{source}/{made['id']}", theirs, ours, ("B-1",), {"name": "Smallest"}, read_at=source)


async def packs(platform: Platform) -> Edited:
    product = await make_product(platform.tenant)
    source = f"{API}/warehouse/products/{product}/units"
    theirs = {"packs": [{"unit": "crate", "quantity": "12", "of": "kg"}]}
    ours = {
        "packs.0.unit": "bunch", "packs.0.per": "8", "packs.0.quantity": "1", "packs.0.of": "kg"
    }  # fmt: skip
    at = f"/console/products/{product}"
    return Edited(
        at, f"{at}/packs", source, theirs, ours, ("1 crate = 12 kg", "8 bunch = 1 kg"), {"unit": "bunch"}, source
    )


async def a_sensor(platform: Platform) -> Edited:
    store = await plant_store(platform)
    at, source = f"/console/gateways/sensors/{store.sensor_id}", f"{API}/edge/sensors/{store.sensor_id}"
    ours = {"interval_s": "120"}
    return Edited(at, at, source, {"location_id": None}, ours, ("Place", "120"), {"interval_s": 120})


async def a_scale(platform: Platform) -> Edited:
    store = await plant_store(platform)
    facts = {"name": "Platform", "capacity_kg": 600, "division_kg": 0.2, "unit": "kg"}
    body = {**facts, "gateway_id": store.gateway_id, "code": "scale:dock-1"}
    source = f"{API}/edge/scales"
    made = await store.tenant.post(source, body)
    at, theirs = f"/console/gateways/scales/{made['id']}", {**facts, "capacity_kg": 300}
    told = ("Capacity, kg", "<td>300</td>", "<td>600</td>")
    return Edited(at, at, f"{source}/{made['id']}", theirs, {"name": "Dock"}, told, {"name": "Dock"})


async def a_reader(platform: Platform) -> Edited:
    store = await plant_store(platform)
    facts = {"name": "Dock 1", "direction": "in", "portal": True}
    source = f"{API}/edge/readers"
    made = await store.tenant.post(source, {**facts, "gateway_id": store.gateway_id, "code": "rfid:dock-1"})
    at, theirs = f"/console/gateways/readers/{made['id']}", {**facts, "antennas": [{"number": 3, "direction": "out"}]}
    told = ("Antennas: 3", "where the reader is")
    return Edited(at, at, f"{source}/{made['id']}", theirs, {"name": "Dock 9"}, told, {"name": "Dock 9"})


async def a_gateway(platform: Platform) -> Edited:
    store = await plant_store(platform)
    at, source = f"/console/gateways/{store.gateway_id}", f"{API}/edge/gateways/{store.gateway_id}"
    told = ("<td>Box of theirs</td>", "<td>Box of ours</td>")
    return Edited(
        at, f"{at}/name", source, {"name": "Box of theirs"}, {"name": "Box of ours"}, told, {"name": "Box of ours"}
    )


async def a_portal_rule(platform: Platform) -> Edited:
    store = await plant_store(platform)
    reader = await store.tenant.post(
        f"{API}/edge/readers", {"gateway_id": store.gateway_id, "code": "rfid:dock-1", "name": "Dock 1"}
    )
    source = f"{API}/warehouse/portal-rules"
    booked = {"action": "ship", "mode": "propose"}
    rule = await store.tenant.post(source, {**booked, "reader_id": reader["id"], "direction": "out"})
    at = f"/console/gateways/readers/{reader['id']}"
    theirs, told = {**booked, "window_s": 77}, ("77", "<td>Propose</td>", "<td>Automatic</td>")
    kept = {"mode": "automatic", "window_s": 77}
    page = f"{at}/rules/{rule['id']}/mode"
    return Edited(at, page, f"{source}/{rule['id']}", theirs, {"mode": "automatic"}, told, kept, read_at=source)


async def the_warehouses_of_a_person(platform: Platform) -> Edited:
    whom = await id_of(await make_person(platform, platform.tenant, "inventory_staff"))
    theirs, ours = await make_warehouse(platform.tenant), await make_warehouse(platform.tenant)
    at, source = f"/console/people/{whom}", f"{API}/admin/users/{whom}/warehouses"
    kept = {"warehouse_ids": [ours]}
    return Edited(
        at, f"{at}/warehouses", source, {"warehouse_ids": [theirs]}, {"warehouse_ids": [ours]}, ("Warehouses",), kept
    )


async def a_delivery(platform: Platform) -> Edited:
    depot = await make_depot(platform.tenant)
    order_id = (await order_from(depot))["id"]
    await pack(platform.tenant, order_id)
    id = (await platform.tenant.post(f"{API}/warehouse/deliveries", {"order_id": order_id}))["id"]
    at, source = f"/console/deliveries/{id}", f"{API}/warehouse/deliveries/{id}"
    told, ours = ("<td>Ring twice</td>", "<td>Back door</td>"), {"note": "Back door"}
    return Edited(at, f"{at}/plan", source, {"note": "Ring twice"}, ours, told, ours)


async def members(platform: Platform) -> Edited:
    made = await platform.tenant.post(f"{API}/teams", {"name": "Dock"})
    me, at = await id_of(platform.tenant), f"/console/teams/{made['id']}"
    other = await id_of(await make_person(platform, platform.tenant, "inventory_staff"))
    theirs = {"members": [{"user_id": other, "is_lead": True}]}
    ours = {"user_ids": [me]}
    source = f"{API}/teams/{made['id']}"
    told, kept = ("Leads it", "In the team"), {"member_count": 1}
    return Edited(at, f"{at}/members", f"{source}/members", theirs, ours, told, kept, read_at=source)


async def a_person(platform: Platform) -> Edited:
    whom = await id_of(await make_person(platform, platform.tenant, "inventory_staff"))
    at, source = f"/console/people/{whom}", f"{API}/admin/users/{whom}"
    ours = {"full_name": "Meera Iyer"}
    return Edited(at, at, source, {"phone": "+919876543210"}, ours, ("+919876543210",), {"full_name": "Meera Iyer"})


async def the_organisation(platform: Platform) -> Edited:
    at, source = "/console/first-steps", f"{API}/organizations/{platform.tenant.organization.organization_id}"
    ours = {"address": "Whitefield"}
    theirs = {"phone": "+919876543210"}
    return Edited(
        f"{at}?step=welcome", f"{at}/welcome", source, theirs, ours, ("+919876543210",), {"address": "Whitefield"}
    )


async def the_look(platform: Platform) -> Edited:
    source = f"{API}/organizations/{platform.tenant.organization.organization_id}/branding"
    at = "/console/settings/look"
    theirs, ours = {"name": "Blue", "primary_colour": "#1d4ed8"}, {"name": "Green"}
    return Edited(at, at, source, theirs, ours, ("#1d4ed8", "Blue"), {"name": "Green"})


async def a_customer(platform: Platform) -> Edited:
    id = await make_customer(platform.tenant)
    at, source = f"/console/customers/{id}/edit", f"{API}/customers/{id}"
    return Edited(
        at,
        at,
        source,
        {"email": "shop@greens.example"},
        {"name": "Greens"},
        ("shop@greens.example",),
        {"name": "Greens"},
    )


YARD_CIRCLE = {"latitude": 12.93, "longitude": 77.61, "radius_m": 250}
YARD = {"name": "Yard", "kind": "depot", "circle": YARD_CIRCLE}
PROVIDER = {
    "kind": "oidc",
    "name": "works",
    "display_name": "Works",
    "issuer": "https://93.184.216.34",
    "client_id": "coldfleet",
}
VAN = {"number": "KA-01-AB-1234", "capacity_g": 900_000}
CHARD = {"sku": "CHARD", "name": "Chard", "unit": "kg"}
GREENS = {"name": "Greens", "slug": "greens"}
WEIGHER = {"name": "weigher", "permissions": ["stock:read"]}
PRODUCTS, CATEGORIES = "/console/products", "/warehouse/products/categories"
PROVIDERS = "/console/settings/providers"

THINGS: dict[str, Make] = {
    "policy": a_policy,
    "on-call list": an_on_call_list,
    "geofence": a_geofence,
    "vehicle": named("/console/fleet", "/warehouse/fleet/vehicles", VAN, by="model", form="/edit"),
    "category": named(f"{PRODUCTS}/categories", CATEGORIES, GREENS),
    "product": named(PRODUCTS, "/warehouse/products", CHARD, form="/edit", action="/edit"),
    "variant": a_variant,
    "packs": packs,
    "sensor": a_sensor,
    "scale": a_scale,
    "reader": a_reader,
    "gateway": a_gateway,
    "portal rule": a_portal_rule,
    "delivery": a_delivery,
    "reorder rule": a_reorder_rule,
    "team": named("/console/teams", "/teams", {"name": "Dock"}),
    "team's people": members,
    "retention class": named(
        "/console/settings/retention/classes", "/telemetry/retention-classes", {"name": "Salad"}, whole=True
    ),
    "role": named("/console/roles", "/admin/roles", WEIGHER),
    "person": a_person,
    "a person's warehouses": the_warehouses_of_a_person,
    "identity provider": named(PROVIDERS, "/admin/identity-providers", PROVIDER, by="display_name", whole=True),
    "organisation": the_organisation,
    "look": the_look,
    "customer": a_customer,
}


@pytest.mark.parametrize("thing", THINGS)
async def test_who_was_slower_sees_both_and_decides(
    thing: str, console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    edited = await THINGS[thing](sqlite_platform)
    open_form = form_on((await console.get(edited.page)).text, edited.action)
    await sqlite_platform.tenant.put(edited.source, edited.theirs)

    refused = await console.post(edited.action, data={**open_form, **edited.ours})
    assert (refused.status_code, STALE in refused.text) == (409, True)
    for said in edited.told:
        assert said in refused.text
    again = form_on(refused.text, edited.action)
    assert again["version"] != open_form["version"]
    typed = {name: [value] if isinstance(value, str) else value for name, value in edited.ours.items()}
    assert {name: again[name] for name in typed} == typed, "what was typed is kept"

    assert (await console.post(edited.action, data=again)).status_code == 303, "sent once more, it is meant"
    now = await sqlite_platform.tenant.get(edited.read_at or edited.source)
    rows = now if isinstance(now, list) else [now]
    assert any(edited.kept.items() <= row.items() for row in rows), now
