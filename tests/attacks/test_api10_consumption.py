"""API10:2023, unsafe consumption of APIs: what an identity provider answers is believed as little as what people send.

Tokens that are forged, stale or for somebody else are in tests/cloud_api/identity/test_oidc.py.
"""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.cloud_api.identity.federated import begin, connect, open_federated_platform
from tests.platform_under_test import Platform

Peer = Callable[[asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def answering(*parts: bytes) -> Peer:
    """Somebody who says this, and hangs up."""

    async def answer(to: asyncio.StreamWriter) -> None:
        for part in parts:
            to.write(part)
            await to.drain()

    return answer


async def without_end(to: asyncio.StreamWriter) -> None:
    """Somebody who never stops."""
    to.write(OK + b"\r\n{")
    while True:
        to.write(b" " * 65_536)
        await to.drain()


async def drop_by_drop(to: asyncio.StreamWriter) -> None:
    """Somebody who says a little now and then, so that no single silence is too long."""
    to.write(OK + b"Content-Length: 100000\r\n\r\n")
    while True:
        to.write(b" ")
        await to.drain()
        await asyncio.sleep(0.01)


async def in_silence(_to: asyncio.StreamWriter) -> None:
    """Somebody who listens and says nothing."""
    await asyncio.Event().wait()


def _with_body(body: bytes, *headers: bytes) -> Peer:
    length = b"Content-Length: %d\r\n" % len(body)
    return answering(OK + length + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body)


PEERS: dict[str, Peer] = {
    "without end": without_end,
    "drop by drop": drop_by_drop,
    "in silence": in_silence,
    "hangs up at once": answering(),
    "speaks another protocol": answering(b"220 mail.example ESMTP\r\n"),
    "headers without end": answering(OK + b"X: " + b"x" * 2_000_000 + b"\r\n\r\n{}"),
    "shorter than announced": answering(OK + b"Content-Length: 1000\r\n\r\n{}"),
    "two lengths": answering(OK + b"Content-Length: 2\r\nContent-Length: 7\r\n\r\n{}"),
    "a bomb": _with_body(gzip.compress(b" " * 30_000_000), b"Content-Encoding: gzip"),
    "no gzip": _with_body(b"{}", b"Content-Encoding: gzip"),
    "deep": _with_body(b"[" * 100_000),
    "not an object": _with_body(b"[1, 2]"),
    "other types": _with_body(json.dumps({"issuer": 7, "authorization_endpoint": [], "jwks_uri": {}}).encode()),
    "other characters": _with_body(b'{"issuer": "\xff\xfe"}'),
    "a number without end": _with_body(b'{"issuer": ' + b"9" * 100_000 + b"}"),
    "elsewhere": answering(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"),
    "status 500": answering(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"),
}


@asynccontextmanager
async def standing(peer: Peer) -> AsyncIterator[str]:
    """The URL of a server that answers like that, however it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await peer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.fixture
async def platform(shared_sqlite_url: str) -> AsyncIterator[Platform]:
    """Allowed to call this machine."""
    async with open_federated_platform(shared_sqlite_url) as opened:
        yield opened


#: heard out for as long as we are patient in production
SLOW = {"drop by drop", "in silence"}


@pytest.mark.parametrize(
    "manner", [pytest.param(manner, marks=[pytest.mark.long] if manner in SLOW else []) for manner in sorted(PEERS)]
)
async def test_however_a_provider_answers_people_hear_that_it_is_not_available(platform: Platform, manner: str) -> None:
    async with standing(PEERS[manner]) as url:
        body = {"kind": "oidc", "name": "odd", "display_name": "Odd", "issuer": url, "client_id": "coldfleet"}
        provider_id = await connect(platform.tenant, body)
        answer = await begin(platform, provider_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "PROVIDER_UNAVAILABLE"), answer.text
    assert int(answer.headers["Retry-After"]) > 0
