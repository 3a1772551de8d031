"""Many sensors at full speed, with a ledger of what was acknowledged: `python -m device_sims.load`.

Every sensor is one MQTT 3.1.1 connection over a plain socket, QoS 1, with a window of messages in flight; it connects
again for ever, and sends again in order what was not acknowledged. Its packets are made once and sent as slices of one
buffer, so that a message costs a microsecond or two here and the processor is left to what is measured.

Two kinds of payload: `climate`, what a Zigbee2MQTT sensor in a cold room says (five values with a sensor's noise), and
`numbered`, whose temperature carries the message's number, so that a ledger can tell what became of each.
"""

import argparse
import math
import os
import select
import socket
import time
from collections import Counter, deque
from dataclasses import replace

from device_sims.load_packets import RING, LoadPlan, Packets, connect_packet, sensor_name
from device_sims.own_process import Answer, Commands, answer

RECONNECT_S = 0.05
_CONNACK = b"\x20\x02\x00\x00"

#: what comes back when all is well, twice around
_PUBACKS = b"".join(b"\x40\x02" + (position % RING + 1).to_bytes(2, "big") for position in range(2 * RING))


class SensorConnection:
    """One client and its part of the ledger. Messages are numbered from 0 in the order of first sending."""

    def __init__(self, plan: LoadPlan, number: int, latencies: Counter[int]) -> None:
        #: where the present connection stands
        self.sent = 0
        #: highest number ever sent, plus one
        self.first_sent = 0
        #: all below are acknowledged
        self.acknowledged = 0
        self.connections = 0
        #: where each connection but the first began to send
        self.resumed_at: list[int] = []
        #: bytes that were no PUBACK in turn
        self.surprises = 0
        self.socket: socket.socket | None = None
        self.retry_at_s = 0.0
        self._plan = plan
        self._number = number
        self._packets = Packets(plan, number)
        self._latencies = latencies
        self._in_flight: deque[tuple[int, float]] = deque()
        self._greeted = False
        self._received = b""
        self._unsent = memoryview(b"")

    @property
    def mean_payload_bytes(self) -> float:
        """Of its messages."""
        return self._packets.mean_payload_bytes

    @property
    def wants_to_write(self) -> bool:
        """Whether the socket did not take all."""
        return bool(self._unsent)

    @property
    def room(self) -> int:
        """How many more messages may be in flight."""
        return self._plan.window - (self.sent - self.acknowledged) if self._greeted else 0

    def open(self) -> socket.socket | None:
        """Try to connect; None: nobody listens, try again later."""
        plan = self._plan
        try:
            opened = socket.create_connection((plan.host, plan.port), timeout=2.0)
        except OSError:
            self.retry_at_s = time.monotonic() + RECONNECT_S
            return None
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setblocking(False)
        self.socket = opened
        self._greeted, self._received, self._in_flight = False, b"", deque()
        self._unsent = memoryview(connect_packet(f"load-{plan.seed}-{self._number}", plan.user, plan.password))
        self.flush()
        return opened

    def drop(self) -> None:
        """The connection is gone: what is not acknowledged will be sent again."""
        if self.socket is not None:
            self.socket.close()
        self.socket, self._greeted, self._unsent = None, False, memoryview(b"")
        self.retry_at_s = time.monotonic() + RECONNECT_S

    def readable(self) -> bool:
        """Take in what came; False: the connection is gone."""
        assert self.socket is not None  # noqa: S101 - polled only while open
        try:
            read = self.socket.recv(1 << 16)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not read:
            return False
        if not self._greeted:
            read = self._greet(read)
        return self._acknowledge(read)

    def send(self, count: int) -> None:
        """Send the next `count` messages."""
        if count <= 0:
            return
        duplicates = max(0, min(count, self.first_sent - self.sent))
        packets = self._packets.take(self.sent, count, duplicates=duplicates)
        self._unsent = memoryview(bytes(self._unsent) + packets) if self._unsent else memoryview(packets)
        self.sent += count
        self.first_sent = max(self.first_sent, self.sent)
        self._in_flight.append((self.sent, time.perf_counter()))
        self.flush()

    def flush(self) -> None:
        """Give the socket what it takes."""
        assert self.socket is not None  # noqa: S101 - called while open
        try:
            self._unsent = self._unsent[self.socket.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent = memoryview(b"")  # reading will tell

    def as_json(self) -> Answer:
        """Its part of the report."""
        return {
            "sensor": sensor_name(self._number),
            "sent": self.first_sent,
            "acknowledged": self.acknowledged,
            "connections": self.connections,
            "resumed_at": self.resumed_at,
            "surprises": self.surprises,
        }

    def _greet(self, read: bytes) -> bytes:
        self._received += read
        if len(self._received) < len(_CONNACK):
            return b""
        greeting, rest = self._received[:4], self._received[4:]
        if greeting != _CONNACK:
            raise ValueError(f"the broker refused the connection: {greeting.hex()}")
        self._greeted, self._received = True, b""
        self.connections += 1
        if self.connections > 1:
            self.resumed_at.append(self.acknowledged)
        self.sent = self.acknowledged
        return rest

    def _acknowledge(self, read: bytes) -> bool:
        self._received += read
        whole = len(self._received) // 4
        if not whole:
            return True
        position = self.acknowledged % RING * 4
        received, self._received = self._received[: whole * 4], self._received[whole * 4 :]
        if whole > self.sent - self.acknowledged or received != _PUBACKS[position : position + whole * 4]:
            self.surprises += 1
            return False
        self.acknowledged += whole
        now_s, first = time.perf_counter(), self.acknowledged - whole
        while first < self.acknowledged:
            through, sent_at_s = self._in_flight[0]
            until = min(through, self.acknowledged)
            self._latencies[int((now_s - sent_at_s) * 10_000)] += until - first
            first = until
            if through <= self.acknowledged:
                self._in_flight.popleft()
        return True


class Load:
    """All connections, on one thread and one epoll, with the commands that come in between."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._poll.register(0, select.EPOLLIN)
        self._commands = Commands()
        self._plan = LoadPlan(0)
        self._connections: list[SensorConnection] = []
        self._by_fd: dict[int, SensorConnection] = {}
        #: tenths of milliseconds from PUBLISH to PUBACK -> messages
        self._latencies: Counter[int] = Counter()
        self._is_sending = False
        self._settle_until_s: float | None = None
        self._began_s = 0.0
        self._given = 0

    def run(self) -> None:
        """Until standard input ends."""
        while True:
            for fd, event in self._poll.poll(self._pause_s()):
                if fd == 0:
                    if not self._obey():
                        return
                elif fd in self._by_fd:
                    self._serve(fd, event)
            self._reconnect()
            if self._is_sending and self._plan.rate:
                self._send_due()
            if self._settle_until_s is not None:
                self._settled()

    def _pause_s(self) -> float:
        if self._settle_until_s is not None or len(self._by_fd) < len(self._connections):
            return RECONNECT_S / 5
        if self._is_sending and self._plan.rate:
            return max(0.0, self._began_s + (self._given + 1) / self._plan.rate - time.perf_counter())
        return -1

    def _obey(self) -> bool:
        commands = self._commands.read()
        for command in commands or ():
            do = command.pop("do")
            if do == "start":
                self._start(LoadPlan(**command))
                answer({})
            elif do == "mark":
                self._latencies.clear()
                answer(self._totals())
            elif do == "pace":
                self._pace(command["rate"])
                answer({})
            elif do == "report":
                answer(self._report())
            elif do == "stop":
                self._is_sending = False
                self._settle_until_s = time.monotonic() + command["settle_s"]
            else:
                answer({"error": "unknown command"})
        return commands is not None

    def _start(self, plan: LoadPlan) -> None:
        for connection in self._connections:
            self._lose(connection)
        self._plan, self._is_sending = plan, True
        self._connections = [SensorConnection(plan, number, self._latencies) for number in range(plan.connections)]
        self._pace(plan.rate)
        self._reconnect()

    def _pace(self, rate: float) -> None:
        self._plan = replace(self._plan, rate=rate)
        self._began_s, self._given = time.perf_counter(), 0
        for connection in self._by_fd.values():
            self._fill(connection)

    def _reconnect(self) -> None:
        if len(self._by_fd) == len(self._connections):
            return
        now_s = time.monotonic()
        for connection in self._connections:
            if connection.socket is None and connection.retry_at_s <= now_s:
                opened = connection.open()
                if opened is not None:
                    self._by_fd[opened.fileno()] = connection
                    self._poll.register(opened.fileno(), select.EPOLLIN)

    def _serve(self, fd: int, event: int) -> None:
        connection = self._by_fd[fd]
        if event & select.EPOLLOUT:
            connection.flush()
        if event & ~select.EPOLLOUT and not connection.readable():
            self._lose(connection)
            return
        self._fill(connection)
        self._poll.modify(fd, select.EPOLLIN | (select.EPOLLOUT if connection.wants_to_write else 0))

    def _lose(self, connection: SensorConnection) -> None:
        if connection.socket is not None:
            fd = connection.socket.fileno()
            self._poll.unregister(fd)
            del self._by_fd[fd]
        connection.drop()

    def _fill(self, connection: SensorConnection) -> None:
        """All that its window takes; when it is not its turn, only what was sent before and not acknowledged."""
        end: float = connection.first_sent
        if self._is_sending and not self._plan.rate:
            end = self._plan.limit // self._plan.connections or math.inf
        connection.send(int(min(connection.room, end - connection.sent)))

    def _send_due(self) -> None:
        due = int((time.perf_counter() - self._began_s) * self._plan.rate)
        while self._given < due:
            connection = self._connections[self._given % len(self._connections)]
            self._given += 1
            if connection.room > 0:
                connection.send(1)

    def _settled(self) -> None:
        deadline_s = self._settle_until_s
        for connection in self._by_fd.values():
            self._fill(connection)
        outstanding = any(one.first_sent > one.acknowledged for one in self._connections)
        if deadline_s is not None and (not outstanding or time.monotonic() > deadline_s):
            self._settle_until_s = None
            answer(self._report())

    def _totals(self) -> Answer:
        return {
            "at_s": time.perf_counter(),
            "cpu_s": time.process_time(),
            "acknowledged": sum(connection.acknowledged for connection in self._connections),
        }

    def _report(self) -> Answer:
        sensors = [connection.as_json() for connection in self._connections]
        return {
            **self._totals(),
            "latencies_100us": dict(self._latencies),
            "mean_payload_bytes": self._connections[0].mean_payload_bytes if self._connections else 0,
            "sensors": sensors,
        }


def main() -> None:
    """Send what is told."""
    parser = argparse.ArgumentParser(prog="python -m device_sims.load", allow_abbrev=False)
    parser.add_argument("--core", type=int, help="the only processor to run on")
    told = parser.parse_args()
    if told.core is not None:
        os.sched_setaffinity(0, {told.core})
    Load().run()


if __name__ == "__main__":
    main()
