"""`/console/notifications`: one's own notifications, and how one wants them; writing to others."""

from typing import Any

from fastapi import Request, Response

from cloud_api.console import forms, sessions
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import zones
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import Table, table

router = console_router("/notifications")
NOTICES = "/console/notifications"
CATEGORIES = ("system", "order", "inventory", "payment", "delivery", "quality")
CHANNELS = ("in_app", "push", "mail", "sms")
SEVERITIES = ("info", "success", "warning", "error")
_FILTERS = ("unread", "category")


@router.get("")
async def list_notifications(request: Request, desk: AtDesk) -> Response:
    """One's own, the newest first."""
    return show(request, "notices/notices.html", table=await _table(request, desk), categories=CATEGORIES)


@router.get("/part")
async def list_notifications_part(request: Request, desk: AtDesk) -> Response:
    """The list alone, read again when something comes in."""
    return show(request, "notices/notices_part.html", table=await _table(request, desk))


@router.post("/read-all")
async def read_all(request: Request, desk: AtDesk) -> Response:
    """One has seen all of them."""
    await desk.do("PUT", "/notifications/mark-all-read")
    return go(request, NOTICES, said="All are read.")


@router.get("/settings")
async def show_settings(request: Request, desk: AtDesk) -> Response:
    """What one wants to be told, on which channel, and when not."""
    return _settings(request, await desk.get("/notifications/settings"))


@router.post("/settings")
async def change_settings(request: Request, desk: AtDesk) -> Response:
    """Change what the reader is told, and how."""
    form = await forms.read(request)
    channels = {
        category: {channel: form.ticked(f"{category}.{channel}") for channel in CHANNELS} for category in CATEGORIES
    }
    quiet = {name: form.get(f"quiet_hours.{name}") for name in ("from_time", "until_time")}
    body = {
        "channels": channels,
        "quiet_hours": quiet if any(quiet.values()) else None,
        "timezone": form.get("timezone"),
    }
    try:
        await desk.do("PUT", "/notifications/settings", body)
    except Refused as refused:
        form.refuse(refused)
        if "quiet_hours" in form.errors:
            form.errors["quiet_hours.until_time"] = form.errors["quiet_hours"]
        return _settings(request, {"channels": channels}, form=form, status=refused.status)
    return go(request, f"{NOTICES}/settings", said="Saved.")


@router.get("/new")
async def show_new(request: Request, desk: AtDesk, who: Looking) -> Response:
    """The form to write to others."""
    form = forms.Form.of(severity="info", category="system")
    form.many["channels"] = ["in_app"]
    return await _new(request, desk, who, form)


@router.post("/new")
async def send(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Write to people by name, by role, or both."""
    form = await forms.read(request)
    chosen = {name: form.many.get(name, []) for name in ("roles", "user_ids", "channels")}
    try:
        await desk.do(
            "POST", "/notifications", form.body("title", "message", "category", "severity", **chosen), key=form.key
        )
    except Refused as refused:
        form.many |= chosen
        form.refuse(refused)
        return await _new(request, desk, who, form, status=refused.status)
    return go(request, NOTICES, said="They are told.")


@router.post("/{id}/read")
async def mark_read(request: Request, desk: AtDesk, id: str) -> Response:
    """One notification was read."""
    await desk.do("PUT", f"/notifications/{id}/read")
    return await _back(request)


@router.post("/{id}/delete")
async def delete(request: Request, desk: AtDesk, id: str) -> Response:
    """Take it out of one's list."""
    await desk.do("DELETE", f"/notifications/{id}")
    return await _back(request)


async def _table(request: Request, desk: Desk) -> Table:
    return await table(request, desk, "/notifications", filters=_FILTERS)


async def _back(request: Request) -> Response:
    """To the list as it was: its filters stand in the form."""
    form = await forms.read(request)
    return go(request, sessions.safe_next(form.get("back", NOTICES)))


def _settings(request: Request, said: Answer, *, form: forms.Form | None = None, status: int = 200) -> Response:
    quiet = {name: str(value)[:5] for name, value in (said.get("quiet_hours") or {}).items()}
    form = form or forms.Form.of({"timezone": said.get("timezone", ""), "quiet_hours": quiet})
    return show(
        request,
        "notices/settings.html",
        status=status,
        channels=said["channels"],
        form=form,
        categories=CATEGORIES,
        channel_names=CHANNELS,
        zones=zones(),
    )


async def _new(request: Request, desk: Desk, who: Visitor, form: forms.Form, *, status: int = 200) -> Response:
    roles, people = await together(
        _every(desk, "/admin/roles", allowed=who.may("roles:read")),
        _every(desk, "/admin/users", allowed=who.may("users:read"), status="active"),
    )
    return show(
        request,
        "notices/new.html",
        status=status,
        form=form,
        roles=sorted(roles, key=lambda role: str(role["name"])),
        people=sorted(people, key=lambda person: str(person["full_name"]).lower()),
        categories=CATEGORIES,
        severities=SEVERITIES,
        channel_names=CHANNELS,
    )


async def _every(desk: Desk, path: str, *, allowed: bool, **query: Any) -> list[Answer]:
    return await desk.every(path, **query) if allowed else []
