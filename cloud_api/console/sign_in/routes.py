"""`/console/sign-in`, `/console/sign-out`, and what was forgotten."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from cloud_api.console import forms, sessions
from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.pages import go, show
from cloud_api.console.route import AtDesk, console_router
from cloud_api.console.sign_in import elsewhere
from cloud_api.console.sign_in.coming import come_in
from cloud_api.console.sign_in.look import asked_look

entrance = console_router(signed_in=False)
leaving = console_router()


@entrance.get("/sign-in")
async def show_sign_in(request: Request, desk: AtDesk) -> Response:
    """The form; `next` is the page to go on to, `organization` whose look it has."""
    wanted = sessions.safe_next(request.query_params.get("next", ""))
    return await _page(request, desk, forms.Form.of(next=wanted))


@entrance.post("/sign-in")
async def sign_in(request: Request, desk: AtDesk) -> Response:
    """Compare the password; where a second factor is in force, ask for its code."""
    form = await forms.read(request)
    credentials = {"login": form.get("login"), "password": form.values.get("password", "")}
    try:
        said = await desk.do("POST", "/auth/login", credentials)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, form, status=401)
    return await _go_on(request, desk, form, said)


@entrance.post("/sign-in/directory")
async def sign_in_by_directory(request: Request, desk: AtDesk) -> Response:
    """Let the organisation's own directory compare the password."""
    form = await forms.read(request)
    credentials = {
        "organization": form.get("organization"),
        "login": form.get("login"),
        "password": form.values.get("password", ""),
    }
    try:
        said = await desk.do("POST", "/auth/ldap/login", credentials)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, form, status=401)
    return await _go_on(request, desk, form, said)


@entrance.post("/sign-in/code")
async def answer_challenge(request: Request, desk: AtDesk) -> Response:
    """Compare the second factor's code."""
    form = await forms.read(request)
    try:
        said = await desk.do("POST", "/auth/2fa/challenge", form.body("challenge", "code"))
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, form, challenge=_challenge(form), status=401)
    return await _go_on(request, desk, form, said)


@entrance.post("/sign-in/sms")
async def send_code(request: Request, desk: AtDesk) -> Response:
    """Send the code by SMS."""
    form = await forms.read(request)
    try:
        await desk.do("POST", "/auth/2fa/sms", form.body("challenge"))
    except Refused as refused:
        form.refuse(refused)
    return await _page(request, desk, form, challenge=_challenge(form))


@entrance.get("/forgotten")
async def show_forgotten(request: Request, desk: AtDesk) -> Response:
    """Ask for a mail with a way to a new password."""
    return show(request, "sign_in/forgotten.html", look=await asked_look(request, desk), sent=False)


@entrance.post("/forgotten")
async def send_reset(request: Request, desk: AtDesk) -> Response:
    """Send it; whether anybody has that name or address is not said."""
    form = await forms.read(request)
    look = await asked_look(request, desk, form.get("organization"))
    try:
        await desk.do("POST", "/auth/forgot-password", {"login": form.get("login")})
    except Refused as refused:
        form.refuse(refused)
        return show(request, "sign_in/forgotten.html", status=refused.status, look=look, form=form, sent=False)
    return show(request, "sign_in/forgotten.html", look=look, form=form, sent=True)


@leaving.post("/sign-out")
async def sign_out(request: Request, desk: AtDesk) -> Response:
    """End this sign-in everywhere."""
    await desk.do("POST", "/auth/logout")
    response = go(request, sessions.SIGN_IN, said="You are signed out.")
    sessions.forget(response)
    return response


@leaving.get("/renew")
async def renew() -> Response:
    """What a page asks whose live view has lost its sign-in: it comes back with new cookies."""
    return Response(status_code=204)


async def _page(
    request: Request,
    desk: Desk,
    form: forms.Form,
    *,
    challenge: Mapping[str, Any] | None = None,
    status: int = 200,
) -> Response:
    look = await asked_look(request, desk, form.get("organization"))
    return show(request, "sign_in/sign_in.html", status=status, look=look, form=form, challenge=challenge)


async def _go_on(request: Request, desk: Desk, form: forms.Form, said: Answer) -> Response:
    """In, or on to the second factor."""
    if "challenge" in said:
        return await _page(request, desk, form, challenge=said)
    return await come_in(request, said, form.get("next"))


def _challenge(form: forms.Form) -> Mapping[str, Any]:
    return {"challenge": form.get("challenge"), "methods": form.get("methods").split(",")}


router = APIRouter()
for part in (entrance, elsewhere.router):
    router.include_router(part)
