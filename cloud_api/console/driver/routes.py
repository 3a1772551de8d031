"""`/console/driver`: the app's page, what makes it an app, and the way of its log to `/api/v1/mobile`.

The app seals what the driver does, and keeps it until it is answered; here it is passed on as it is. Nothing in this
room looks into it.
"""

import json
import uuid
from collections.abc import Mapping

import httpx2
from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console.asking import Answer, Refused
from cloud_api.console.browser_parts import STATIC, address_of, manifest
from cloud_api.console.driver import words
from cloud_api.console.pages import Visitor, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.sessions import HOME
from cloud_api.kernel.body_limit import limited

APP = f"{HOME}/driver"
#: who the app believes to be: what one person sealed is not sent as another
DRIVER = "X-Driver"
_NEEDS = "deliveries:update_status"
_MOST_BYTES = 9_000_000
#: what the app shows without a network, beside its page
_FILES = (
    "theme.js",
    "driver.css",
    "driver.js",
    "code-reader.js",
    "icons.svg",
    "logo.svg",
    "driver-192.png",
    "driver-512.png",
)
_PASSED_ON = ("Content-Type", "X-Content-SHA256", "If-None-Match")
_PASSED_BACK = ("ETag", "Retry-After")

router = console_router("/driver")
parts = console_router("/driver", signed_in=False)


@parts.get("/manifest.webmanifest")
async def get_manifest() -> Response:
    """What a phone has to know to install the app."""
    told = {
        "id": APP,
        "name": "Coldfleet Driver",
        "short_name": "Driver",
        "description": "The route of the day, with signal and without.",
        "start_url": APP,
        "scope": APP,
        "display": "standalone",
        "orientation": "portrait",
        "background_color": "#0b6e99",
        "theme_color": "#0b6e99",
        "icons": [
            {"src": address_of("logo.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
            {"src": address_of("driver-192.png"), "sizes": "192x192", "type": "image/png", "purpose": "any maskable"},
            {"src": address_of("driver-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "any maskable"},
        ],
    }
    return Response(
        json.dumps(told), media_type="application/manifest+json", headers={"Cache-Control": "public, max-age=3600"}
    )


@parts.get("/worker.js")
async def get_worker() -> Response:
    """The service worker, told which files belong to this version of the app: when one changes so does the worker."""
    shell = json.dumps({"page": APP, "files": [address_of(name) for name in _FILES]})
    script = (STATIC / manifest()["driver-worker.js"]).read_text(encoding="utf-8")
    return Response(
        f"self.shell={shell};\n{script}",
        media_type="text/javascript",
        headers={
            "Service-Worker-Allowed": APP,
            "Cache-Control": "no-cache",
            "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'",
        },
    )


@router.get("")
async def show_app(request: Request, looking: Looking) -> Response:
    """The app. It asks for everything else itself, and goes on without an answer."""
    me = _driver(looking)
    told = {
        "user": me["id"],
        "name": me["full_name"],
        "language": looking.language,
        "zone": me["organization"]["timezone"],
        "currency": me["organization"]["currency"],
        "icons": address_of("icons.svg"),
        "reader": address_of("code-reader.js"),
        "contacts": looking.may("customers:contact"),
        "texts": words.texts(looking.language),
    }
    return show(request, "driver/app.html", told=told)


@router.get("/sync")
async def pass_feed(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """What has changed since a cursor."""
    asked = request.query_params
    if (other := _somebody_else(request, looking)) is not None:
        return other
    return _back(
        await desk.send_bytes(
            "GET", "/mobile/sync", headers=_told(request), cursor=asked.get("cursor"), limit=asked.get("limit")
        )
    )


@router.post("/sync")
async def pass_log(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """A part of the sealed log."""
    return await _pass_on(request, desk, looking, "/mobile/sync")


@router.post("/keys")
async def pass_key(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """The public half of the phone's key."""
    return await _pass_on(request, desk, looking, "/mobile/keys")


@router.post("/photos")
async def pass_photo(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """A picture, under its hash."""
    return await _pass_on(request, desk, looking, "/mobile/sync/photos")


@router.post("/scan")
async def pass_codes(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """What a code is of."""
    return await _pass_on(request, desk, looking, "/mobile/scan")


@router.post("/routes/{id}/scan")
async def pass_scans(request: Request, desk: AtDesk, looking: Looking, id: uuid.UUID) -> Response:
    """What is loaded, and what is missing: with signal it is said at once."""
    return await _pass_on(request, desk, looking, f"/mobile/routes/{id}/scan")


@router.put("/routes/{id}/order")
async def pass_reordering(request: Request, desk: AtDesk, looking: Looking, id: uuid.UUID) -> Response:
    """A shorter order of the stops ahead, from where the van is."""
    return await _pass_on(request, desk, looking, f"/mobile/routes/{id}/optimize", method="PUT")


@router.post("/contact/{id}")
async def pass_contact(request: Request, desk: AtDesk, looking: Looking, id: uuid.UUID) -> Response:
    """A call through the relay needs signal: it is asked for at once, and not kept."""
    return await _pass_on(request, desk, looking, f"/mobile/deliveries/{id}/contact")


@router.get("/places")
async def list_places(desk: AtDesk, looking: Looking, warehouse_id: uuid.UUID) -> Response:
    """Where what comes back can be put; nothing for who may not look at the store's places."""
    _driver(looking)
    if not looking.may("storage:read"):
        return JSONResponse([])
    rooms = await desk.every("/warehouse/storage/locations", most=400, warehouse_id=warehouse_id, status="active")
    kinds = ("room", "zone", "rack", "bin", "storage_unit")
    shown = [
        {"id": room["id"], "name": room["name"], "code": room["code"]}
        for room in rooms
        if room["location_type"] in kinds
    ]
    return JSONResponse(sorted(shown, key=lambda room: (room["name"], room["code"])))


async def _pass_on(request: Request, desk: AtDesk, looking: Visitor, path: str, *, method: str = "POST") -> Response:
    if (other := _somebody_else(request, looking)) is not None:
        return other
    content = await limited(request, _MOST_BYTES).body()
    return _back(await desk.send_bytes(method, path, content, headers=_told(request)))


def _told(request: Request) -> Mapping[str, str]:
    return {name: request.headers[name] for name in _PASSED_ON if name in request.headers}


def _back(answer: httpx2.Response) -> Response:
    headers = {name: answer.headers[name] for name in _PASSED_BACK if name in answer.headers}
    headers["Cache-Control"] = "no-store"
    return Response(answer.content, answer.status_code, headers, media_type=answer.headers.get("Content-Type"))


def _driver(looking: Visitor) -> Answer:
    """Who they are.

    Raises:
        Refused: for who may not report deliveries.
    """
    if looking.me is None or not looking.may(_NEEDS):
        raise Refused(403, "FORBIDDEN", looking.say("This app is for people who drive."))
    return looking.me


def _somebody_else(request: Request, looking: Visitor) -> Response | None:
    """The answer to an app that another person opened, on the same phone, before this one signed in."""
    if looking.me is not None and request.headers.get(DRIVER, "") in ("", looking.me["id"]):
        return None
    message = looking.say("Somebody else is signed in on this phone.")
    return JSONResponse({"error": {"code": "SOMEBODY_ELSE", "message": message, "details": []}}, 409)
