"""`/console/sign-in`, `/console/sign-out`."""

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from cloud_api.console import forms, sessions
from cloud_api.console.asking import Refused
from cloud_api.console.pages import go, show
from cloud_api.console.route import AtDesk, console_router

router = console_router(signed_in=False)
leaving = console_router()


@router.get("/sign-in")
async def show_sign_in(request: Request) -> Response:
    """The form; `next` is the page to go on to."""
    wanted = sessions.safe_next(request.query_params.get("next", ""))
    return show(request, "sign_in/sign_in.html", form=forms.Form.of(next=wanted), challenge=None)


@router.post("/sign-in")
async def sign_in(request: Request, desk: AtDesk) -> Response:
    """Compare the password; where a second factor is in force, ask for its code."""
    form = await forms.read(request)
    try:
        said = await desk.do("POST", "/auth/login", {"login": form.get("login"), "password": form.values["password"]})
    except (Refused, KeyError) as refused:
        if isinstance(refused, Refused):
            form.refuse(refused)
        return show(request, "sign_in/sign_in.html", status=401, form=form, challenge=None)
    if "challenge" in said:
        return show(request, "sign_in/sign_in.html", form=form, challenge=said)
    return _come_in(request, said, form.get("next"))


@router.post("/sign-in/code")
async def answer_challenge(request: Request, desk: AtDesk) -> Response:
    """Compare the second factor's code."""
    form = await forms.read(request)
    challenge = {"challenge": form.get("challenge"), "methods": form.get("methods").split(",")}
    try:
        said = await desk.do("POST", "/auth/2fa/challenge", form.body("challenge", "code"))
    except Refused as refused:
        form.refuse(refused)
        return show(request, "sign_in/sign_in.html", status=401, form=form, challenge=challenge)
    return _come_in(request, said, form.get("next"))


@router.post("/sign-in/sms")
async def send_code(request: Request, desk: AtDesk) -> Response:
    """Send the code by SMS."""
    form = await forms.read(request)
    challenge = {"challenge": form.get("challenge"), "methods": form.get("methods").split(",")}
    try:
        await desk.do("POST", "/auth/2fa/sms", form.body("challenge"))
    except Refused as refused:
        form.refuse(refused)
    return show(request, "sign_in/sign_in.html", form=form, challenge=challenge)


@router.get("/forgotten")
async def show_forgotten(request: Request) -> Response:
    """Ask for a mail with a way to a new password."""
    return show(request, "sign_in/forgotten.html", sent=False)


@router.post("/forgotten")
async def send_reset(request: Request, desk: AtDesk) -> Response:
    """Send it; whether anybody has that address is not said."""
    form = await forms.read(request)
    try:
        await desk.do("POST", "/auth/forgot-password", form.body("email"))
    except Refused as refused:
        form.refuse(refused)
        return show(request, "sign_in/forgotten.html", status=422, form=form, sent=False)
    return show(request, "sign_in/forgotten.html", form=form, sent=True)


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


def _come_in(request: Request, said: dict[str, str], wanted: str) -> Response:
    response = RedirectResponse(sessions.safe_next(wanted), 303)
    sessions.keep(request, response, sessions.given(said))
    return response
