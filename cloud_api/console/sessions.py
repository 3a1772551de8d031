"""Who is at this browser: two cookies that no script can read, renewed while they work.

The access token is good for an hour. The refresh token works once: two requests of one browser that find the first one
spent at the same moment are given the same next one.
"""

import asyncio
import base64
import binascii
import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from fastapi import FastAPI, Request, Response

from cloud_api.console.asking import Desk, Refused
from cloud_api.kernel import clock
from cloud_api.kernel.addresses import client_address
from cloud_api.kernel.http import request_id
from cloud_api.kernel.permissions import BROWSER_COOKIE

ACCESS, AGAIN = BROWSER_COOKIE, "coldfleet_again"
#: which page a form was sent from, and that one could not be taken; scripts write and read them
PAGE_OF_FORM, UNSENT = "coldfleet_at", "coldfleet_unsent"
HOME = "/console"
SIGN_IN = f"{HOME}/sign-in"
#: renewed when it has less than this to live
_RENEWED_BEFORE_S = 120
_AGAIN_LIFE_S = 7 * 24 * 3600
_REMEMBERED = 1_000


class NotSignedIn(Exception):
    """Nobody is signed in at this browser (any more)."""


@dataclass(frozen=True)
class Tokens:
    """What a browser holds."""

    access: str
    again: str
    #: these are not the ones that the browser sent
    fresh: bool = False


class Renewals:
    """The renewals of this process, each asked for once."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, asyncio.Future[Tokens]] = OrderedDict()

    async def renewed(self, request: Request, again: str) -> Tokens:
        """The next tokens.

        Raises:
            NotSignedIn: when there are none.
        """
        digest = hashlib.sha256(again.encode()).hexdigest()
        asked = self._asked.get(digest)
        if asked is None:
            asked = self._asked[digest] = asyncio.ensure_future(_renew(request, again))
            while len(self._asked) > _REMEMBERED:
                self._asked.popitem(last=False)
        try:
            return await asyncio.shield(asked)
        except Refused as refused:
            raise NotSignedIn from refused


def desk_of(request: Request, token: str) -> Desk:
    """Where to ask for the browser that sent this request."""
    return Desk(
        request.app,
        token,
        address=(client_address(request), 0),
        request_id=request_id(),
        agent=request.headers.get("user-agent", ""),
    )


async def tokens_of(request: Request) -> Tokens:
    """Who is at the browser; renewed when it is time.

    Raises:
        NotSignedIn: when nobody is.
    """
    held = Tokens(request.cookies.get(ACCESS, ""), request.cookies.get(AGAIN, ""))
    if held.access and _seconds_left(held.access) > _RENEWED_BEFORE_S:
        return held
    if not held.again:
        raise NotSignedIn
    return await renewals_of(request.app).renewed(request, held.again)


def renewals_of(app: FastAPI) -> Renewals:
    """The renewals of this application."""
    state: Any = app.state
    if not hasattr(state, "console_renewals"):
        state.console_renewals = Renewals()
    renewals: Renewals = state.console_renewals
    return renewals


def keep(request: Request, response: Response, tokens: Tokens) -> None:
    """Give the browser what it holds from now on."""
    for name, value in ((ACCESS, tokens.access), (AGAIN, tokens.again)):
        response.set_cookie(
            name,
            value,
            max_age=_AGAIN_LIFE_S,
            path="/",
            secure=by_https(request),
            httponly=True,
            samesite="lax",
        )


def forget(response: Response) -> None:
    """Take it away."""
    for name in (ACCESS, AGAIN):
        response.delete_cookie(name, path="/")


def sign_in_address(request: Request) -> str:
    """The page to sign in at, which leads back to where this request was made.

    A form's own address cannot be opened: its page has left in a cookie where it is.
    """
    shown = request.headers.get("HX-Current-URL") or str(request.url)
    if "HX-Current-URL" not in request.headers and request.method not in ("GET", "HEAD"):
        shown = safe_next(unquote(request.cookies.get(PAGE_OF_FORM, "")))
    parts = urlsplit(shown)
    back = parts.path + (f"?{parts.query}" if parts.query else "")
    return SIGN_IN if back in (HOME, SIGN_IN) else f"{SIGN_IN}?next={quote(back, safe='')}"


def safe_next(wanted: str) -> str:
    """Where to go after signing in: pages of the console only."""
    return wanted if wanted.startswith(f"{HOME}/") and "//" not in wanted and "\\" not in wanted else HOME


def is_own(request: Request) -> bool:
    """Whether a request that changes something was made by a page of ours: browsers say where they come from."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("Host")


async def _renew(request: Request, again: str) -> Tokens:
    said = await desk_of(request, "").do("POST", "/auth/refresh", {"refresh_token": again})
    return replace(given(said), fresh=True)


def given(said: dict[str, Any]) -> Tokens:
    """The tokens in the API's answer to a sign-in."""
    return Tokens(said["access_token"], said["refresh_token"])


def by_https(request: Request) -> bool:
    """Whether the browser came by HTTPS, or would have to."""
    return bool(request.url.scheme == "https" or request.app.state.settings.public_url.startswith("https:"))


def _seconds_left(token: str) -> float:
    """How long an access token is good for, as it says itself; whether it is good at all the API decides."""
    try:
        claims = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        return float(said["exp"] - clock.now().timestamp())
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return 0.0
