"""Real messages through the real chain: a folder of them, over MQTT into the gateway, and on into the cloud.

A file holds one message as JSON: `topic`, and `payload` (JSON), `payload_text` or `payload_b64`. They are sent one at a
time, QoS 1: what is acknowledged is on the gateway's disk, so what became of each can be read there.
"""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from coldfleet.demo.api import PASSWORD, Api, wait_until
from coldfleet.demo.processes import DemoProblem
from coldfleet.demo.world import World, numbered, query

#: lanes of the spool that hold what a message can become
LANES = ("readings", "tags", "weights")
_ACKNOWLEDGED_S = 10.0
_SETTLED_S = 30.0


@dataclass(frozen=True)
class Recorded:
    """One message of the folder."""

    #: the folder it lies in, usually its maker
    maker: str
    name: str
    topic: str
    payload: bytes


@dataclass(frozen=True)
class Outcome:
    """What the gateway made of a message."""

    message: Recorded
    #: lane -> rows
    rows: Counter[str]
    #: why it, or a part of it, was refused
    reasons: Sequence[str]


def load(folder: Path) -> list[Recorded]:
    """Every message in `folder` and below, by name.

    Raises:
        DemoProblem: when there is none, or a file is not such a message; names it.
    """
    messages = [_read(path) for path in sorted(folder.rglob("*.json"))]
    if not messages:
        raise DemoProblem(f"no message in {folder}: name a folder of JSON files with `topic` and `payload`")
    return messages


def replay(world: World, messages: Sequence[Recorded]) -> Iterator[Outcome]:
    """Send them one by one."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="replay")
    client.username_pw_set("zigbee2mqtt", PASSWORD)
    client.connect("127.0.0.1", world.mqtt_port)
    client.loop_start()
    try:
        for message in messages:
            before, buried = _rows(world), _buried(world)
            sent = client.publish(message.topic, message.payload, qos=1)
            sent.wait_for_publish(_ACKNOWLEDGED_S)
            if not sent.is_published():
                raise DemoProblem(f"{message.name} was not acknowledged:\n{world.processes['gateway'].tail()}")
            yield Outcome(message, _rows(world) - before, _reasons(world, after=buried))
    finally:
        client.disconnect()
        client.loop_stop()


def arrived(world: World, api: Api) -> dict[str, int]:
    """Lane -> rows that the cloud has accepted, once the gateway has nothing left to send.

    Raises:
        DemoProblem: when it does not come to that.
    """
    if not wait_until(lambda: _waiting(world) == 0, timeout_s=_SETTLED_S):
        raise DemoProblem(f"{_waiting(world)} rows did not get through:\n{world.processes['gateway'].tail()}")
    return {lane["lane"]: lane["accepted"] for lane in api.get("/telemetry/stats")}


def _read(path: Path) -> Recorded:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if "payload_b64" in content:
            payload = base64.b64decode(content["payload_b64"], validate=True)
        elif "payload_text" in content:
            payload = str(content["payload_text"]).encode()
        else:
            payload = json.dumps(content["payload"]).encode()
        return Recorded(path.parent.name, path.stem, str(content["topic"]), payload)
    except (OSError, ValueError, KeyError, TypeError, binascii.Error) as error:
        raise DemoProblem(f"{path} is not a recorded message ({error!r}): it needs `topic` and `payload`") from None


def _rows(world: World) -> Counter[str]:
    """Lane -> rows ever numbered."""
    return Counter({lane: numbered(world, lane) for lane in LANES})


def _buried(world: World) -> int:
    return int(query(world.spool, "SELECT coalesce(max(id), 0) FROM dead_letters")[0][0])


def _reasons(world: World, *, after: int) -> list[str]:
    return [reason for (reason,) in query(world.spool, f"SELECT reason FROM dead_letters WHERE id > {int(after)}")]  # noqa: S608


def _waiting(world: World) -> int:
    return sum(int(query(world.spool, f"SELECT count(*) FROM {lane}")[0][0]) for lane in LANES)  # noqa: S608
