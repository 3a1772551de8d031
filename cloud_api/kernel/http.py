"""What goes over HTTP around a room's own data: envelopes, errors, request ids, the route class.

A route returns its data; `ApiRoute` puts the envelope around it, so that no room writes one.
"""

import functools
import re
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, field_validator
from pydantic_core import CoreSchema
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_api.kernel import body_limit, clock, idempotency, json_types, wire
from cloud_api.kernel.addresses import client_address, neighbourhood
from cloud_api.kernel.errors import AppError, Detail, Invalid
from cloud_api.kernel.metrics import ERROR_CODE, RequestMetrics
from cloud_api.kernel.paging import Page
from cloud_api.kernel.permissions import current_principal
from cloud_api.kernel.rate_limits import Budget, charge
from cloud_api.kernel.response_headers import ResponseHeaders, security_headers
from cloud_api.kernel.settings import Settings

log = structlog.get_logger(__name__)

T = TypeVar("T")

REQUEST_ID_HEADER = "X-Request-ID"
#: what browsers of other origins may send, and may read
_TAKEN_HEADERS = (
    "Authorization",
    "Content-Type",
    "X-API-Key",
    idempotency.HEADER,
    REQUEST_ID_HEADER,
    "X-Content-SHA256",
    "X-Timestamp",
    "X-Nonce",
    "X-Signature",
)
_SHOWN_HEADERS = (
    REQUEST_ID_HEADER,
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "Idempotency-Replayed",
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestModel(BaseModel):
    """Base of request bodies: an unknown field is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        return json_types.as_said(handler(source))

    @field_validator("*")
    @classmethod
    def _storable(cls, value: object) -> object:
        return json_types.storable(value)


class ResponseModel(BaseModel):
    """Base of what is read from rows."""

    model_config = ConfigDict(from_attributes=True)


class Meta(BaseModel):
    """What is said about `data`."""

    limit: int | None = None
    next_cursor: str | None = None


class Envelope(BaseModel, Generic[T]):
    """Every successful answer."""

    success: bool = True
    data: T
    meta: Meta = Field(default_factory=Meta)
    message: str | None = None


class ErrorDetail(BaseModel):
    """One field and what is wrong with it."""

    field: str
    message: str


class ErrorBody(BaseModel):
    """`code` is stable; `message` is for people."""

    code: str
    message: str
    details: list[ErrorDetail]


class ErrorEnvelope(BaseModel):
    """Every failed answer."""

    success: bool = False
    error: ErrorBody
    timestamp: datetime
    request_id: str


class ApiRoute(APIRoute):
    """A route whose answer stands in the envelope, and is remembered when the request has an `Idempotency-Key`.

    Its body is held to a limit while it is read; who asks without saying who they are is counted by their address.
    """

    def __init__(self, path: str, endpoint: Callable[..., Awaitable[object]], **options: Any) -> None:
        model = options.get("response_model")
        if model is not None and options.get("status_code") != 204:
            options["response_model"] = Envelope[model]  # type: ignore[valid-type]
            endpoint = _enveloped(endpoint)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler FastAPI built; before it the limits, after it the idempotency record in the same unit of work."""
        handle = super().get_route_handler()
        anybody = not _asks_who(self.dependant)
        reads_itself = self.body_field is None and "requestBody" in (self.openapi_extra or {})
        default: Budget = "anonymous" if {"GET", "HEAD"} >= (self.methods or set()) else "sign_in"

        async def handle_and_remember(request: Request) -> Response:
            if anybody:
                await charge(request, default=default, subject=neighbourhood(client_address(request)))
            if "\0" in request.url.path or "%00" in request.url.query:  # no database that we speak to keeps or finds it
                raise Invalid("an address must not contain the character NUL")
            settings: Settings = request.app.state.settings
            usual = wire.MAX_BODY_BYTES if reads_itself else settings.max_body_bytes
            response = await handle(body_limit.limited(request, getattr(self.endpoint, body_limit.LIMIT, usual)))
            if hasattr(request.state, "idempotency_key"):
                await idempotency.remember(request.state.db, request, response)
            return response

        return handle_and_remember


def _asks_who(dependant: Dependant) -> bool:
    """Whether the principal is among what a route depends on."""
    return dependant.call is current_principal or any(_asks_who(inner) for inner in dependant.dependencies)


def _enveloped(endpoint: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
    @functools.wraps(endpoint)
    async def wrapper(*args: object, **kwargs: object) -> object:
        result = await endpoint(*args, **kwargs)
        if isinstance(result, Response):
            return result
        if isinstance(result, Page):
            return {"data": result.items, "meta": {"limit": result.limit, "next_cursor": result.next_cursor}}
        return {"data": result}

    return wrapper


def request_id() -> str:
    """The id of the request at hand; it stands in every log line and every error."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


class RequestIds:
    """ASGI middleware: takes the caller's `X-Request-ID` or draws one, binds it to the logs, and sends it back."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(REQUEST_ID_HEADER.lower().encode(), b"").decode("latin-1")
        chosen = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=chosen)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (REQUEST_ID_HEADER.encode(), chosen.encode())]
            await send(message)

        await self.app(scope, receive, send_with_id)


