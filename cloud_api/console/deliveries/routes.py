"""`/console/deliveries` and `/console/routes/{id}`."""

from typing import Any, Literal

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.deliveries import road
from cloud_api.console.deliveries.known import known
from cloud_api.console.deliveries.timeline import steps
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router()

REASONS = ("customer_absent", "refused", "wrong_address", "damaged", "excursion", "vehicle", "other")
#: what a dispatcher may say of a delivery, by where it stands
MOVES = {
    "pending": ("cancelled",),
    "assigned": ("pending", "cancelled"),
    "out_for_delivery": ("arrived", "failed"),
    "arrived": ("failed",),
}
_RESULTS = ("conflict", "refused")


@router.get("/deliveries")
async def show_road(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What is on the road now."""
    return show(request, "deliveries/road.html", road=await road.on_the_road(request, desk, visitor))


@router.get("/deliveries/part")
async def show_road_part(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The same without its frame and its map, for when something has changed."""
    return show(request, "deliveries/road_part.html", road=await road.on_the_road(request, desk, visitor))


@router.get("/deliveries/map.json")
async def get_road_map(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The same as a map."""
    return JSONResponse(road.picture(await road.on_the_road(request, desk, visitor), visitor))


@router.get("/deliveries/earlier")
async def list_deliveries(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Every attempt, the newest first."""
    rows, names = await together(
        table(request, desk, "/warehouse/deliveries", filters=("order_id",)),
        known(desk, visitor),
    )
    return show(request, "deliveries/earlier.html", table=rows, names=names)


@router.get("/deliveries/phones")
async def list_phone_commands(request: Request, desk: AtDesk) -> Response:
    """What phones said that was not taken: somebody has to look at it."""
    asked = request.query_params.get("result", "")
    result = asked if asked in _RESULTS else _RESULTS[0]
    rows = await table(request, desk, "/mobile/commands", filters=("result",), result=result)
    return show(request, "deliveries/phones.html", table=rows, result=result)


@router.get("/deliveries/{id}")
async def show_delivery(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One attempt at one door."""
    return await _delivery(request, desk, visitor, id)


@router.get("/deliveries/{id}/part")
async def show_delivery_part(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """What of it changes while the van drives."""
    return show(request, "deliveries/delivery_part.html", **await _told(desk, visitor, id))


@router.get("/deliveries/{id}/proof/{kind}")
async def get_proof_picture(desk: AtDesk, id: str, kind: Literal["photo", "signature"]) -> Response:
    """The photo or the signature, as the API hands it out."""
    said = await desk.raw(f"/warehouse/deliveries/{id}/proof/{kind}")
    safe = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox", "Cache-Control": "no-store"}
    return Response(said.content, headers=safe, media_type=said.headers["content-type"])


@router.post("/deliveries/{id}/status")
async def move_delivery(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Say what became of it."""
    form = await forms.read(request)
    fields = ("status", "failure_reason", "note") if form.get("status") == "failed" else ("status", "note")
    try:
        await desk.do("PUT", f"/warehouse/deliveries/{id}/status", form.body(*fields), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _delivery(request, desk, visitor, id, status=refused.status, moving=form)
    return go(request, f"/console/deliveries/{id}", said="The delivery has its new status.")


@router.post("/deliveries/{id}/plan")
async def plan_delivery(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Onto another route, or off its route; a note."""
    form = await forms.read(request)
    body = form.body("route_id", note=form.get("note"))
    body.setdefault("route_id", None)
    try:
        await desk.do("PUT", f"/warehouse/deliveries/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _delivery(request, desk, visitor, id, status=refused.status, planning=form)
    return go(request, f"/console/deliveries/{id}", said="The delivery is planned anew.")


@router.post("/deliveries/{id}/otp")
async def override_code(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Let it pass without its code."""
    form = await forms.read(request)
    try:
        await desk.do("POST", f"/warehouse/deliveries/{id}/otp/override", form.body("reason"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _delivery(request, desk, visitor, id, status=refused.status, passing=form)
    return go(request, f"/console/deliveries/{id}", said="It may pass without its code.")


@router.get("/routes/{id}")
async def show_route(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One van's day."""
    return await _route(request, desk, visitor, id)


@router.get("/routes/{id}/part")
async def show_route_part(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """What of it changes while the van drives."""
    return show(request, "deliveries/route_part.html", **await _driven(desk, visitor, id))


@router.get("/routes/{id}/map.json")
async def get_route_map(desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Its doors, where it drove, and where it is."""
    told = await _driven(desk, visitor, id)
    track, names = told["track"], told["names"]
    doors = [road.door_on_map(stop, names.order(stop["order_id"])) for stop in track["stops"]]
    drawn = {
        "id": id,
        "name": names.van(track["route"]["vehicle_id"]),
        "position": None if track["latitude"] is None else (track["latitude"], track["longitude"]),
        "silent": track["silent_since"] is not None,
        "address": "",
        "stops": [door for door in doors if door is not None],
        "trail": [(point["latitude"], point["longitude"]) for point in track["trail"]],
    }
    return JSONResponse({"words": road.words(visitor), "routes": [drawn]})


@router.post("/routes/{id}/change")
async def change_route(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Another van or another driver, as long as it is planned."""
    form = await forms.read(request)
    body = form.body("vehicle_id", "driver_id", version=int(form.get("version") or 0))
    try:
        await desk.do("PUT", f"/warehouse/routes/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _route(request, desk, visitor, id, status=refused.status, changing=form)
    return go(request, f"/console/routes/{id}", said="The route is changed.")


@router.post("/routes/{id}/cancel")
async def cancel_route(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Give it up: its orders wait for another."""
    form = await forms.read(request)
    try:
        await desk.do("DELETE", f"/warehouse/routes/{id}", key=form.key, **form.body("reason", "unload_location_id"))
    except Refused as refused:
        form.refuse(refused)
        return await _route(request, desk, visitor, id, status=refused.status, ending=form)
    return go(request, f"/console/routes/{id}", said="The route is given up, and its orders wait for another.")


async def _delivery(
    request: Request, desk: Desk, visitor: Visitor, id: str, *, status: int = 200, **typed: Form
) -> Response:
    told, planned = await together(_told(desk, visitor, id), _planned_routes(desk, visitor))
    delivery, names = told["delivery"], told["names"]
    shown = {
        "moving": Form(),
        "planning": Form.of(route_id=delivery["route_id"], note=delivery["note"]),
        "passing": Form(),
        **typed,
    }
    routes = [
        (route["id"], f"{route['number']} · {names.van(route['vehicle_id'])} · {route['delivery_date']}")
        for route in planned
    ]
    moves = MOVES.get(delivery["status"], ())
    return show(
        request, "deliveries/delivery.html", status=status, routes=routes, moves=moves, reasons=REASONS, **shown, **told
    )


async def _told(desk: Desk, visitor: Visitor, id: str) -> dict[str, Any]:
    """A delivery with all that is known of it."""
    delivery = await desk.get(f"/warehouse/deliveries/{id}")

    async def asked(wanted: bool, path: str) -> Answer:
        return await desk.get(path) if wanted else {}

    delivered = delivery["delivered_at"] is not None
    order, track, proof, attempts, names = await together(
        asked(visitor.may("orders:read"), f"/orders/{delivery['order_id']}"),
        asked(delivery["route_id"] is not None, f"/warehouse/deliveries/tracking/{id}"),
        asked(delivered, f"/warehouse/deliveries/{id}/proof"),
        desk.every("/warehouse/deliveries", order_id=delivery["order_id"]),
        known(desk, visitor),
    )
    stop: Answer = next((stop for stop in track.get("stops", ()) if stop["delivery_id"] == id), {})
    route = track.get("route", {})
    return {
        "delivery": delivery,
        "order": order,
        "track": track,
        "route": route,
        "stop": stop,
        "proof": proof,
        "attempts": [one for one in attempts if one["id"] != id],
        "names": names,
        "late": road.is_late({**stop, "planned_arrival_at": delivery["planned_arrival_at"]}),
        "steps": steps(delivery, stop, route),
    }


async def _planned_routes(desk: Desk, visitor: Visitor) -> list[Answer]:
    if not visitor.may("deliveries:write") or not visitor.may("routes:read"):
        return []
    return [route for route in (await desk.page("/warehouse/routes", limit=200)).items if route["status"] == "planned"]


async def _route(
    request: Request, desk: Desk, visitor: Visitor, id: str, *, status: int = 200, **typed: Form
) -> Response:
    told = await _driven(desk, visitor, id)
    route, names = told["track"]["route"], told["names"]
    changes, places = await together(_changes(desk, visitor, id), _places(desk, visitor, route))
    vans = [(row["id"], row["number"]) for row in names.vehicles.values() if row["status"] == "active"]
    shown = {
        "ending": Form(),
        "changing": Form.of(vehicle_id=route["vehicle_id"], driver_id=route["driver_id"], version=route["version"]),
        **typed,
    }
    drivers = [(row["id"], row["full_name"]) for row in names.people.values()]
    return show(
        request,
        "deliveries/route.html",
        status=status,
        changes=changes,
        places=places,
        vans=vans,
        drivers=drivers,
        **shown,
        **told,
    )


async def _driven(desk: Desk, visitor: Visitor, id: str) -> dict[str, Any]:
    """A route as it is driven, with what its doors are called."""
    track = await desk.get(f"/warehouse/deliveries/tracking/{id}")
    route = track["route"]
    names = await known(desk, visitor, orders={})  # the newest of them: no list of a route's orders is given
    of = {stop["id"]: stop for stop in route["deliveries"]}
    stops = [{**of.get(stop["delivery_id"], {}), **stop} for stop in track["stops"]]
    for stop in stops:
        stop["late"] = road.is_late(stop)
    return {"track": {**track, "stops": stops}, "names": names}


async def _changes(desk: Desk, visitor: Visitor, id: str) -> list[Answer]:
    if not visitor.may("routes:read"):
        return []
    rows: list[Answer] = await desk.get(f"/warehouse/routes/{id}/optimizations")
    return rows


async def _places(desk: Desk, visitor: Visitor, route: Answer) -> list[tuple[str, str]]:
    """Where what is on the van may be put, of a route under way."""
    if route["status"] != "in_progress" or not visitor.may("routes:write"):
        return []
    rows = await desk.every("/warehouse/storage/locations", warehouse_id=route["warehouse_id"])
    return [(row["id"], f"{row['code']} · {row['name']}") for row in rows]
