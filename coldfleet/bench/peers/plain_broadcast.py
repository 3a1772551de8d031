"""A broadcast to websockets without rights, readings or a database, as others do it: `python -m ... PORT FILE HOW`.

`library` is `broadcast()` of the websockets library; `fastapi` is the connection manager of FastAPI's tutorial: a list
of sockets, and a `send_text` to one after the other. Either is fed by a connection of its own, on which each message is
a line, and writes FILE once it listens.
"""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from websockets.asyncio.server import ServerConnection, broadcast, serve

Say = Callable[[str], Awaitable[None]]
FIRST = '{"type":"state","items":[]}'


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


async def _library(port: int) -> Say:
    sockets: set[ServerConnection] = set()

    async def take(socket: ServerConnection) -> None:
        sockets.add(socket)
        try:
            await socket.send(FIRST)
            await socket.wait_closed()
        finally:
            sockets.discard(socket)

    async def say(message: str) -> None:
        broadcast(sockets, message)

    await serve(take, "127.0.0.1", port, subprotocols=["bearer"], compression=None)  # type: ignore[list-item]
    return say


async def _fastapi(port: int) -> Say:
    app, sockets = FastAPI(), list[WebSocket]()

    @app.websocket("/")
    async def take(socket: WebSocket) -> None:
        await socket.accept("bearer")
        await socket.send_text(FIRST)
        sockets.append(socket)
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            sockets.remove(socket)

    async def say(message: str) -> None:
        for open_socket in sockets:
            await open_socket.send_text(message)

    config = uvicorn.Config(app, port=port, log_config=None, ws="websockets-sansio", ws_per_message_deflate=False)
    server = _Server(config)
    app.state.serving = asyncio.create_task(server.serve())
    await server.listening.wait()
    return say


async def main(port: int, ready: Path, how: str) -> None:
    """Listen for watchers on the port, and for what to say on the next."""
    say = await (_library if how == "library" else _fastapi)(port)

    async def repeat(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            await say(line.decode().rstrip())

    feeding = await asyncio.start_server(repeat, "127.0.0.1", port + 1)
    await asyncio.to_thread(ready.write_text, "ready")
    await feeding.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
