"""Uvicorn's websockets, with a way past ASGI for what goes to many: bytes that are ready for the wire.

ASGI has each socket encode its own message, and wait until its network takes it. A feed encodes once, hands the bytes
to a thousand sockets in a few milliseconds, and must never wait for the slowest.
"""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from cloud_api.kernel.metrics import LIVE_DROPPED
from cloud_api.realtime.feeds import Message

#: where a socket's scope has it, among the extensions
DIRECT = "coldfleet.direct"
TOO_SLOW = 1013, "you read too slowly: connect again, and see everything as it is then"
#: a socket that was told to go and does not is cut off
_GRACE_S = 5.0


class DirectProtocol(WebSocketsSansIOProtocol):
    """One websocket of the server."""

    def handle_connect(self, event: Request) -> None:
        """Let the application find this, too."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions = self.scope["extensions"]
            assert extensions is not None  # noqa: S101 - uvicorn has one of its own in it
            extensions[DIRECT] = {"outlet": self}

    def push(self, message: Message, *, most_behind_bytes: int) -> None:
        """Write a message at once."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() > most_behind_bytes:
            LIVE_DROPPED.inc()
            self.conn.send_close(*TOO_SLOW)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            self.close_timer = self.loop.call_later(_GRACE_S, self.transport.abort)
            return
        self.transport.write(message.frame)