def error_response(
    status: int, code: str, message: str, details: list[Detail], headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The error envelope."""
    body = ErrorEnvelope(
        error=ErrorBody(
            code=code, message=message, details=[ErrorDetail(field=d.field, message=d.message) for d in details]
        ),
        timestamp=clock.now(),
        request_id=request_id(),
    )
    return JSONResponse(body.model_dump(mode="json"), status, headers=dict(headers or {}))


async def _app_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)  # noqa: S101 - registered for this class
    request.scope[ERROR_CODE] = error.code
    return error_response(error.status, error.code, error.message, error.details, error.headers)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    request.scope[ERROR_CODE] = "VALIDATION_FAILED"
    # a body that a dependency reads as well is complained of twice
    details = list(dict.fromkeys(Detail(_field(entry), str(entry["msg"])) for entry in error.errors()))
    what = "; ".join(f"{detail.field}: {detail.message}" for detail in details[:3])
    return error_response(422, "VALIDATION_FAILED", what, details)


def _field(entry: Mapping[str, Any]) -> str:
    location: tuple[str | int, ...] = entry["loc"]
    if entry["type"] == "json_invalid":  # then what follows is the character's position
        return "body"
    named = location[1:] if location[0] in {"body", "query", "path", "header"} else location
    return ".".join(str(part) for part in named) or str(location[0])


async def _http_error(request: Request, error: Exception) -> Response:
    """Starlette's own: no such path, wrong method, unreadable body; and a body that is too large."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    codes = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: wire.TooLarge.code}
    code = request.scope[ERROR_CODE] = codes.get(error.status_code, "BAD_REQUEST")
    return error_response(error.status_code, code, str(error.detail), [], error.headers)


async def _replay(_request: Request, error: Exception) -> Response:
    assert isinstance(error, idempotency.Replay)  # noqa: S101 - registered for this class
    headers = {"Idempotency-Replayed": "true"}
    return Response(error.body or None, error.status, headers=headers, media_type="application/json")


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("unexpected_error", exc_info=error)
    message = "something went wrong on our side; the request id finds it in our logs"
    # answered outside the middleware that sends these with everything else
    headers = security_headers(request.scope, https=reached_by_https(request.app.state.settings))
    return error_response(500, "INTERNAL", message, [], {**headers, REQUEST_ID_HEADER: request_id()})


def reached_by_https(settings: Settings) -> bool:
    """Whether people reach this platform by HTTPS, be it a proxy that ends it."""
    return settings.public_url.startswith("https://")


def install(app: FastAPI, settings: Settings) -> None:
    """Give `app` the error handlers, and around every answer: metrics, headers, other origins, request ids."""
    app.add_middleware(RequestMetrics)
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(idempotency.Replay, _replay)
    app.add_exception_handler(Exception, _unexpected)
    if origins := settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=_TAKEN_HEADERS,
            expose_headers=_SHOWN_HEADERS,
            allow_credentials=False,  # who asks stands in `Authorization`, never in a cookie
        )
    app.add_middleware(ResponseHeaders, https=reached_by_https(settings))
    app.add_middleware(RequestIds)
