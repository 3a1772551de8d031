"""Where mailed links lead: a new password, a confirmed address, an invitation.

The link carries its token behind the `#`, which browsers send to nobody: `mailed-link.js` puts it into the form. Who
has no script types the code that stands in the mail, too.
"""

from urllib.parse import quote

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Refused
from cloud_api.console.pages import go, show, visitor_of
from cloud_api.console.route import AtDesk, console_router
from cloud_api.console.sessions import SIGN_IN

router = console_router(signed_in=False)


@router.get("/reset-password")
async def show_reset(request: Request) -> Response:
    """Choose a new password."""
    return show(request, "me/reset_password.html")


@router.post("/reset-password")
async def reset_password(request: Request, desk: AtDesk) -> Response:
    """Take the new password; every sign-in ends."""
    form = await forms.read(request)
    if _differs(request, form, "new_password"):
        return show(request, "me/reset_password.html", status=422, form=form)
    body = {"token": form.get("token"), "new_password": form.values.get("new_password", "")}
    try:
        await desk.do("POST", "/auth/reset-password", body)
    except Refused as refused:
        return _again(request, "me/reset_password.html", form, refused)
    return go(request, SIGN_IN, said="The password is changed: sign in with it.")


@router.get("/verify-email")
async def show_verify(request: Request) -> Response:
    """Confirm an e-mail address."""
    return show(request, "me/verify_email.html")


@router.post("/verify-email")
async def verify_email(request: Request, desk: AtDesk) -> Response:
    """It is confirmed."""
    form = await forms.read(request)
    try:
        await desk.do("POST", "/auth/verify-email", {"token": form.get("token")})
    except Refused as refused:
        return _again(request, "me/verify_email.html", form, refused)
    return go(request, SIGN_IN, said="The address is confirmed.")


@router.get("/invitation")
async def show_invitation(request: Request) -> Response:
    """Accept an invitation."""
    return show(request, "me/invitation.html")


@router.post("/invitation")
async def accept_invitation(request: Request, desk: AtDesk) -> Response:
    """Make the account; then sign in."""
    form = await forms.read(request)
    if _differs(request, form, "password"):
        return show(request, "me/invitation.html", status=422, form=form)
    body = form.body("username", "full_name", "phone", password=form.values.get("password", ""))
    token = quote(form.get("token"), safe="") or "-"
    try:
        await desk.do("POST", f"/invites/{token}/accept", body)
    except Refused as refused:
        return _again(request, "me/invitation.html", form, refused)
    return go(request, SIGN_IN, said="Welcome. Sign in with the name and password that you chose.")


def _differs(request: Request, form: forms.Form, name: str) -> bool:
    """Whether the password was typed in two ways."""
    if form.values.get(name, "") == form.values.get("again", ""):
        return False
    form.errors["again"] = visitor_of(request).say("This is not what stands above.")
    return True


def _again(request: Request, template: str, form: forms.Form, refused: Refused) -> Response:
    form.refuse(refused)
    return show(request, template, status=refused.status, form=form)
