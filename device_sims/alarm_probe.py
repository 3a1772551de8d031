"""How long an alarm takes within a site: a sensor that becomes warm and cold, and somebody who hears the buzzer."""

import json
import socket
import time

from device_sims.load_packets import connect_packet, remaining_length

ANSWER_S = 10.0
SENSOR = "probe"
WARM_C, COLD_C = 12.0, 4.0


class AlarmProbe:
    """A sensor and a listener to the alarm topic, each with a connection of its own to a gateway's listener."""

    def __init__(self, port: int, user: str, password: str, *, topic: str) -> None:
        self._topic = topic.encode()
        self._sensor = _Client(port, connect_packet("probe-sensor", user, password))
        self._buzzer = _Client(port, connect_packet("probe-buzzer", user, password))
        self._buzzer.send(0x82, b"\x00\x01" + len(self._topic).to_bytes(2, "big") + self._topic + b"\x00")
        while self._buzzer.receive()[0] >> 4 != 9:
            pass
        self._is_warm = False
        self._publishes = 0

    def change(self) -> float:
        """Become warm, or cold again; seconds from the PUBLISH to the message on the alarm topic.

        Raises:
            TimeoutError: no message came.
        """
        self._is_warm = not self._is_warm
        self._publishes += 1
        payload = json.dumps({"temperature": WARM_C if self._is_warm else COLD_C}).encode()
        name = f"zigbee2mqtt/{SENSOR}".encode()
        began_s = time.perf_counter()
        identifier = (self._publishes % 65_535 + 1).to_bytes(2, "big")
        self._sensor.send(0x32, len(name).to_bytes(2, "big") + name + identifier + payload)
        while True:
            first, body = self._buzzer.receive()
            if first >> 4 == 3 and json.loads(body[2 + len(self._topic) :])["active"] is self._is_warm:
                return time.perf_counter() - began_s

    def close(self) -> None:
        """Go away."""
        self._sensor.close()
        self._buzzer.close()


class _Client:
    """A blocking MQTT connection."""

    def __init__(self, port: int, greeting: bytes) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        self._socket.sendall(greeting)
        self.receive()

    def send(self, first: int, body: bytes) -> None:
        self._socket.sendall(bytes((first,)) + remaining_length(len(body)) + body)

    def receive(self) -> tuple[int, bytes]:
        first, length, shift = self._byte(), 0, 0
        while True:
            digit = self._byte()
            length |= (digit & 0x7F) << shift
            if digit < 0x80:
                return first, self._file.read(length)
            shift += 7

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _byte(self) -> int:
        read = self._file.read(1)
        if not read:
            raise TimeoutError("the gateway has closed the connection")
        return read[0]
