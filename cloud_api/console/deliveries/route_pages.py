"""`/console/routes`: what vans drive, drove and will drive."""

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import files, forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import Options, options, warehouses_of
from cloud_api.console.deliveries import road
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

pages = console_router("/routes")

FILTERS = ("status", "vehicle_id", "driver_id", "warehouse_id", "since", "until")
STATES = ("planned", "in_progress", "completed", "cancelled")
_ROUTES = "/warehouse/routes"


@pages.get("")
async def list_routes(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Every route, the newest first; a driver's own."""
    rows, vans, drivers, places = await together(
        table(request, desk, _ROUTES, filters=FILTERS),
        _vans(desk, visitor, "routes:read"),
        _drivers(desk, visitor, "routes:read"),
        warehouses_of(visitor),
    )
    return show(
        request,
        "deliveries/routes.html",
        table=rows,
        states=STATES,
        vans=vans,
        drivers=drivers,
        warehouses=options(places),
    )


@pages.get("/export")
async def export_routes(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The same as a file."""
    rows = await desk.every(_ROUTES, most=files.MOST_ROWS, **asked_for(request, FILTERS))
    say = visitor.say
    head = [
        *(
            say("Route"),
            say("Day"),
            say("Status"),
            say("Van"),
            say("Driver"),
            say("Leaves"),
            say("Set off"),
            say("Back at the depot"),
        ),
        *(say("Way, km"), say("Load, kg"), say("Filled up, l")),
    ]
    return files.table_file(request, "routes", head, (_row(row, visitor) for row in rows))


def _row(row: Answer, visitor: Visitor) -> list[files.Cell]:
    moments = [files.moment(row[name]) for name in ("departs_at", "started_at", "completed_at")]
    return [
        row["number"],
        files.day(row["delivery_date"]),
        visitor.writing.word(row["status"]),
        row["vehicle_number"],
        row["driver_name"],
        *moments,
        round(row["distance_m"] / 1000, 1),
        round(row["load_g"] / 1000, 1),
        None if row["fuel_ml"] is None else row["fuel_ml"] / 1000,
    ]


@pages.get("/{id}")
async def show_route(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One van's day."""
    return await _route(request, desk, visitor, id)


@pages.get("/{id}/part")
async def show_route_part(request: Request, desk: AtDesk, id: str) -> Response:
    """What of it changes while the van drives."""
    return show(request, "deliveries/route_part.html", track=await _driven(desk, id))


@pages.get("/{id}/map.json")
async def get_route_map(desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Its doors, where it drove, and where it is."""
    track = await _driven(desk, id)
    drawn = road.of_route(track, track["stops"])
    return JSONResponse({"words": road.words(visitor), "routes": [drawn]})


@pages.post("/{id}/change")
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


@pages.post("/{id}/cancel")
async def cancel_route(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Give it up: its orders wait for another."""
    form = await forms.read(request)
    try:
        await desk.do("DELETE", f"/warehouse/routes/{id}", key=form.key, **form.body("reason", "unload_location_id"))
    except Refused as refused:
        form.refuse(refused)
        return await _route(request, desk, visitor, id, status=refused.status, ending=form)
    return go(request, f"/console/routes/{id}", said="The route is given up, and its orders wait for another.")


async def _route(
    request: Request, desk: Desk, visitor: Visitor, id: str, *, status: int = 200, **typed: Form
) -> Response:
    track, changes, vans, drivers = await together(
        _driven(desk, id),
        _changes(desk, visitor, id),
        _vans(desk, visitor, "routes:write", status="active"),
        _drivers(desk, visitor, "routes:write"),
    )
    route = track["route"]
    shown = {
        "ending": Form(),
        "changing": Form.of(vehicle_id=route["vehicle_id"], driver_id=route["driver_id"], version=route["version"]),
        **typed,
    }
    return show(
        request,
        "deliveries/route.html",
        status=status,
        track=track,
        changes=changes,
        places=await _places(desk, visitor, route),
        vans=vans,
        drivers=drivers,
        **shown,
    )


async def _driven(desk: Desk, id: str) -> Answer:
    """A route as it is driven: each of its stops with its door, and how far the van is from it."""
    track = await desk.get(f"/warehouse/deliveries/tracking/{id}")
    far = {stop["delivery_id"]: stop for stop in track["stops"]}
    ahead = {"eta": None, "is_late": False, "stops_before": None}
    stops = [
        {**ahead, **stop, **far.get(stop["id"], {}), "delivery_id": stop["id"]} for stop in track["route"]["deliveries"]
    ]
    return {**track, "stops": stops}


async def _vans(desk: Desk, visitor: Visitor, needed: str, **query: object) -> Options:
    """Vans to choose from; none for who may not do what they are chosen for."""
    if not visitor.may(needed) or not visitor.may("fleet:read"):
        return []
    return sorted(
        options(await desk.every("/warehouse/fleet/vehicles", most=400, **query), "number"), key=lambda pair: pair[1]
    )


async def _drivers(desk: Desk, visitor: Visitor, needed: str) -> Options:
    """Drivers to choose from, the same way."""
    if not visitor.may(needed) or not visitor.may("fleet:read"):
        return []
    found = await desk.every("/warehouse/fleet/drivers", most=400)
    return sorted(options(found, "full_name"), key=lambda pair: pair[1].casefold())


async def _changes(desk: Desk, visitor: Visitor, id: str) -> list[Answer]:
    if not visitor.may("routes:read"):
        return []
    rows: list[Answer] = await desk.get(f"/warehouse/routes/{id}/optimizations")
    return rows


async def _places(desk: Desk, visitor: Visitor, route: Answer) -> list[tuple[str, str]]:
    """Where what is on the van may be put, of a route under way."""
    if route["status"] != "in_progress" or not visitor.may("routes:write"):
        return []
    rows = await desk.every("/warehouse/storage/locations", warehouse_id=route["warehouse_id"], climate=False)
    return [(row["id"], f"{row['code']} · {row['name']}") for row in rows]
