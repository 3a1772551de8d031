"""`POST /api/v1/auth/oauth/token`: an access token for a program (RFC 6749, section 4.4).

The one operation that speaks RFC 6749 instead of our envelope: libraries that do OAuth 2 read `access_token` and
`error` at the top of the answer and know nothing else.
"""

import base64
import binascii
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity import tokens
from cloud_api.identity.machines import clients
from cloud_api.identity.machines.errors import GrantRefused
from cloud_api.identity.machines.schemas import ClientTokenRead, GrantErrorRead
from cloud_api.kernel.body_limit import takes_up_to
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.rate_limits import budget
from cloud_api.kernel.unit_of_work import system_unit_of_work

router = APIRouter(tags=["auth"], route_class=ApiRoute)

TokenDb = Annotated[AsyncSession, Depends(system_unit_of_work("give an OAuth client a token"), scope="function")]
_NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_FORM = "application/x-www-form-urlencoded"
_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        _FORM: {
            "schema": {
                "type": "object",
                "required": ["grant_type"],
                "properties": {
                    "grant_type": {"type": "string", "enum": ["client_credentials"]},
                    "scope": {"type": "string", "description": "By blanks; all that the client has when left out."},
                    "client_id": {"type": "string", "description": "Unless it comes by HTTP Basic."},
                    "client_secret": {"type": "string", "description": "Unless it comes by HTTP Basic."},
                },
            }
        }
    },
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": ClientTokenRead, "description": "The token"},
    400: {"model": GrantErrorRead, "description": "invalid_request, invalid_scope or unsupported_grant_type"},
    401: {"model": GrantErrorRead, "description": "invalid_client"},
}


@router.post("/auth/oauth/token", response_model=None, responses=_ANSWERS, openapi_extra={"requestBody": _BODY})
@budget("anonymous")  # a client's secret cannot be guessed; many clients may stand behind one address
@takes_up_to(16_384)
async def issue_client_token(request: Request, db: TokenDb) -> JSONResponse:
    """An access token for a registered client, good for an hour: the grant `client_credentials` of RFC 6749.

    The client shows itself by HTTP Basic or in the form. Answers and errors are those of the RFC, without our envelope.
    """
    try:
        form = _fields(await request.body(), request.headers.get("content-type", ""))
        client_id, secret = _credentials(form, request.headers.get("authorization", ""))
        if form.get("grant_type") != "client_credentials":
            raise GrantRefused("unsupported_grant_type" if form.get("grant_type") else "invalid_request", "grant_type")
        claims = await clients.grant(db, client_id=client_id, secret=secret, wanted=form.get("scope", ""))
    except GrantRefused as refused:
        body = GrantErrorRead(error=refused.error, error_description=refused.message)
        return JSONResponse(body.model_dump(), refused.status, headers={**_NOT_KEPT, **refused.headers})
    token = ClientTokenRead(
        access_token=await tokens.issue(claims, request.app.state.keyring, db),
        token_type="Bearer",  # noqa: S106 - the scheme's name
        expires_in=int(tokens.ACCESS_TOKEN_LIFE.total_seconds()),
        scope=claims.scope,
    )
    return JSONResponse(token.model_dump(), headers=_NOT_KEPT)


def _fields(body: bytes, content_type: str) -> dict[str, str]:
    """The form's fields; what is sent empty counts as not sent (RFC 6749, section 3.2).

    Raises:
        GrantRefused: when it is no form, or says something twice.
    """
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise GrantRefused("invalid_request", f"send {_FORM}")
    try:
        pairs = parse_qsl(body.decode(), errors="strict", max_num_fields=50)
    except ValueError:
        raise GrantRefused("invalid_request", "this is no form") from None
    if len(dict(pairs)) < len(pairs):
        raise GrantRefused("invalid_request", "a field stands twice in the form")
    return dict(pairs)


def _credentials(form: dict[str, str], authorization: str) -> tuple[str, str]:
    """(client id, secret), by HTTP Basic or in the form (RFC 6749, section 2.3.1).

    Raises:
        GrantRefused: when there are none, two ways at once, or they cannot be read.
    """
    in_form = (form.get("client_id", ""), form.get("client_secret", ""))
    if not authorization:
        return _readable(*in_form)
    if in_form[1]:
        raise GrantRefused("invalid_request", "show the client by HTTP Basic or in the form, not both")
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise GrantRefused("invalid_client") from None
    if scheme.lower() != "basic" or not colon:
        raise GrantRefused("invalid_client")
    return _readable(unquote_plus(client_id), unquote_plus(secret))


def _readable(client_id: str, secret: str) -> tuple[str, str]:
    if not client_id or not secret or "\0" in client_id:  # PostgreSQL keeps every character but this one
        raise GrantRefused("invalid_client")
    return client_id, secret
