"""The bridge inside of one process, against a real Mosquitto; the whole gateway behind a broker is in `test_app.py`."""

import asyncio
import gc
import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from gateway import decoders
from gateway.config import PLACEHOLDER, BridgeSettings
from gateway.errors import ConfigError
from gateway.sources.bridge import MAX_WAITING, Bridge
from gateway.spool.writer import Spool, open_spool
from tests.gateway.certificates import write_certificate
from tests.gateway.on_disk import arrived, let_the_disk_recover, let_the_disk_refuse, letters, pipeline_into, values
from tests.gateway.running import in_background
from tests.services.mosquitto import PrivateMosquitto
from tests.services.waiting import until

TOPIC = "zigbee2mqtt/room"


def bridge_on(broker: PrivateMosquitto, spool: Spool, **settings: object) -> Bridge:
    told = BridgeSettings(**{"host": "127.0.0.1", "port": broker.port, "topics": ["zigbee2mqtt/#"], **settings})  # type: ignore[arg-type]
    return Bridge(told, pipeline_into(spool, max_pending=100), spool)


@asynccontextmanager
async def bridging(broker: PrivateMosquitto, spool: Spool, **settings: object) -> AsyncIterator[Bridge]:
    """A bridge that is subscribed; it is closed in good order."""
    bridge = bridge_on(broker, spool, **settings)
    async with in_background(bridge.run()):
        await until(lambda: bridge.counts.connections > 0, what="the bridge is subscribed")
        yield bridge
        await bridge.close()


async def publish(
    broker: PrivateMosquitto, temperatures: Sequence[float], *, topic: str = TOPIC, retain: bool = False
) -> None:
    """All of these, acknowledged by the broker."""
    async with aiomqtt.Client("127.0.0.1", broker.port, max_inflight_messages=1000) as client:
        client.pending_calls_threshold = 10_000
        await asyncio.gather(
            *(client.publish(topic, f'{{"temperature":{value}}}', qos=1, retain=retain) for value in temperatures)
        )


async def test_readings_come_once_and_in_order_and_none_comes_again(mosquitto: PrivateMosquitto, spool: Spool) -> None:
    async with bridging(mosquitto, spool):
        await publish(mosquitto, range(500))
        await arrived(spool, 500)
    async with bridging(mosquitto, spool):
        await publish(mosquitto, [500])
        await arrived(spool, 501)
    assert await values(spool) == list(range(501))


async def test_what_was_published_while_the_gateway_was_away_is_collected(
    mosquitto: PrivateMosquitto, spool: Spool
) -> None:
    async with bridging(mosquitto, spool):
        pass
    await publish(mosquitto, range(1500))
    async with bridging(mosquitto, spool):
        await arrived(spool, 1500)
    assert await values(spool) == list(range(1500))


async def test_what_the_broker_had_kept_is_no_reading(mosquitto: PrivateMosquitto, spool: Spool) -> None:
    await publish(mosquitto, [1], retain=True)
    async with bridging(mosquitto, spool) as bridge:
        await until(lambda: bridge.counts.retained_ignored == 1, what="the kept one is seen")
        await publish(mosquitto, [2], retain=True)  # the sensor's own retain flag: just measured
        await arrived(spool, 1)
    await publish(mosquitto, [3], retain=True)  # while we are away
    async with bridging(mosquitto, spool) as bridge:
        await arrived(spool, 2)
        await until(lambda: bridge.counts.retained_ignored == 1, what="the broker tells again what it kept")
        await publish(mosquitto, [4])
        await arrived(spool, 3)
        assert bridge.counts.received == 2
    assert await values(spool) == [2, 3, 4]


@pytest.mark.parametrize(
    "topic",
    [
        "homeassistant/sensor/fridge/config",
        "homie/5/fridge/$description",
        "homie/fridge/probe/temperature/$unit",
        "te/device/fridge///m/env/meta",
        "spBv1.0/site/NBIRTH/edge",
        "spBv1.0/site/DBIRTH/edge/fridge",
    ],
)
def test_what_says_what_others_mean_is_worth_reading_also_when_it_was_kept(topic: str) -> None:
    assert decoders.teaches(topic)


@pytest.mark.parametrize(
    "topic", [TOPIC, "homie/fridge/probe/temperature", "spBv1.0/site/DDATA/edge/fridge", "tele/config"]
)
def test_a_reading_that_was_kept_is_an_old_one(topic: str) -> None:
    assert not decoders.teaches(topic)


async def test_a_kept_description_is_learned_and_the_readings_after_it_are_understood(
    mosquitto: PrivateMosquitto, spool: Spool
) -> None:
    value = "homie/fridge/probe/temperature"
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as device:
        await device.publish(f"{value}/$datatype", "float", qos=1, retain=True)
        await device.publish(f"{value}/$unit", "°F", qos=1, retain=True)
        await device.publish(value, "40", qos=1, retain=True)
        async with bridging(mosquitto, spool, topics=["homie/#"]) as bridge:
            await until(lambda: bridge.counts.received == 2, what="both attributes are read")
            assert bridge.counts.retained_ignored == 1
            await device.publish(value, "50", qos=1)
            await arrived(spool, 1)
    assert [round(value, 6) for value in await values(spool)] == [10.0]


