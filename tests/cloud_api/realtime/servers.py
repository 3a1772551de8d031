"""Real API servers on ports of their own, and real websockets to them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI
from websockets import Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from cloud_api.cli import server_config
from cloud_api.main import create_app
from tests.platform_under_test import settings_for_tests
from tests.services.waiting import until

_PATIENCE_S = 40


@asynccontextmanager
async def serving(database_url: str, **changed: Any) -> AsyncIterator[tuple[FastAPI, str]]:
    """The application as `coldfleet cloud serve` has it, with everything that goes on beside it; and its address."""
    settings = settings_for_tests(database_url=database_url, **changed)
    app = create_app(settings)
    config = server_config(app, settings)
    config.port = 0
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started or running.done(), what="the server answers")
    try:
        yield app, f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def watching(address: str, path: str, token: str, **options: Any) -> AsyncIterator[ClientConnection]:
    """A websocket while open."""
    protocols = [Subprotocol("bearer"), Subprotocol(token)]
    async with connect(f"ws://{address}{path}", subprotocols=protocols, open_timeout=_PATIENCE_S, **options) as socket:
        yield socket


async def heard(socket: ClientConnection) -> Any:
    """The next message."""
    return json.loads(await asyncio.wait_for(socket.recv(), _PATIENCE_S))


def client_of(address: str, token: str) -> httpx2.AsyncClient:
    """An HTTP client of a server."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.AsyncClient(base_url=f"http://{address}", headers=headers, timeout=_PATIENCE_S)
