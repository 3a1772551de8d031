"""How the gateway says something to the devices of its site."""

from typing import Protocol


class Publisher(Protocol):
    """The listener and the bridge; both take it on the event loop and wait for nobody."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Hand out one message.

        Args:
            retain: keep it, and tell it to whoever subscribes later. An empty payload forgets what was kept.

        Returns:
            How many took it: subscribed clients, or the broker. 0: nobody can have heard it.
        """
        ...
