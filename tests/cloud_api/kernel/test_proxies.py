"""Whose word about the caller's address is believed: that of the proxies which are named, and of nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
import uvicorn
from fastapi import APIRouter, Request

from cloud_api.cli import server_config
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.settings import Settings
from cloud_api.kernel.unit_of_work import client_address
from tests.cloud_api.kernel.edge import edge_app
from tests.services.waiting import until

mirror = APIRouter(prefix="/mirror", route_class=ApiRoute)


@mirror.get("/address", response_model=str)
async def get_address(request: Request) -> str:
    """Where the caller is, as the platform sees it."""
    return f"{request.url.scheme} {client_address(request)}"


@asynccontextmanager
async def served(trusted_proxies: str) -> AsyncIterator[str]:
    """The application behind a real server, as `serve` runs it; its URL."""
    settings = Settings(_env_file=None, trusted_proxies=trusted_proxies)
    config = server_config(edge_app(mirror, trusted_proxies=trusted_proxies), settings)
    config.port, config.lifespan = 0, "off"
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started, what="the server answers")
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


@pytest.mark.parametrize(
    ("trusted", "forwarded", "seen"),
    [
        ("", "203.0.113.7", "http 127.0.0.1"),
        ("10.0.0.0/8", "203.0.113.7", "http 127.0.0.1"),
        ("127.0.0.1", "203.0.113.7", "https 203.0.113.7"),
        ("127.0.0.0/8, 10.0.0.0/8", "198.51.100.1, 203.0.113.7, 10.1.2.3", "https 203.0.113.7"),
    ],
)
async def test_only_a_named_proxy_says_where_the_caller_is(trusted: str, forwarded: str, seen: str) -> None:
    async with served(trusted) as url, httpx2.AsyncClient(base_url=url) as client:
        headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}
        answer = await client.get("/api/v1/mirror/address", headers=headers)
    assert answer.json()["data"] == seen
    assert "server" not in answer.headers
    assert ("strict-transport-security" in answer.headers) is seen.startswith("https")
