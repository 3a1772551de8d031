"""`/console/deliveries`: what is on the road, and each attempt at a door."""

from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import clashes, files, forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import options, warehouses_of
from cloud_api.console.deliveries import road
from cloud_api.console.deliveries.route_pages import pages as route_pages
from cloud_api.console.deliveries.timeline import steps
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

pages = console_router("/deliveries")

FILTERS = ("order_id", "status", "driver_id", "warehouse_id", "since", "until")
STATES = ("pending", "assigned", "out_for_delivery", "arrived", "delivered", "failed", "returned", "cancelled")
_PLANNED = {"route_id": "Planned route", "note": "Note for the driver"}
REASONS = ("customer_absent", "refused", "wrong_address", "damaged", "excursion", "vehicle", "other")
#: what a dispatcher may say of a delivery, by where it stands
MOVES = {
    "pending": ("cancelled",),
    "assigned": ("pending", "cancelled"),
    "out_for_delivery": ("arrived", "failed"),
    "arrived": ("failed",),
}
_RESULTS = ("conflict", "refused")


@pages.get("")
async def show_road(request: Request, desk: AtDesk) -> Response:
    """What is on the road now."""
    return show(request, "deliveries/road.html", road=await road.on_the_road(request, desk))


@pages.get("/part")
async def show_road_part(request: Request, desk: AtDesk) -> Response:
    """The same without its frame and its map: other doors, or when something has changed."""
    return show(request, "deliveries/road_part.html", road=await road.on_the_road(request, desk))


