"""A websocket to the application, without a network: messages go both ways as ASGI has them."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from tests.platform_under_test import Tenant

#: within this, or what was to come never comes
_PATIENCE_S = 40


class Socket:
    """The watcher's end."""

    def __init__(self) -> None:
        self._to_app: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()

    async def heard(self) -> MutableMapping[str, Any]:
        """The next thing the application says."""
        return await asyncio.wait_for(self._from_app.get(), _PATIENCE_S)

    async def message(self) -> Any:
        """The next message, as JSON."""
        said = await self.heard()
        assert said["type"] == "websocket.send", said
        return json.loads(said["text"])

    def say(self, text: str) -> None:
        """Send something."""
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self) -> None:
        """Go away."""
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1001})

    def is_silent(self) -> bool:
        """Whether nothing has been said that was not heard."""
        return self._from_app.empty()

    async def state(self) -> list[Any]:
        """The items of the next message, which must be everything there is to see."""
        message = await self.message()
        assert message["type"] == "state", message
        items: list[Any] = message["items"]
        return items

    async def change(self) -> tuple[list[Any], list[str]]:
        """The items of the next message, which must be a change, and the ids of what is gone."""
        message = await self.message()
        assert message["type"] == "change", message
        return message["items"], message["gone"]

    async def closed(self) -> tuple[int, str]:
        """With which code and reason it is closed, which must be next."""
        said = await self.heard()
        assert said["type"] == "websocket.close", said
        return said["code"], said["reason"]

    async def run(self, app: FastAPI, path: str, token: str | None) -> None:
        """The application's end, until it has done."""
        path, _, query = path.partition("?")
        self._to_app.put_nowait({"type": "websocket.connect"})
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [],
            "client": ("watcher", 1),
            "server": ("coldfleet.test", 80),
            "subprotocols": [] if token is None else ["bearer", token],
            "extensions": {},
        }
        await app(scope, self._to_app.get, self._from_app.put)


@asynccontextmanager
async def connected_to(app: FastAPI, path: str, *, token: str | None) -> AsyncIterator[Socket]:
    """A socket while open; then the watcher leaves, and the application must let go. None: it shows no token."""
    socket = Socket()
    serving = asyncio.create_task(socket.run(app, path, token))
    try:
        yield socket
    finally:
        socket.leave()
        await asyncio.wait_for(serving, _PATIENCE_S)


@asynccontextmanager
async def shown(app: FastAPI, path: str, *, by: Tenant) -> AsyncIterator[Socket]:
    """A live view that lets `by` in, while open."""
    async with connected_to(app, path, token=token_of(by)) as socket:
        assert await socket.heard() == {"type": "websocket.accept", "subprotocol": "bearer", "headers": []}
        yield socket


async def refused(app: FastAPI, path: str, *, token: str | None) -> tuple[int, str]:
    """With which code and reason a live view is closed to who shows this token."""
    async with connected_to(app, path, token=token) as socket:
        assert (await socket.heard())["type"] == "websocket.accept"
        return await socket.closed()


def token_of(tenant: Tenant) -> str:
    """The access token of who is signed in."""
    return tenant.client.headers["Authorization"].removeprefix("Bearer ")
