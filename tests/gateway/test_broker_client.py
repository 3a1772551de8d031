"""What the bridge's adapter needs of the installed aiomqtt and paho, against a real Mosquitto."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata

import aiomqtt
import pytest
from paho.mqtt import client as paho

from gateway.config import BridgeSettings, ListenerUser
from gateway.sources.broker_client import BrokerClient, BrokerLost, Delivery
from gateway.spool.writer import Spool
from tests.gateway.listening import listener_on
from tests.services.mosquitto import PrivateMosquitto
from tests.services.waiting import until

TOPIC = "zigbee2mqtt/room"


class Received:
    """A connection and what came in on it."""

    def __init__(self, broker: PrivateMosquitto, *, topics: tuple[str, ...] = ("zigbee2mqtt/#",)) -> None:
        self.settings = BridgeSettings("127.0.0.1", list(topics), broker.port, client_id="contract")
        self.deliveries: list[Delivery] = []
        self.client = BrokerClient(self.settings, None, self.deliveries.append, timeout_s=10.0)

    @property
    def payloads(self) -> list[bytes]:
        return [delivery.payload for delivery in self.deliveries]


@asynccontextmanager
async def session(broker: PrivateMosquitto) -> AsyncIterator[Received]:
    received = Received(broker)
    async with received.client:
        await received.client.subscribe(received.settings.topics)
        yield received


async def publish(broker: PrivateMosquitto, *payloads: str, topic: str = TOPIC, retain: bool = False) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        for payload in payloads:
            await client.publish(topic, payload, qos=1, retain=retain)


async def test_the_installed_versions_are_those_the_adapter_was_written_for() -> None:
    assert metadata.version("aiomqtt").startswith("2.5.")
    assert metadata.version("paho-mqtt").startswith("2.")
    client = aiomqtt.Client("127.0.0.1")
    assert isinstance(client._client, paho.Client)
    assert callable(client._client.on_connect)


async def test_what_is_not_acknowledged_comes_again_and_what_is_does_not(mosquitto: PrivateMosquitto) -> None:
    async with session(mosquitto) as first:
        assert not first.client.has_session
        await publish(mosquitto, "1", "2", "3")
        await until(lambda: len(first.deliveries) == 3, what="all have come")
        first.client.acknowledge(first.deliveries[:2])
    async with session(mosquitto) as second:
        assert second.client.has_session
        await publish(mosquitto, "4")
        await until(lambda: len(second.deliveries) == 2, what="the unacknowledged and the new one have come")
        assert second.payloads == [b"3", b"4"]
        second.client.acknowledge(second.deliveries)
    async with session(mosquitto) as third:
        await publish(mosquitto, "5")
        await until(lambda: bool(third.deliveries), what="the new one has come")
        assert third.payloads == [b"5"]


async def test_a_paused_client_reads_nothing_and_loses_nothing(mosquitto: PrivateMosquitto) -> None:
    async with session(mosquitto) as one:
        one.client.pause_reading()
        await publish(mosquitto, *map(str, range(50)))
        for _ in range(50):
            await asyncio.sleep(0)
        assert one.deliveries == []
        one.client.resume_reading()
        await until(lambda: len(one.deliveries) == 50, what="all have come")
        one.client.pause_reading()
        one.client.pause_reading()
    assert one.payloads == [str(number).encode() for number in range(50)]


async def test_what_the_broker_had_kept_is_told_apart_from_news(mosquitto: PrivateMosquitto) -> None:
    await publish(mosquitto, "kept", retain=True)
    async with session(mosquitto) as one:
        await until(lambda: bool(one.deliveries), what="the kept one has come")
        await publish(mosquitto, "news", retain=True)
        await until(lambda: len(one.deliveries) == 2, what="the news have come")
        assert [delivery.is_retained for delivery in one.deliveries] == [True, False]


async def test_a_lost_connection_is_told(mosquitto: PrivateMosquitto) -> None:
    async with session(mosquitto) as one:
        lost = asyncio.create_task(one.client.lost())
        await asyncio.to_thread(mosquitto.kill)
        with pytest.raises(BrokerLost):
            await lost
        one.client.acknowledge([Delivery(TOPIC, b"", False, 1, 7)])
        one.client.pause_reading()
        one.client.resume_reading()
        with pytest.raises(BrokerLost):
            await one.client.unsubscribe(["a"])


async def test_a_broker_that_is_away_or_says_no_is_told(mosquitto: PrivateMosquitto) -> None:
    mosquitto.settings["allow_anonymous"] = "false"
    await mosquitto.restart()
    with pytest.raises(BrokerLost, match="Not authorized"):
        async with session(mosquitto):
            pass
    await asyncio.to_thread(mosquitto.stop)
    with pytest.raises(BrokerLost, match="refused"):
        async with session(mosquitto):
            pass


async def test_what_is_published_reaches_the_broker_and_what_cannot_is_told(mosquitto: PrivateMosquitto) -> None:
    async with session(mosquitto) as one:
        assert one.client.publish("zigbee2mqtt/room/set", b"on", retain=True)
        await until(lambda: bool(one.deliveries), what="the broker has it")
        one.client.acknowledge(one.deliveries)
    async with session(mosquitto) as two:
        await until(lambda: bool(two.deliveries), what="the broker has kept it")
        assert (two.deliveries[0].payload, two.deliveries[0].is_retained) == (b"on", True)
        await asyncio.to_thread(mosquitto.kill)
        with pytest.raises(BrokerLost):
            await two.client.lost()
        assert not two.client.publish("zigbee2mqtt/room/set", b"off", retain=False)


async def test_a_refused_subscription_is_told(spool: Spool) -> None:
    # Mosquitto grants everything and then sends nothing; our own listener refuses.
    users = {"room": ListenerUser("secret", subscribe=("c",))}
    async with listener_on(spool, users=users) as (_, port):
        settings = BridgeSettings("127.0.0.1", ["a/#", "b", "c"], port, username="room", password="secret")
        with pytest.raises(BrokerLost, match="refuses the subscription to a/#, b: allow it there"):
            async with BrokerClient(settings, None, lambda delivery: None, timeout_s=10.0) as client:
                await client.subscribe(settings.topics)
