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
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud_api.kernel import clock, idempotency
from cloud_api.kernel.errors import AppError, Detail
from cloud_api.kernel.paging import Page

log = structlog.get_logger(__name__)

T = TypeVar("T")

REQUEST_ID_HEADER = "X-Request-ID"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestModel(BaseModel):
    """Base of request bodies: an unknown field is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @field_validator("*")
    @classmethod
    def _without_nul(cls, value: object) -> object:
        """PostgreSQL keeps every character but this one."""
        if isinstance(value, str) and "\0" in value:
            raise ValueError("must not contain the character NUL")
        return value


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
    """A route whose answer stands in the envelope, and is remembered when the request has an `Idempotency-Key`."""

    def __init__(self, path: str, endpoint: Callable[..., Awaitable[object]], **options: Any) -> None:
        model = options.get("response_model")
        if model is not None and options.get("status_code") != 204:
            options["response_model"] = Envelope[model]  # type: ignore[valid-type]
            endpoint = _enveloped(endpoint)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler FastAPI built, and after it the idempotency record, still within the unit of work."""
        handle = super().get_route_handler()

        async def handle_and_remember(request: Request) -> Response:
            response = await handle(request)
            if hasattr(request.state, "idempotency_key"):
                await idempotency.remember(request.state.db, request, response)
            return response

        return handle_and_remember


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


async def _app_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)  # noqa: S101 - registered for this class
    return error_response(error.status, error.code, error.message, error.details, error.headers)


async def _validation_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    details = [Detail(_field(entry), str(entry["msg"])) for entry in error.errors()]
    what = "; ".join(f"{detail.field}: {detail.message}" for detail in details[:3])
    return error_response(422, "VALIDATION_FAILED", what, details)


def _field(entry: Mapping[str, Any]) -> str:
    location: tuple[str | int, ...] = entry["loc"]
    if entry["type"] == "json_invalid":  # then what follows is the character's position
        return "body"
    named = location[1:] if location[0] in {"body", "query", "path", "header"} else location
    return ".".join(str(part) for part in named) or str(location[0])


async def _http_error(_request: Request, error: Exception) -> Response:
    """Starlette's own: no such path, wrong method, unreadable body."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    codes = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}
    return error_response(
        error.status_code, codes.get(error.status_code, "BAD_REQUEST"), str(error.detail), [], error.headers
    )


async def _replay(_request: Request, error: Exception) -> Response:
    assert isinstance(error, idempotency.Replay)  # noqa: S101 - registered for this class
    headers = {"Idempotency-Replayed": "true"}
    return Response(error.body or None, error.status, headers=headers, media_type="application/json")


async def _unexpected(_request: Request, error: Exception) -> Response:
    log.error("unexpected_error", exc_info=error)
    message = "something went wrong on our side; the request id finds it in our logs"
    # answered outside the middleware that sends the id with everything else
    return error_response(500, "INTERNAL", message, [], {REQUEST_ID_HEADER: request_id()})


def install(app: FastAPI) -> None:
    """Give `app` the error handlers and the request ids."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(idempotency.Replay, _replay)
    app.add_exception_handler(Exception, _unexpected)
    app.add_middleware(RequestIds)
