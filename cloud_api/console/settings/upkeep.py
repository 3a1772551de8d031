"""`/console/settings/platform`: what those look at who keep the platform running, for all organisations."""

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused, gathered
from cloud_api.console.forms import Form
from cloud_api.console.names import short
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/settings/platform")
PLATFORM = "/console/settings/platform"
_SWITCH = "/admin/maintenance"
#: what two people may say differently, as the form calls it
_LABELS = {"enabled": "On", "message": "What everybody is told", "until": "Over at about"}
#: of the database's steps, the last ones that it has taken
_SHOWN = 5


@router.get("")
async def show_platform(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Whether all is well, what failed, and what can be switched."""
    who.need("monitoring:read", "platform:manage")
    return await _page(request, desk, who)


@router.post("/maintenance")
async def switch_maintenance(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Begin maintenance, tell something else of it, or end it."""
    form = await forms.read(request)
    begins = form.get("enabled") == "true"
    told = {"until": who.writing.instant(form.get("until"))} if begins else {}
    body = {**form.body("message"), **told, **clashes.version_of(form), "enabled": begins}
    try:
        await desk.do("PUT", _SWITCH, body)
    except Refused as refused:
        form.refuse(refused)
        now = _form_of(await desk.get(_SWITCH), who)
        clashes.meet(form, refused, now, clashes.said(who, _LABELS))
        return await _page(request, desk, who, form=form, status=refused.status)
    return go(request, PLATFORM, said="Nobody can change anything now." if begins else "Everybody can work again.")


@router.post("/keys")
async def rotate_keys(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Sign with a new key from now on."""
    made = await desk.do("POST", "/admin/security/keys/rotate")
    return await _page(request, desk, who, made=made)


@router.post("/events/{id}/retry")
async def retry_event(request: Request, desk: AtDesk, id: str) -> Response:
    """Try once more what was given up."""
    await desk.do("POST", f"/admin/outbox/{id}/retry")
    return go(request, PLATFORM, said="It is tried again.")


async def _page(
    request: Request,
    desk: Desk,
    who: Visitor,
    *,
    form: Form | None = None,
    made: Answer | None = None,
    status: int = 200,
) -> Response:
    """What somebody may not read, and what does not answer now, is left out."""
    health, outbox, schema, switch = await gathered(
        *(desk.get(path) for path in ("/monitoring/health", "/admin/outbox", "/admin/migrations", _SWITCH))
    )
    return show(
        request,
        "settings/platform.html",
        status=status,
        health=health,
        outbox=outbox,
        schema=schema,
        switch=switch,
        form=form or (_form_of(switch, who) if switch else Form()),
        made=made,
        last=_SHOWN,
        short=short,
    )


def _form_of(switch: Answer, who: Visitor) -> Form:
    return Form.of(
        enabled=switch["enabled"],
        message=switch["message"],
        until=who.writing.field_of(switch["until"]) if switch["enabled"] else "",
        version=switch["version"],
    )
