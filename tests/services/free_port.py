"""Ports for servers that cannot be told to choose one themselves."""

import socket


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago.

    A server of ours binds port 0 instead and says what it got: only that cannot collide.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
