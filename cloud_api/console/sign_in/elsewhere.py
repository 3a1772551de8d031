"""Signing in through the organisation's own provider: there by a link, back by `/console/sign-in/callback`.

What binds the sign-in to this browser lies in a cookie that no script reads; it goes to the API with the answer.
"""

import json
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from cloud_api.console import forms, sessions
from cloud_api.console.asking import Refused
from cloud_api.console.pages import show
from cloud_api.console.route import AtDesk, console_router
from cloud_api.console.sign_in.coming import come_in
from cloud_api.console.sign_in.look import asked_look

router = console_router("/sign-in", signed_in=False)
_BEGUN = "coldfleet_begun"
_LIFE_S = 600


@router.get("/with/{provider}")
async def go_there(request: Request, desk: AtDesk, provider: UUID) -> Response:
    """To the provider's own sign-in."""
    begun = await desk.get(f"/auth/oauth/{provider}/authorize")
    kept = {
        "provider": str(provider),
        "binding": begun["binding"],
        "next": sessions.safe_next(request.query_params.get("next", "")),
        "organization": request.query_params.get("organization", ""),
    }
    response = RedirectResponse(begun["authorization_url"], 303)
    response.set_cookie(
        _BEGUN,
        quote(json.dumps(kept)),
        max_age=_LIFE_S,
        path="/console/sign-in",
        secure=sessions.by_https(request),
        httponly=True,
        # the provider sends the browser back by a link
        samesite="lax",
    )
    return response


@router.get("/callback")
async def come_back(request: Request, desk: AtDesk) -> Response:
    """With what the provider said."""
    kept = _kept(request)
    wanted, organization = str(kept.get("next", "")), str(kept.get("organization", ""))
    answer = {name: request.query_params.get(name, "") for name in ("code", "state")}
    form = forms.Form.of(next=wanted, organization=organization)
    look = await asked_look(request, desk, organization)
    response: Response
    try:
        if not kept or not all(answer.values()):
            said = "The sign-in was not finished there. Try again."
            raise Refused(401, "NOT_FINISHED", request.state.visitor.say(said))
        provider = UUID(str(kept["provider"]))
        body = {**answer, "binding": kept["binding"]}
        signed_in: dict[str, Any] = await desk.do("POST", f"/auth/oauth/{provider}/callback", body)
        if "challenge" in signed_in:
            response = show(request, "sign_in/sign_in.html", look=look, form=form, challenge=signed_in)
        else:
            response = await come_in(request, signed_in, wanted)
    except Refused as refused:
        form.problem = refused.message
        response = show(request, "sign_in/sign_in.html", status=401, look=look, form=form, challenge=None)
    response.delete_cookie(_BEGUN, path="/console/sign-in")
    return response


def _kept(request: Request) -> dict[str, object]:
    try:
        kept = json.loads(unquote(request.cookies.get(_BEGUN, "")))
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) and {"provider", "binding"} <= kept.keys() else {}
