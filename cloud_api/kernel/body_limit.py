"""How much a request may carry, held while it arrives: what is too large is refused before it has been read.

People's bodies are small (`COLDFLEET_MAX_BODY_BYTES`). Operations that read their body themselves, machines' batches
and photos, have the limit of `wire`; what has another, files to import, says so by `@takes_up_to(bytes)`.
"""

from collections.abc import Callable
from typing import TypeVar

from fastapi import HTTPException, Request
from starlette.types import Message

LIMIT = "coldfleet_body_limit"
F = TypeVar("F", bound=Callable[..., object])


def takes_up_to(limit_bytes: int) -> Callable[[F], F]:
    """Mark an operation whose body may be larger, or must be smaller, than others."""

    def mark(endpoint: F) -> F:
        setattr(endpoint, LIMIT, limit_bytes)
        return endpoint

    return mark


def limited(request: Request, limit_bytes: int) -> Request:
    """The same request, whose body ends in an error as soon as it is larger than that, announced or not.

    Raises:
        HTTPException: 413, at once, when the announced length is already too much. It is the framework's own, for
            what else is raised while a body is read, the framework takes for a body that cannot be parsed.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit_bytes:
        raise _too_large(limit_bytes)
    received_bytes = 0

    async def receive() -> Message:
        nonlocal received_bytes
        message = await request.receive()
        received_bytes += len(message.get("body", b""))
        if received_bytes > limit_bytes:
            raise _too_large(limit_bytes)
        return message

    return Request(request.scope, receive)


def _too_large(limit_bytes: int) -> HTTPException:
    return HTTPException(413, f"a body may have at most {limit_bytes} bytes here: send less at a time")
