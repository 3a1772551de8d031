"""`/console/me/second-factor`: enrolling by a picture, backup codes, switching off."""

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Refused
from cloud_api.console.pages import go, show
from cloud_api.console.qr import picture_of
from cloud_api.console.route import AtDesk, console_router

router = console_router("/me/second-factor")


def _page(request: Request, *, status: int = 200, form: forms.Form | None = None, begun: str = "") -> Response:
    """`begun` is the address that the app is shown, while somebody enrols."""
    told = {"form": form or forms.Form(), "begun": begun, "picture": picture_of(begun) if begun else ""}
    return show(request, "me/second_factor.html", status=status, **told)


@router.get("")
async def show_second_factor(request: Request) -> Response:
    """Whether one is in force; also when nothing else is open before."""
    return _page(request)


@router.post("/begin")
async def begin(request: Request, desk: AtDesk) -> Response:
    """Draw a secret, and show it as a picture."""
    made = await desk.do("POST", "/auth/2fa/setup")
    return _page(request, begun=made["otpauth_uri"], form=forms.Form.of(secret=made["secret"]))


@router.post("/enable")
async def enable(request: Request, desk: AtDesk) -> Response:
    """Confirm the app by a first code; the backup codes are shown, this once."""
    form = await forms.read(request)
    try:
        made = await desk.do("POST", "/auth/2fa/enable", form.body("code"))
    except Refused as refused:
        form.refuse(refused)
        return _page(request, status=refused.status, form=form, begun=form.get("begun")[:500])
    return show(request, "me/backup_codes.html", codes=made["backup_codes"], enrolled=True)


@router.post("/backup-codes")
async def replace_backup_codes(request: Request, desk: AtDesk) -> Response:
    """Ten others; those before work no more."""
    form = await forms.read(request)
    try:
        made = await desk.do("POST", "/auth/2fa/backup-codes", form.body("code"))
    except Refused as refused:
        form.refuse(refused)
        return _page(request, status=refused.status, form=_moved(form, "code", "new_code"))
    return show(request, "me/backup_codes.html", codes=made["backup_codes"], enrolled=False)


@router.post("/disable")
async def disable(request: Request, desk: AtDesk) -> Response:
    """Switch it off; who administers cannot."""
    form = await forms.read(request)
    body = form.body("code", password=form.values.get("password", ""))
    try:
        await desk.do("POST", "/auth/2fa/disable", body)
    except Refused as refused:
        form.refuse(refused)
        return _page(request, status=refused.status, form=form)
    return go(request, "/console/me/second-factor", said="The second factor is off.")


def _moved(form: forms.Form, name: str, shown: str) -> forms.Form:
    """The complaint beside the field of another form on the page."""
    if name in form.errors:
        form.errors[shown] = form.errors.pop(name)
    return form