async def test_what_the_gateway_says_reaches_the_devices_on_the_broker(
    mosquitto: PrivateMosquitto, spool: Spool
) -> None:
    async with bridging(mosquitto, spool) as bridge, aiomqtt.Client("127.0.0.1", mosquitto.port) as device:
        await device.subscribe("scale/dock/command", qos=1)
        assert bridge.publish("scale/dock/command", b"tare", retain=True) == 1
        assert bridge.publish("scale/+/command", b"tare") == 0
        async with asyncio.timeout(20):
            message = await anext(aiter(device.messages))
        assert (str(message.topic), message.payload) == ("scale/dock/command", b"tare")
    assert bridge.publish("scale/dock/command", b"tare") == 0
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as late, asyncio.timeout(20):
        await late.subscribe("scale/dock/command")
        assert (await anext(aiter(late.messages))).retain


async def test_the_heartbeat_hears_whether_the_broker_is_there(mosquitto: PrivateMosquitto, spool: Spool) -> None:
    async with bridging(mosquitto, spool) as bridge:
        await publish(mosquitto, range(3))
        await arrived(spool, 3)
        state = bridge.state()
        assert (state.name, state.connected, state.received, state.warnings) == ("bridge", 1, 3, [])
        await asyncio.to_thread(mosquitto.kill)
        await until(lambda: bridge.state().connected == 0, what="the loss is noticed")
        assert bridge.state().warnings[0].startswith(f"mqtt://127.0.0.1:{mosquitto.port} as coldfleet-gateway: ")


