"""A websocket to the application, without a network: messages go both ways as ASGI has them."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

#: within this, or what was to come never comes
_PATIENCE_S = 20


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

    async def run(self, app: FastAPI, path: str, token: str) -> None:
        """The application's end, until it has done."""
        self._to_app.put_nowait({"type": "websocket.connect"})
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [],
            "client": ("watcher", 1),
            "server": ("coldfleet.test", 80),
            "subprotocols": ["bearer", token],
        }
        await app(scope, self._to_app.get, self._from_app.put)


@asynccontextmanager
async def connected_to(app: FastAPI, path: str, *, token: str) -> AsyncIterator[Socket]:
    """A socket while open; then the watcher leaves, and the application must let go."""
    socket = Socket()
    serving = asyncio.create_task(socket.run(app, path, token))
    try:
        yield socket
    finally:
        socket.leave()
        await asyncio.wait_for(serving, _PATIENCE_S)
