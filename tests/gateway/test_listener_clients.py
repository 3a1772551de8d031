"""The clients that people have: Mosquitto's commands, paho and aiomqtt, both versions, with TLS and without."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.config import ListenerUser
from gateway.errors import ConfigError
from gateway.sources.access import hash_password
from gateway.sources.listener import Listener
from gateway.spool.writer import Spool
from tests.gateway.certificates import write_certificate
from tests.gateway.listening import listener_on
from tests.gateway.on_disk import arrived, readings, values
from tests.services.waiting import until

TOPIC = "zigbee2mqtt/room"
COMMAND = "scale/dock/command"
BOTH = (MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5)


def payload(temperature: float) -> str:
    return f'{{"temperature": {temperature}}}'


# Mosquitto's commands


@asynccontextmanager
async def command(program: str, port: int, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    told = (program, "-h", "127.0.0.1", "-p", str(port), "-u", "room", "-P", "secret", *arguments)
    process = await asyncio.create_subprocess_exec(
        *told, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def run(program: str, port: int, *arguments: str) -> tuple[int | None, str]:
    """Exit code and what it said."""
    async with command(program, port, *arguments) as process, asyncio.timeout(20):
        said, complained = await process.communicate()
    return process.returncode, (said + complained).decode()


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
async def test_mosquitto_pub_hands_over_readings(spool: Spool, version: str) -> None:
    async with listener_on(spool) as (_, port):
        told = ("-V", version, "-t", TOPIC, "-m", payload(4))
        for qos in ("1", "0"):
            assert await run("mosquitto_pub", port, *told, "-q", qos) == (0, "")
        assert await run("mosquitto_pub", port, *told, "-q", "1", "-r", "-i", "named", "-c") == (0, "")
        await arrived(spool, 3)
        code, complaint = await run("mosquitto_pub", port, *told, "-P", "guess")
        assert code != 0
        assert "not authori" in complaint.lower() or "bad user" in complaint.lower()


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
async def test_mosquitto_sub_hears_commands_and_its_will_is_kept(spool: Spool, version: str) -> None:
    will = ("--will-topic", "shellydoor/online", "--will-payload", "false", "--will-qos", "1")
    async with listener_on(spool) as (here, port):
        here.publish("alarms/room", b"on", retain=True)
        told = ("-V", version, "-q", "1", "-t", "scale/+/command", "-t", "alarms/#", "-v", *will)
        async with command("mosquitto_sub", port, *told) as listening:
            assert listening.stdout is not None
            async with asyncio.timeout(20):
                assert await listening.stdout.readline() == b"alarms/room on\n"
                for word in (b"tare", b"zero"):
                    assert here.publish(COMMAND, word) == 1
                    assert await listening.stdout.readline() == COMMAND.encode() + b" " + word + b"\n"
            await until(
                lambda: all(not one._session.in_flight for one in here.clients.values()), what="all is acknowledged"
            )
            listening.kill()
            await listening.wait()
        await arrived(spool, 1)
    ((_, quantity, value),) = await readings(spool)
    assert (quantity, value) == ("online", 0.0)


@dataclass(frozen=True)
class Certificates:
    authority: Path
    key: Path


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(*write_certificate(tmp_path, "127.0.0.1"))


def tls_of(certificates: Certificates) -> dict[str, str]:
    return {"certificate_file": str(certificates.authority), "key_file": str(certificates.key)}


@pytest.mark.parametrize("version", ["tlsv1.2", "tlsv1.3"])
async def test_mosquitto_pub_speaks_tls(spool: Spool, certificates: Certificates, version: str) -> None:
    async with listener_on(spool, tls_of(certificates)) as (here, _):
        assert here.tls_port is not None
        told = ("-q", "1", "-t", TOPIC, "-m", payload(4))
        secure = ("--cafile", str(certificates.authority), "--tls-version", version)
        assert await run("mosquitto_pub", here.tls_port, *told, *secure) == (0, "")
        code, _ = await run("mosquitto_pub", here.tls_port, *told)  # without TLS nobody gets anywhere
        assert code != 0
    assert await values(spool) == [4.0]


async def test_tls_below_1_2_is_refused(spool: Spool, certificates: Certificates) -> None:
    old = ssl.create_default_context(cafile=certificates.authority)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with listener_on(spool, tls_of(certificates)) as (here, _):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", here.tls_port, ssl=old)


async def test_a_site_may_ask_for_certificates_of_clients(spool: Spool, certificates: Certificates) -> None:
    told = tls_of(certificates) | {"client_ca_file": str(certificates.authority)}
    async with listener_on(spool, told) as (here, _):
        message = ("-q", "1", "-t", TOPIC, "-m", payload(4), "--cafile", str(certificates.authority))
        assert here.tls_port is not None
        code, _ = await run("mosquitto_pub", here.tls_port, *message)
        assert code != 0
        shown = ("--cert", str(certificates.authority), "--key", str(certificates.key))
        assert await run("mosquitto_pub", here.tls_port, *message, *shown) == (0, "")
    assert await values(spool) == [4.0]


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            {"certificate_file": "/nowhere", "key_file": ""},
            "listener.certificate_file '/nowhere' and listener.key_file '' cannot be used",
        ),
        ({"client_ca_file": "/nowhere"}, "listener.client_ca_file '/nowhere' cannot be used"),
    ],
)
async def test_certificates_that_cannot_be_used_are_named(
    spool: Spool, certificates: Certificates, told: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        async with listener_on(spool, tls_of(certificates) | told):
            pass


# paho


class Paho:
    """paho with its own thread, as most programs use it."""

    def __init__(self, version: MQTTProtocolVersion) -> None:
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="paho", protocol=version)
        self.client.username_pw_set("room", "secret")
        self.acknowledged: list[ReasonCode] = []
        self.heard: list[tuple[str, bytes, bool]] = []
        self.connected = threading.Event()
        self.subscribed = threading.Event()
        self.client.on_publish = lambda _c, _u, _mid, code, _p: self.acknowledged.append(code)
        self.client.on_message = lambda _c, _u, told: self.heard.append((told.topic, bytes(told.payload), told.retain))
        self.client.on_connect = lambda *_: self.connected.set()
        self.client.on_subscribe = lambda *_: self.subscribed.set()

    def start(self, port: int, **told: object) -> None:
        self.client.connect("127.0.0.1", port, **told)  # type: ignore[arg-type]
        self.client.loop_start()
        assert self.connected.wait(20)

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.parametrize("version", BOTH)
async def test_paho_publishes_a_burst_and_leaves_without_a_word(spool: Spool, version: MQTTProtocolVersion) -> None:
    async with listener_on(spool) as (_, port):
        sensor = Paho(version)
        await asyncio.to_thread(sensor.start, port)
        for number in range(500):
            sensor.client.publish(TOPIC, payload(number / 10), qos=1, retain=bool(number % 2))
        await until(lambda: len(sensor.acknowledged) == 500, what="all is acknowledged")
        taken = sensor.client.socket()
        assert isinstance(taken, socket.socket)
        taken.shutdown(socket.SHUT_RDWR)  # as a battery sensor that goes back to sleep
        await asyncio.to_thread(sensor.stop)
    assert await values(spool) == [number / 10 for number in range(500)]
    assert not any(code.is_failure for code in sensor.acknowledged)


@pytest.mark.parametrize("version", BOTH)
async def test_paho_hears_what_the_gateway_says(spool: Spool, version: MQTTProtocolVersion) -> None:
    async with listener_on(spool) as (here, port):
        here.publish("alarms/room", b"on", retain=True)
        device = Paho(version)
        await asyncio.to_thread(device.start, port)
        device.client.subscribe([(COMMAND, 1), ("alarms/#", 0)])
        assert await asyncio.to_thread(device.subscribed.wait, 20)
        for number in range(50):
            assert here.publish(COMMAND, str(number).encode()) == 1
        await until(lambda: len(device.heard) == 51, what="all is heard")
        assert ("alarms/room", b"on", True) in device.heard
        commands = [payload for topic, payload, _ in device.heard if topic == COMMAND]
        assert commands == [str(number).encode() for number in range(50)]
        await asyncio.to_thread(device.stop)


async def test_paho_of_version_5_is_told_what_it_may_not_do(spool: Spool) -> None:
    users = {"room": ListenerUser(hash_password("secret"), publish=("scale/#",))}
    async with listener_on(spool, users=users) as (_, port):
        sensor = Paho(MQTTProtocolVersion.MQTTv5)
        told = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        told.SessionExpiryInterval = 60
        await asyncio.to_thread(lambda: sensor.start(port, properties=told))
        told = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        told.MessageExpiryInterval = 60
        told.UserProperty = ("unit", "kg")
        sensor.client.publish("scale/dock/raw", "S S 12.5 kg", qos=1, properties=told)
        sensor.client.publish(TOPIC, payload(4), qos=1)
        await until(lambda: len(sensor.acknowledged) == 2, what="both are answered")
        assert [str(code) for code in sensor.acknowledged] == ["Success", "Not authorized"]
        await asyncio.to_thread(sensor.stop)


async def test_paho_speaks_tls(spool: Spool, certificates: Certificates) -> None:
    async with listener_on(spool, tls_of(certificates)) as (here, _):
        sensor = Paho(MQTTProtocolVersion.MQTTv5)
        sensor.client.tls_set(ca_certs=str(certificates.authority))
        assert here.tls_port is not None
        await asyncio.to_thread(sensor.start, here.tls_port)
        for number in range(200):
            sensor.client.publish(TOPIC, payload(number), qos=1)
        await until(lambda: len(sensor.acknowledged) == 200, what="all is acknowledged")
        await asyncio.to_thread(sensor.stop)
    assert await values(spool) == list(range(200))


async def test_paho_comes_back_by_itself_and_its_session_is_there(spool: Spool) -> None:
    async with listener_on(spool) as (here, port):
        device = paho.Client(CallbackAPIVersion.VERSION2, "dock", clean_session=False)
        device.username_pw_set("room", "secret")
        device.reconnect_delay_set(min_delay=1, max_delay=1)
        present: list[bool] = []
        heard: list[bytes] = []
        device.on_connect = lambda _c, _u, flags, _code, _p: present.append(flags.session_present)
        device.on_message = lambda _c, _u, told: heard.append(bytes(told.payload))
        await asyncio.to_thread(device.connect, "127.0.0.1", port)
        device.subscribe(COMMAND, 1)
        device.loop_start()
        await until(lambda: here.publish(COMMAND, b"tare") == 1, what="the device is subscribed")
        (connection,) = here.clients.values()
        connection._transport.abort()
        await until(lambda: not here.clients, what="the connection is gone")
        here.publish(COMMAND, b"zero")
        await until(lambda: heard[-1:] == [b"zero"], what="the device is back and has heard")
        assert present == [False, True]
        await asyncio.to_thread(device.disconnect)
        await asyncio.to_thread(device.loop_stop)


# aiomqtt


@pytest.mark.parametrize("version", [aiomqtt.ProtocolVersion.V311, aiomqtt.ProtocolVersion.V5])
async def test_aiomqtt_publishes_and_what_it_was_told_is_on_disk(
    spool: Spool, version: aiomqtt.ProtocolVersion
) -> None:
    async with listener_on(spool) as (here, port):
        will = aiomqtt.Will("shellydoor/online", "false", qos=1)
        async with aiomqtt.Client(
            "127.0.0.1", port, username="room", password="secret", protocol=version, will=will
        ) as client:
            for number in range(5):
                await client.publish(TOPIC, payload(number), qos=1)
                assert len(await values(spool)) == number + 1
            await client.publish(TOPIC, payload(5), qos=0)
            await client.subscribe(COMMAND, qos=1)
            here.publish(COMMAND, b"tare")
            async for message in client.messages:
                assert (str(message.topic), message.payload) == (COMMAND, b"tare")
                break
        await arrived(spool, 6)
    assert await values(spool) == [0, 1, 2, 3, 4, 5]  # it has said good-bye: no will


async def test_aiomqtt_is_refused_in_words(spool: Spool) -> None:
    async with listener_on(spool) as (_, port):
        for version, reason in (
            (aiomqtt.ProtocolVersion.V311, "user name|authori"),
            (aiomqtt.ProtocolVersion.V5, "user"),
        ):
            with pytest.raises(aiomqtt.MqttError, match=rf"(?i){reason}"):
                async with aiomqtt.Client("127.0.0.1", port, username="room", password="guess", protocol=version):
                    pass


async def test_forty_clients_at_once(spool: Spool) -> None:
    async def publish(here: Listener, port: int, number: int) -> None:
        async with aiomqtt.Client("127.0.0.1", port, username="room", password="secret") as client:
            for value in range(20):
                await client.publish(f"zigbee2mqtt/room-{number}", payload(value), qos=1)

    async with listener_on(spool) as (here, port), asyncio.TaskGroup() as tasks:
        for number in range(40):
            tasks.create_task(publish(here, port, number))
    by_sensor: dict[str, list[float]] = {}
    for sensor, _, value in await readings(spool):
        by_sensor.setdefault(sensor, []).append(value)
    assert by_sensor == {f"z2m:room-{number}": list(range(20)) for number in range(40)}