@pages.get("/map.json")
async def get_road_map(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The same as a map."""
    return JSONResponse(await road.as_a_map(request, desk, visitor))


@pages.get("/earlier")
async def list_deliveries(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Every attempt, the newest first."""
    rows, places = await together(
        table(request, desk, "/warehouse/deliveries", filters=FILTERS), warehouses_of(visitor)
    )
    return show(request, "deliveries/earlier.html", table=rows, states=STATES, warehouses=options(places))


@pages.get("/earlier/export")
async def export_deliveries(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The same as a file."""
    rows = await desk.every("/warehouse/deliveries", most=files.MOST_ROWS, **asked_for(request, FILTERS))
    say = visitor.say
    head = [
        *(
            say("Delivery"),
            say("Order number"),
            say("Customer"),
            say("Address"),
            say("Status"),
            say("Attempt"),
            say("Stop"),
        ),
        *(say("Planned"), say("At the door"), say("Handed over"), say("Received by"), say("Temperature, °C")),
        *(say("Code"), say("Why it could not be delivered"), say("Note")),
    ]
    return files.table_file(request, "deliveries", head, (_row(row, visitor) for row in rows))


def _row(row: Answer, visitor: Visitor) -> list[files.Cell]:
    word = visitor.writing.word
    plain = ("number", "order_number", "customer_name", "address")
    moments = ("planned_arrival_at", "arrived_at", "delivered_at")
    return [
        *(row[name] for name in plain),
        word(row["status"]),
        row["attempt"],
        row["sequence"],
        *(files.moment(row[name]) for name in moments),
        row["recipient_name"],
        row["cargo_temperature_c"],
        word(row["otp_status"]),
        word(row["failure_reason"]) if row["failure_reason"] else None,
        row["note"],
    ]


@pages.get("/phones")
async def list_phone_commands(request: Request, desk: AtDesk) -> Response:
    """What phones said that was not taken: somebody has to look at it."""
    asked = request.query_params.get("result", "")
    result = asked if asked in _RESULTS else _RESULTS[0]
    rows = await table(request, desk, "/mobile/commands", filters=("result",), result=result)
    return show(request, "deliveries/phones.html", table=rows, result=result)


@pages.get("/{id}")
async def show_delivery(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One attempt at one door."""
    return await _delivery(request, desk, visitor, id)


@pages.get("/{id}/part")
async def show_delivery_part(request: Request, desk: AtDesk, id: str) -> Response:
    """What of it changes while the van drives."""
    return show(request, "deliveries/delivery_part.html", **await _told(desk, id))


@pages.get("/{id}/proof")
async def show_proof(request: Request, desk: AtDesk, id: str) -> Response:
    """All that shows that it was handed over, on one sheet to be printed."""
    return show(request, "deliveries/proof.html", **await _told(desk, id))


@pages.get("/{id}/proof/{kind}")
async def get_proof_picture(desk: AtDesk, id: str, kind: Literal["photo", "signature"]) -> Response:
    """The photo or the signature, as the API hands it out."""
    said = await desk.raw(f"/warehouse/deliveries/{id}/proof/{kind}")
    safe = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox", "Cache-Control": "no-store"}
    return Response(said.content, headers=safe, media_type=said.headers["content-type"])


@pages.post("/{id}/status")
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


@pages.post("/{id}/plan")
async def plan_delivery(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Onto another route, or off its route; a note."""
    form = await forms.read(request)
    body = form.body("route_id", note=form.get("note"), **clashes.version_of(form))
    body.setdefault("route_id", None)
    try:
        await desk.do("PUT", f"/warehouse/deliveries/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _delivery(request, desk, visitor, id, status=refused.status, planning=form, refused=refused)
    return go(request, f"/console/deliveries/{id}", said="The delivery is planned anew.")


@pages.post("/{id}/otp")
async def override_code(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Let it pass without its code."""
    form = await forms.read(request)
    try:
        await desk.do("POST", f"/warehouse/deliveries/{id}/otp/override", form.body("reason"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _delivery(request, desk, visitor, id, status=refused.status, passing=form)
    return go(request, f"/console/deliveries/{id}", said="It may pass without its code.")


async def _delivery(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    id: str,
    *,
    status: int = 200,
    refused: Refused | None = None,
    **typed: Form,
) -> Response:
    told, planned = await together(_told(desk, id), _planned_routes(desk, visitor))
    delivery = told["delivery"]
    now = Form.of(route_id=delivery["route_id"], note=delivery["note"], version=delivery["version"])
    shown = {"moving": Form(), "planning": now, "passing": Form(), **typed}
    routes = options(planned, "number", "vehicle_number", "driver_name", "delivery_date")
    if refused is not None:
        clashes.meet(shown["planning"], refused, now, clashes.said(visitor, _PLANNED), route_id=dict(routes).get)
    moves = MOVES.get(delivery["status"], ())
    return show(
        request, "deliveries/delivery.html", status=status, routes=routes, moves=moves, reasons=REASONS, **shown, **told
    )


async def _told(desk: Desk, id: str) -> dict[str, Any]:
    """A delivery with all that is known of it."""
    delivery = await desk.get(f"/warehouse/deliveries/{id}")

    async def asked(wanted: bool, path: str) -> Answer:
        return await desk.get(path) if wanted else {}

    track, proof, attempts = await together(
        asked(delivery["route_id"] is not None, f"/warehouse/deliveries/tracking/{id}"),
        asked(delivery["delivered_at"] is not None, f"/warehouse/deliveries/{id}/proof"),
        desk.every("/warehouse/deliveries", order_id=delivery["order_id"]),
    )
    stop: Answer = next((stop for stop in track.get("stops", ()) if stop["delivery_id"] == id), {})
    route = track.get("route", {})
    return {
        "delivery": delivery,
        "track": track,
        "route": route,
        "stop": stop,
        "proof": proof,
        "attempts": [one for one in attempts if one["id"] != id],
        "steps": steps(delivery, stop, route),
    }


async def _planned_routes(desk: Desk, visitor: Visitor) -> list[Answer]:
    if not visitor.may("deliveries:write") or not visitor.may("routes:read"):
        return []
    return await desk.every("/warehouse/routes", status="planned", most=200)


router = APIRouter(include_in_schema=False)
for _part in (pages, route_pages):
    router.include_router(_part)
