"""What the gateway tells systemd: that it is ready, how it is, and, by its watchdog, that it still does its work.

The protocol is `sd_notify(3)`: datagrams to the socket that the environment names.
"""

import asyncio
import logging
import os
import socket
import sqlite3
import time
from collections.abc import Mapping

from gateway.spool.writer import Spool

_log = logging.getLogger(__name__)


class Notifier:
    """Talks to systemd; says nothing when nobody listens."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """`environment` is what systemd has given the process."""
        address = environment.get("NOTIFY_SOCKET", "")
        # An abstract socket is written with @ and begins with a zero byte.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if address else None
        is_meant = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        #: systemd ends the process when it is silent for this long; None: it has no watchdog
        self.watchdog_s = int(environment.get("WATCHDOG_USEC", "0")) / 1e6 if is_meant else 0.0

    def ready(self, status: str) -> None:
        """The sensors can connect."""
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, status: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={status}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1\nSTATUS=stopping")

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()

    def _send(self, state: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(state.encode(), socket.MSG_DONTWAIT, self._address)
        except OSError as error:
            _log.warning("systemd does not listen: %s", error)


async def prove_commit(spool: Spool) -> None:
    """Return when a commit of something new has reached the disk.

    Raises:
        sqlite3.Error: the disk does not take it.
    """
    now = str(time.time_ns())
    await spool.submit(lambda store: store.save_meta("proof", now))


async def feed_watchdog(notifier: Notifier, spool: Spool) -> None:
    """Tell systemd for ever that the gateway is alive: after each real commit, and not without one.

    A full disk is the exception: it is no reason to start the gateway anew, which would find it as full, and whose
    alarms still sound.
    """
    if not notifier.watchdog_s:
        return
    is_full = False
    while True:
        try:
            await prove_commit(spool)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_FULL:
                _log.error("watchdog: no commit reaches the disk (%s)", error)
                await asyncio.sleep(notifier.watchdog_s / 2)
                continue
            if not is_full:
                notifier.status("the disk is full: nothing is acknowledged to the sensors")
            is_full = True
        else:
            if is_full:
                notifier.status("running")
            is_full = False
        notifier.alive()
        await asyncio.sleep(notifier.watchdog_s / 2)
