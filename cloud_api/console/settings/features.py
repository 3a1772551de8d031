"""`/console/settings/flags`: features that are switched on and off, for the whole platform or a part of it."""

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Refused
from cloud_api.console.pages import go, show
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/settings/flags")
FLAGS = "/console/settings/flags"
_SOURCE = "/admin/feature-flags"
#: what two people may say differently, as the form calls it
_LABELS = {
    "description": "What it is",
    "enabled": "On",
    "rollout_percentage": "For so many percent",
    "roles": "For these roles only",
}


@router.get("")
async def list_flags(request: Request, desk: AtDesk) -> Response:
    """Every feature, and for whom it is switched on."""
    return show(request, "settings/flags.html", flags=await desk.every(_SOURCE))


@router.get("/new")
async def show_new_flag(request: Request) -> Response:
    """The form of a new one."""
    return show(request, "settings/flag.html", flag=None, form=forms.Form.of(rollout_percentage="100"))


@router.post("/new")
async def create_flag(request: Request, desk: AtDesk) -> Response:
    """Make a feature that can be switched."""
    form = await forms.read(request)
    try:
        await desk.do("POST", _SOURCE, {**_rules(form), "key": form.get("key")}, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return show(request, "settings/flag.html", status=refused.status, flag=None, form=form)
    return go(request, FLAGS, said="The feature is added.")


@router.get("/{key}")
async def show_flag(request: Request, desk: AtDesk, key: str) -> Response:
    """One feature, and for whom it is on."""
    flag = await desk.get(f"{_SOURCE}/{key}")
    return show(request, "settings/flag.html", flag=flag, form=_form_of(flag))


@router.post("/{key}")
async def change_flag(request: Request, desk: AtDesk, who: Looking, key: str) -> Response:
    """Change for whom it is on."""
    form = await forms.read(request)
    try:
        await desk.do("PUT", f"{_SOURCE}/{key}", {**_rules(form), **clashes.version_of(form)})
    except Refused as refused:
        form.refuse(refused)
        flag = await desk.get(f"{_SOURCE}/{key}")
        clashes.meet(form, refused, _form_of(flag), clashes.said(who, _LABELS))
        return show(request, "settings/flag.html", status=refused.status, flag=flag, form=form)
    return go(request, FLAGS, said="Saved.")


@router.post("/{key}/switch")
async def switch_flag(request: Request, desk: AtDesk, key: str) -> Response:
    """Switch a feature on or off for everybody."""
    form = await forms.read(request)
    enabled = form.get("enabled") == "true"
    await desk.do("PUT", f"{_SOURCE}/{key}", {"enabled": enabled})
    return go(request, FLAGS, said="The feature is on." if enabled else "The feature is off.")


@router.post("/{key}/delete")
async def delete_flag(request: Request, desk: AtDesk, key: str) -> Response:
    """Take it away; it is off for everybody."""
    await desk.do("DELETE", f"{_SOURCE}/{key}")
    return go(request, FLAGS, said="The feature is gone.")


def _form_of(flag: Answer) -> forms.Form:
    return forms.Form.of(
        description=flag["description"],
        enabled=flag["enabled"],
        rollout_percentage=f"{flag['rollout_percentage']:g}",
        roles=", ".join(flag["roles"]),
        version=flag["version"],
    )


def _rules(form: forms.Form) -> dict[str, object]:
    return {
        "description": form.get("description"),
        "enabled": form.ticked("enabled"),
        "rollout_percentage": form.get("rollout_percentage") or "100",
        "roles": [role.strip() for role in form.get("roles").split(",") if role.strip()],
    }
