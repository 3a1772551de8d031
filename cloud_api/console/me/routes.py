"""`/console/me`: one's own profile, password and sign-ins; the second factor stands in `second_factor.py`."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Refused, together
from cloud_api.console.me import mailed, phones, second_factor
from cloud_api.console.pages import attachment, go, show, visitor_of
from cloud_api.console.route import AtDesk, Looking, console_router

me = console_router("/me")
ME = "/console/me"
#: a duty -> where it is done; there is nowhere else to go before
_DONE_AT: Mapping[str, str] = {"TWO_FACTOR_REQUIRED": f"{ME}/second-factor", "PASSWORD_EXPIRED": f"{ME}/password"}


@me.get("")
async def show_me(request: Request, who: Looking) -> Response:
    """One's own profile."""
    assert who.me is not None  # noqa: S101 - the route class has seen to it
    if who.me["duty"]:
        return go(request, _DONE_AT[who.me["duty"]])
    return show(request, "me/profile.html", form=forms.Form.of(who.me))


@me.post("")
async def change_me(request: Request, desk: AtDesk) -> Response:
    """Change it; the next page already speaks the language that was chosen."""
    form = await forms.read(request)
    body = form.body("full_name", "locale", "theme", phone=form.get("phone"))
    if form.values.get("current_password"):
        body["current_password"] = form.values["current_password"]
    try:
        await desk.do("PUT", "/auth/me", body)
    except Refused as refused:
        form.refuse(refused)
        if "PASSWORD" in refused.code or refused.code == "WRONG_CREDENTIALS":
            form.errors.setdefault("current_password", refused.message)
        return show(request, "me/profile.html", status=refused.status, form=form)
    return go(request, ME, said="Saved.")


@me.post("/confirm-address")
async def send_confirmation(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Mail the way to confirm one's address once more."""
    assert who.me is not None  # noqa: S101 - the route class has seen to it
    await desk.do("POST", "/auth/resend-verification", {"login": who.me["username"]})
    return go(request, ME, said="A mail is on its way.")


@me.get("/password")
async def show_password(request: Request) -> Response:
    """The form to change one's password; also when it has expired and nothing else is open."""
    return show(request, "me/password.html")


@me.post("/password")
async def change_password(request: Request, desk: AtDesk) -> Response:
    """Change it; every other sign-in of one's own ends."""
    form = await forms.read(request)
    wanted = {name: form.values.get(name, "") for name in ("current_password", "new_password")}
    if wanted["new_password"] != form.values.get("again", ""):
        form.errors["again"] = visitor_of(request).say("This is not what stands above.")
        return show(request, "me/password.html", status=422, form=form)
    try:
        await desk.do("POST", "/auth/change-password", wanted)
    except Refused as refused:
        form.refuse(refused)
        return show(request, "me/password.html", status=refused.status, form=form)
    return go(request, "/console", said="The password is changed. Other sign-ins of yours have ended.")


@me.get("/sessions")
async def show_sessions(request: Request, desk: AtDesk) -> Response:
    """Where one is signed in."""
    return show(request, "me/sessions.html", sessions=await desk.get("/auth/sessions"))


@me.post("/sessions/end-others")
async def end_others(request: Request, desk: AtDesk) -> Response:
    """Sign out everywhere but here."""
    await desk.do("DELETE", "/auth/sessions")
    return go(request, f"{ME}/sessions", said="All other sign-ins have ended.")


@me.post("/sessions/{id}/end")
async def end_session(request: Request, desk: AtDesk, id: str) -> Response:
    """End one sign-in."""
    await desk.do("DELETE", f"/auth/sessions/{id}")
    return go(request, f"{ME}/sessions", said="The sign-in has ended.")


@me.get("/data")
async def show_data(request: Request, desk: AtDesk) -> Response:
    """A copy of what is kept about oneself; those that this browser asked for."""
    asked = [one for one in request.query_params.get("asked", "").split(",") if one][:5]
    copies = await together(*(desk.get(f"/privacy/exports/{one}") for one in asked))
    return show(request, "me/data.html", copies=copies)


@me.post("/data")
async def ask_for_data(request: Request, desk: AtDesk) -> Response:
    """Let a copy be put together."""
    made = await desk.do("POST", "/privacy/exports", {})
    return go(request, f"{ME}/data?asked={made['id']}", said="The copy is being put together.")


@me.get("/data/{id}.json")
async def download_data(desk: AtDesk, id: str) -> Response:
    """The copy itself."""
    file = await desk.raw(f"/privacy/exports/{id}/download")
    return attachment(file.content, "application/json", f"personal-data-{id}.json")


@me.post("/data/erase")
async def ask_for_erasure(request: Request, desk: AtDesk) -> Response:
    """Ask that one's data be made unreadable; somebody responsible decides."""
    form = await forms.read(request)
    await desk.do("POST", "/privacy/erasure-requests", form.body("reason"), key=form.key)
    return go(request, f"{ME}/data", said="Your request is with those responsible.")


router = APIRouter()
for part in (me, second_factor.router, phones.router, mailed.router):
    router.include_router(part)
