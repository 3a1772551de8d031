"""Keeping a live view open: a websocket that is written to at once, and again whenever its topic changes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from fastapi import WebSocket, WebSocketDisconnect

from cloud_api.realtime.hub import Hub


async def changes(socket: WebSocket, topic: str) -> AsyncGenerator[None, None]:
    """Yields at once and after each change of `topic`, until the watcher leaves. Many changes may be one.

    The socket has been accepted. What the watcher says meanwhile means nothing.
    """
    hub: Hub = socket.app.state.hub
    with hub.watching(topic) as changed:
        gone = asyncio.create_task(_until_gone(socket))
        try:
            while not gone.done():
                changed.clear()
                yield
                waiting = asyncio.create_task(changed.wait())
                await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
        finally:
            gone.cancel()


async def _until_gone(socket: WebSocket) -> None:
    with suppress(WebSocketDisconnect):
        while True:
            await socket.receive_text()
