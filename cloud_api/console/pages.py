"""Pages: Jinja templates that stand beside their room's routes, in the reader's language, day and zone."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cloud_api.console import texts
from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.browser_parts import address_of
from cloud_api.console.forms import KEY, Form
from cloud_api.console.look import Look, look_of
from cloud_api.console.maps.ground import ground
from cloud_api.console.navigation import open_to
from cloud_api.console.writing import Writing, number
from cloud_api.kernel import clock
from cloud_api.kernel.permissions import grants

#: scripts are files of ours; styles may stand in elements, which charts and maps write
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; media-src 'self' blob:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: how a state looks: the colour says it to most, the word to everybody
_TONES: Mapping[str, str] = {
    **dict.fromkeys(
        ("available", "active", "online", "ok", "closed", "delivered", "applied", "completed", "paid", "resolved",
         "succeeded", "captured", "in_range", "verified", "accepted", "received", "passed"), "green"
    ),
    **dict.fromkeys(
        ("pending", "planned", "assigned", "queued", "confirmed", "picking", "packed", "acknowledged", "requested",
         "open_soon", "draft", "in_transit", "invited", "new", "in_use"), "azure"
    ),
    **dict.fromkeys(
        ("on_hold", "warning", "out_for_delivery", "in_progress", "running", "arrived", "degraded", "late", "stale",
         "escalated", "quarantined", "quarantine", "maintenance", "medium", "pending_verification", "partial",
         "proposed", "damaged", "in_repair", "pending_approval"), "orange"
    ),
    **dict.fromkeys(
        ("open", "critical", "high", "failed", "cancelled", "expired", "offline", "out_of_range", "refused", "revoked",
         "returned", "scrapped", "locked", "rejected", "disposed", "recalled", "conflict", "overdue", "lost"), "red"
    ),
}  # fmt: skip


class Visitor:
    """Who looks at a page, and how they are spoken to.

    Args:
        maintenance: what everybody is told while nobody may write; None: they may, or the page does not tell.
    """

    def __init__(self, request: Request, desk: Desk, me: Answer | None, maintenance: Answer | None = None) -> None:
        self.desk = desk
        self.me = me
        self.maintenance = maintenance if maintenance is not None and maintenance["enabled"] else None
        theme = me["theme"] if me else ""
        self.theme = theme if theme in ("light", "dark") else "auto"
        self.language = (
            texts.language_of(me["locale"]) if me else texts.preferred(request.headers.get("accept-language", ""))
        )
        self.say = texts.speaker(self.language)
        organization = me["organization"] if me else {"timezone": "UTC", "currency": "INR"}
        self.writing = Writing(self.say, ZoneInfo(organization["timezone"]), organization["currency"])
        self.permissions: frozenset[str] = frozenset(me["permissions"]) if me else frozenset()

    def today(self, ahead: int = 0) -> date:
        """Which day it is where the organisation is, or will be in so many days."""
        return (clock.now().astimezone(self.writing.zone) + timedelta(days=ahead)).date()

    def may(self, *permissions: str) -> bool:
        """Whether any of these was granted: what somebody may not do is not offered."""
        return any(grants(self.permissions, permission) for permission in permissions)

    def need(self, *permissions: str) -> None:
        """Turn away who has none of these, before a form is shown that nobody would take from them.

        Raises:
            Refused: saying what is missing.
        """
        if not self.may(*permissions):
            raise Refused(403, "FORBIDDEN", self.say("You may not do this: {what} is needed", what=permissions[0]))


def visitor_of(request: Request) -> Visitor:
    """Who sent this request; the route class has seen to it that somebody is there."""
    return cast(Visitor, request.state.visitor)


def show(request: Request, template: str, *, status: int = 200, **told: Any) -> HTMLResponse:
    """A page, or a part of one: the template says which, by what it extends.

    Args:
        template: its path below the console's folder: `stock/levels.html`.
        told: what it shows.
    """
    visitor = visitor_of(request)
    known = {
        "request": request,
        "visitor": visitor,
        "me": visitor.me,
        "may": visitor.may,
        "_": visitor.say,
        "wings": open_to(visitor.permissions) if visitor.me else [],
        "form": Form(),
        "now": clock.now(),
        "ground": ground(request) if visitor.me else {},
        "look": look_of(visitor.me["organization"]["branding"]) if visitor.me else Look(),
        **visitor.writing.known(),
    }
    page = _PAGES.get_template(template).render({**known, **told})
    return HTMLResponse(page, status, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})


def go(request: Request, address: str, *, said: str = "") -> Response:
    """To another page, with a word about what was done.

    Args:
        said: shown there once, as a toast; English, as in the pages.
    """
    response: Response
    if "HX-Request" in request.headers:
        response = Response(status_code=204, headers={"HX-Redirect": address})
    else:
        response = RedirectResponse(address, 303)
    if said:
        response.set_cookie("coldfleet_said", quote(visitor_of(request).say(said)), max_age=30, samesite="lax")
    return response


def attachment(content: bytes, media_type: str, name: str) -> Response:
    """A file to be kept."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


def refusal(request: Request, refused: Refused) -> Response:
    """What the API would not do, where no form shows it: a page of its own, or a toast on the page that is open."""
    if "HX-Request" in request.headers:
        headers = {"HX-Reswap": "none", "HX-Trigger": _ascii_json({"toast": {"text": refused.message, "tone": "red"}})}
        return Response(status_code=refused.status, headers=headers)
    return show(request, "shared/refused.html", status=refused.status, refused=refused)


def toast(response: Response, text: str, tone: str = "green") -> Response:
    """Say something on the page that asked by HTMX, beside what it shows."""
    response.headers["HX-Trigger"] = _ascii_json({"toast": {"text": text, "tone": tone}})
    return response


def _ascii_json(said: object) -> str:
    return json.dumps(said)


def tone(code: str | None) -> str:
    """The colour of a state."""
    return _TONES.get(code or "", "secondary")


def _environment() -> Environment:
    pages = Environment(
        loader=FileSystemLoader(texts.FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.globals |= {
        "static": address_of,
        "tone": tone,
        "number": number,
        "form_key": KEY,
        "languages": texts.LANGUAGES,
    }
    return pages


_PAGES = _environment()
