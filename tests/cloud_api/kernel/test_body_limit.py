"""No body is larger than it may be, and what is too large is refused before it has been read."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import APIRouter, Request

from cloud_api.kernel import wire
from cloud_api.kernel.body_limit import takes_up_to
from cloud_api.kernel.http import ApiRoute
from tests.cloud_api.kernel.edge import calling, edge_app

LIMIT = 1_000
ANYTHING: dict[str, Any] = {"requestBody": {"required": True, "content": {"application/octet-stream": {}}}}
files = APIRouter(prefix="/files", route_class=ApiRoute)


@files.post("/photo", response_model=int, openapi_extra=ANYTHING)
async def keep_photo(request: Request) -> int:
    """Reads its body itself, as machines' operations do."""
    return len(await wire.read_body(request))


@files.post("/import", response_model=int, openapi_extra=ANYTHING)
@takes_up_to(2 * wire.MAX_BODY_BYTES)
async def import_rows(request: Request) -> int:
    """Takes more than others."""
    return len(await request.body())


class Sent:
    """A body of unannounced length, and how much of it was asked for."""

    def __init__(self, total_bytes: int, chunk_bytes: int = 100) -> None:
        self.total_bytes, self.chunk_bytes, self.read_bytes = total_bytes, chunk_bytes, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.read_bytes < self.total_bytes:
            self.read_bytes += self.chunk_bytes
            yield b"x" * self.chunk_bytes


@pytest.mark.parametrize("path", ["/auth/login", "/edge/mine", "/edge/blind"])
async def test_an_announced_length_that_is_too_much_is_refused_at_once(path: str) -> None:
    body = Sent(100 * LIMIT)
    async with calling(edge_app(max_body_bytes=LIMIT), "user.asha") as client:
        headers = {"Content-Length": str(100 * LIMIT), "Content-Type": "application/json"}
        answer = await client.post(path, content=body, headers=headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (413, "TOO_LARGE")
    assert str(LIMIT) in error["message"]
    assert body.read_bytes <= body.chunk_bytes


@pytest.mark.parametrize("path", ["/auth/login", "/edge/mine", "/edge/blind"])
async def test_a_body_in_chunks_is_read_no_further_than_the_limit(path: str) -> None:
    async with calling(edge_app(max_body_bytes=LIMIT), "user.asha") as client:
        body = Sent(100 * LIMIT)
        answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "TOO_LARGE")
        assert body.read_bytes <= LIMIT + 2 * body.chunk_bytes


async def test_a_length_that_lies_gains_nothing() -> None:
    async with calling(edge_app(max_body_bytes=LIMIT), "user.asha") as client:
        for lie in ("10", "-1", "ten", "1_0", "٣"):
            headers = {b"Content-Length": lie.encode(), b"Content-Type": b"application/json"}
            answer = await client.post("/edge/blind", content=Sent(100 * LIMIT), headers=headers)
            assert answer.status_code == 413, lie


async def test_what_fits_exactly_passes() -> None:
    async with calling(edge_app(max_body_bytes=LIMIT), "user.asha") as client:
        framing = len('{"words":""}')
        for more, status in ((0, 200), (1, 413)):
            body = '{"words":"' + "x" * (LIMIT - framing + more) + '"}'
            answer = await client.post("/edge/mine", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == status


async def test_files_and_machines_have_limits_of_their_own() -> None:
    async with calling(edge_app(files, max_body_bytes=LIMIT), "user.asha") as client:
        for path, limit in (("photo", wire.MAX_BODY_BYTES), ("import", 2 * wire.MAX_BODY_BYTES)):
            assert (await client.post(f"/files/{path}", content=b"x" * limit)).json()["data"] == limit
            answer = await client.post(f"/files/{path}", content=b"x" * (limit + 1))
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "TOO_LARGE")
