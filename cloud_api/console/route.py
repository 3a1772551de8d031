"""A route of the console: somebody is signed in, what changes something was asked by a page of ours, and what the API
refuses is shown."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse
from fastapi.routing import APIRoute

from cloud_api.console import sessions
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.browser_parts import NotBuilt
from cloud_api.console.pages import Visitor, refusal, visitor_of
from cloud_api.console.sessions import HOME, NotSignedIn, Tokens

_READS = frozenset({"GET", "HEAD"})
#: what was typed waits so long for somebody to sign in again
_TYPED_AGAIN_S = 3_600


class ConsoleRoute(APIRoute):
    """Of pages for people who are signed in."""

    signed_in = True

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler FastAPI built, with somebody at the browser."""
        handle = super().get_route_handler()

        async def handle_for_somebody(request: Request) -> Response:
            if request.method not in _READS and not sessions.is_own(request):
                return PlainTextResponse("not from a page of the console: open it, and try again there", 403)
            tokens: Tokens | None = None
            try:
                tokens = await self._come_in(request)
                response = await handle(request)
            except NotSignedIn:
                return _away(request)
            except Refused as refused:
                if refused.status == 401 and self.signed_in:
                    return _away(request)
                if refused.code in _DUTIES:
                    return RedirectResponse(_DUTIES[refused.code], 303)
                response = refusal(request, refused)
            except NotBuilt as missing:
                return PlainTextResponse(str(missing), 503)
            if tokens is not None and tokens.fresh:
                sessions.keep(request, response, tokens)
            return response

        return handle_for_somebody

    async def _come_in(self, request: Request) -> Tokens | None:
        if not self.signed_in:
            desk = sessions.desk_of(request, "")
            request.state.visitor = Visitor(request, desk, None, await _maintenance(request, desk))
            return None
        tokens = await sessions.tokens_of(request)
        desk = sessions.desk_of(request, tokens.access)
        me, maintenance = await together(desk.get("/auth/me"), _maintenance(request, desk))
        request.state.visitor = Visitor(request, desk, me, maintenance)
        return tokens


class OpenRoute(ConsoleRoute):
    """Of pages for everybody: signing in, and what comes before."""

    signed_in = False


#: what somebody has to do before anything else, and where
_DUTIES = {"TWO_FACTOR_REQUIRED": f"{HOME}/me/second-factor", "PASSWORD_EXPIRED": f"{HOME}/me/password"}


async def _maintenance(request: Request, desk: Desk) -> Answer | None:
    """Whether nobody may write now; a part of a page that is open does not tell it again."""
    return None if "HX-Request" in request.headers else await desk.get("/maintenance")


def _away(request: Request) -> Response:
    """To the sign-in, which leads back here."""
    address = sessions.sign_in_address(request)
    response: Response
    if "HX-Request" in request.headers:
        response = Response(status_code=204, headers={"HX-Redirect": address})
    else:
        response = RedirectResponse(address, 303)
    if request.method not in _READS and address != sessions.SIGN_IN:
        # the page brings back what was typed
        response.set_cookie(sessions.UNSENT, "1", max_age=_TYPED_AGAIN_S, path=HOME, samesite="lax")
    if sessions.ACCESS in request.cookies or sessions.AGAIN in request.cookies:
        # else there is nothing to forget: they may have signed in while this was on its way
        sessions.forget(response)
    return response


def _desk(request: Request) -> Desk:
    return visitor_of(request).desk


def _visitor(request: Request) -> Visitor:
    return visitor_of(request)


#: what a handler asks for: where to ask the API, and who is looking
AtDesk = Annotated[Desk, Depends(_desk)]
Looking = Annotated[Visitor, Depends(_visitor)]


def console_router(prefix: str = "", *, signed_in: bool = True) -> APIRouter:
    """A room's router, below `/console`."""
    kind = ConsoleRoute if signed_in else OpenRoute
    return APIRouter(prefix=f"{HOME}{prefix}", route_class=cast(Any, kind), include_in_schema=False)
