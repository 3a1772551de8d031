"""Headers on every answer: what a browser may do with it, and what is left of the caller's budget."""

import base64
import hashlib
import re
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_api.kernel.rate_limits import Standing

#: on the documentation page, which has one script of its own; everything else it needs comes from this server
_DOCS_PATHS = ("/docs",)
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
#: answers are somebody's own: nobody on the way keeps them, unless a route says otherwise
_NOT_KEPT = re.compile(r"/api/")

_ALWAYS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-site",
}
_API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_YEAR_S = 31_536_000


def security_headers(scope: Scope, *, https: bool) -> dict[str, str]:
    """What a browser is told about the answer to this request, unless the answer itself says otherwise.

    Args:
        https: people reach us by HTTPS, whatever this connection is.
    """
    headers = {**_ALWAYS, "Content-Security-Policy": _API_POLICY}
    if https or scope.get("scheme") == "https":
        headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}; includeSubDomains"
    if _NOT_KEPT.match(scope["path"]):
        headers["Cache-Control"] = "no-store"
    standing = scope.get("state", {}).get("rate_limit")
    return {**headers, **(standing.headers if isinstance(standing, Standing) else {})}


class ResponseHeaders:
    """ASGI middleware that adds `security_headers`, and gives the documentation page a policy that it works under."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})
        is_page = scope["path"].startswith(_DOCS_PATHS)
        held: Message | None = None

        async def send_with_headers(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in security_headers(scope, https=self.https).items():
                    headers.setdefault(name, value)
                if is_page:  # its policy names its script by hash, which the body tells
                    held = message
                    return
            elif held is not None:
                start, held = held, None
                MutableHeaders(scope=start)["Content-Security-Policy"] = _page_policy(message.get("body", b""))
                await send(start)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _page_policy(page: bytes) -> str:
    hashes = "".join(
        f" 'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
        for script in _INLINE_SCRIPT.findall(page)
    )
    return (
        f"default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