async def test_a_broker_that_has_not_been_seen_to_keep_its_promise_is_told_of_until_it_has(
    mosquitto: PrivateMosquitto, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with bridging(mosquitto, spool) as bridge:
        await until(lambda: "has not yet been seen to keep it over a restart" in caplog.text, what="it is told")
        assert "mosquitto version" in caplog.text
        assert bridge._first_connected_s is not None
        bridge._first_connected_s -= 60.0  # it has been known for a minute
        await mosquitto.restart()
        await until(lambda: "was restarted and still knew this gateway" in caplog.text, what="the proof is seen")
    caplog.clear()
    async with bridging(mosquitto, spool) as bridge:
        await until(lambda: bridge._broker_name != "", what="the broker has told of itself")
        await publish(mosquitto, [1])
        await arrived(spool, 1)
        assert "has not yet been seen" not in caplog.text


def test_the_password_of_the_example_is_refused(mosquitto: PrivateMosquitto, spool: Spool) -> None:
    with pytest.raises(ConfigError, match=r"bridge\.password is that of the example"):
        bridge_on(mosquitto, spool, username="coldfleet", password=PLACEHOLDER)


async def test_a_restart_of_the_broker_loses_nothing(mosquitto: PrivateMosquitto, spool: Spool) -> None:
    async with bridging(mosquitto, spool) as bridge:
        await publish(mosquitto, range(100))
        await arrived(spool, 100)
        await mosquitto.restart()
        await until(lambda: bridge.counts.connections == 2, what="the bridge is back")
        await publish(mosquitto, range(100, 200))
        await arrived(spool, 200)
    await publish(mosquitto, range(200, 300))
    await mosquitto.restart()
    async with bridging(mosquitto, spool):
        await arrived(spool, 300)
    assert set(await values(spool)) == set(range(300))


async def test_a_broker_that_forgets_is_complained_of(
    mosquitto: PrivateMosquitto, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    mosquitto.settings["persistence"] = "false"
    await mosquitto.restart()
    async with bridging(mosquitto, spool):
        assert "has forgotten" not in caplog.text
    async with bridging(mosquitto, spool):
        assert "has forgotten" not in caplog.text
    await publish(mosquitto, [1])
    await mosquitto.restart()
    async with bridging(mosquitto, spool):
        assert "the broker has forgotten this gateway's session" in caplog.text
        await publish(mosquitto, [2])
        await arrived(spool, 1)
    assert await values(spool) == [2]


async def test_a_broker_that_throws_messages_away_is_complained_of(
    mosquitto: PrivateMosquitto, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    mosquitto.settings["max_queued_messages"] = "10"
    await mosquitto.restart()
    async with bridging(mosquitto, spool):
        async with aiomqtt.Client("127.0.0.1", mosquitto.port, identifier="lazy", clean_session=False) as client:
            await client.subscribe("zigbee2mqtt/#", qos=1)
        await publish(mosquitto, range(100))  # 90 too many for the lazy one
        await until(lambda: "set max_queued_messages 0" in caplog.text, what="the drops are told")


async def test_a_topic_that_is_no_longer_wanted_is_forgotten(mosquitto: PrivateMosquitto, spool: Spool) -> None:
    async with bridging(mosquitto, spool, topics=["zigbee2mqtt/#", "scale/#"]):
        pass
    async with bridging(mosquitto, spool, topics=["scale/#"]) as bridge:
        await publish(mosquitto, [1])
        await publish(mosquitto, [2], topic="scale/dock/raw")
        await until(lambda: bridge.counts.received == 1, what="the wanted one has come")
    assert await values(spool) == []


async def test_a_disk_that_takes_nothing_is_no_acknowledgement(
    mosquitto: PrivateMosquitto, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    async with bridging(mosquitto, spool):
        await let_the_disk_refuse(spool)
        await publish(mosquitto, range(10))
        await until(lambda: "the spool takes nothing (disk is full)" in caplog.text, what="the disk is complained of")
        await let_the_disk_recover(spool)
        await arrived(spool, 10)
    assert await values(spool) == list(range(10))


async def test_a_gateway_that_cannot_commit_stops_reading_and_its_memory_stays_small(
    mosquitto: PrivateMosquitto, tmp_path: Path
) -> None:
    mosquitto.settings["max_inflight_messages"] = "0"  # a broker that waits for no acknowledgement
    await mosquitto.restart()
    spool = open_spool(tmp_path, max_mb=64)
    writer = asyncio.create_task(spool.run())
    async with bridging(mosquitto, spool) as bridge:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)
        await publish(mosquitto, range(2 * MAX_WAITING))
        await until(lambda: len(bridge._waiting) >= MAX_WAITING, what="the bridge is full")
        for _ in range(2000):
            await asyncio.sleep(0)
        assert len(bridge._waiting) == MAX_WAITING
        async with in_background(spool.run()):
            await arrived(spool, 2 * MAX_WAITING)
            assert await values(spool) == list(range(2 * MAX_WAITING))
            await bridge.close()
    spool.close()


async def test_a_message_that_is_too_long_is_cut_and_acknowledged(mosquitto: PrivateMosquitto, spool: Spool) -> None:
    async with bridging(mosquitto, spool, max_payload_bytes=200) as bridge:
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
            await client.publish(TOPIC, b'{"temperature":' + b" " * 1000 + b"1}", qos=1)
        await publish(mosquitto, [2])
        await arrived(spool, 1)
        assert "longer than bridge.max_payload_bytes were cut" in bridge.state().warnings[0]
    assert await letters(spool) == [(TOPIC, 200, "message of 1017 bytes, cut to 200")]
    async with bridging(mosquitto, spool) as bridge:
        await publish(mosquitto, [3])
        await arrived(spool, 2)
        assert bridge.counts.received == 1


async def test_a_broker_that_is_away_is_waited_for(
    mosquitto: PrivateMosquitto, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    await asyncio.to_thread(mosquitto.stop)
    bridge = bridge_on(mosquitto, spool)
    async with in_background(bridge.run()):
        await until(lambda: "again in" in caplog.text, what="the bridge says that it waits")
        await asyncio.to_thread(mosquitto.start)
        await until(lambda: bridge.counts.connections == 1, what="the bridge is subscribed")
        await bridge.close()


async def test_a_gateway_is_stopped_while_it_waits_for_its_broker(mosquitto: PrivateMosquitto, spool: Spool) -> None:
    await asyncio.to_thread(mosquitto.stop)
    bridge = bridge_on(mosquitto, spool)
    async with in_background(bridge.run()) as task:
        await bridge.close()
        await task


# paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
async def test_a_broker_with_tls_must_be_the_one_it_says_it_is(
    mosquitto: PrivateMosquitto, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, key = write_certificate(mosquitto.folder, "127.0.0.1")
    mosquitto.settings |= {"certfile": str(certificate), "keyfile": str(key)}
    await mosquitto.restart()
    async with bridging(mosquitto, spool, tls=True, ca_file=str(certificate)):
        context = ssl.create_default_context(cafile=certificate)
        async with aiomqtt.Client("127.0.0.1", mosquitto.port, tls_context=context) as client:
            for value in range(50):
                await client.publish(TOPIC, f'{{"temperature":{value}}}', qos=1)
        await arrived(spool, 50)
    stranger = bridge_on(mosquitto, spool, tls=True)
    async with in_background(stranger.run()):
        await until(lambda: "certificate verify failed" in caplog.text, what="the stranger is refused")
        await stranger.close()
    del stranger
    gc.collect()
    assert await values(spool) == list(range(50))
    with pytest.raises(ConfigError, match="ca_file '/nowhere' cannot be used"):
        bridge_on(mosquitto, spool, tls=True, ca_file="/nowhere")
