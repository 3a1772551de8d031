"""The load on a gateway: what it sends, and whether its ledger is true."""

import asyncio
import re

import pytest

from device_sims.load_packets import RING, LoadPlan, Packets, iso_8601, number_of
from device_sims.own_process import Answer, OwnProcess, OwnProcessError
from tests.device_sims.mqtt_acceptor import MqttAcceptor, Received
from tests.services.waiting import until


def publishes(packets: bytes) -> list[tuple[bool, str, int, bytes]]:
    """(duplicate, topic, packet id, payload) of each packet."""
    found = []
    while packets:
        length, at, shift = 0, 1, 0
        while True:
            length |= (packets[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if packets[at - 1] < 0x80:
                break
        assert packets[0] & 0xF7 == 0x32
        body, rest = packets[at : at + length], packets[at + length :]
        end = 2 + int.from_bytes(body[:2], "big")
        found.append((bool(packets[0] & 8), body[2:end].decode(), int.from_bytes(body[end : end + 2]), body[end + 2 :]))
        packets = rest
    return found


def numbers(received: list[Received], sensor: str) -> list[int]:
    return [
        number_of(float(message.json()["temperature"]))
        for message in received
        if message.topic == f"zigbee2mqtt/{sensor}"
    ]


async def ask(load: OwnProcess, do: str, **told: object) -> Answer:
    command: Answer = {**told}
    return await asyncio.to_thread(lambda: load.ask(do, **command))


def test_the_packets_go_round_and_say_their_numbers() -> None:
    packets = Packets(LoadPlan(1, kind="numbered"), 0)
    around = publishes(packets.take(RING - 2, 5, duplicates=3))
    assert [identifier for _, _, identifier, _ in around] == [RING - 1, RING, 1, 2, 3]
    assert [is_duplicate for is_duplicate, _, _, _ in around] == [True, True, True, False, False]
    said = [re.search(rb"4\.(\d+)", payload) for _, _, _, payload in around]
    assert [number_of(float(found[0])) for found in said if found] == [RING - 2, RING - 1, RING, RING + 1, RING + 2]


def test_a_climate_message_is_five_values_and_the_time_of_sending() -> None:
    packets = Packets(LoadPlan(1, connections=1, topics=40), 0)
    told = publishes(packets.take(0, 40))
    assert len({topic for _, topic, _, _ in told}) == 40
    for _, _, _, payload in told:
        assert re.fullmatch(
            rb'\{"battery":\d+,"humidity":[\d.]+,"last_seen":"20\d\d-[^"]{18}Z","linkquality":\d+,'
            rb'"temperature":[\d.]+,"voltage":\d+\}',
            payload,
        )
    assert 110 < packets.mean_payload_bytes < 130


def test_a_worlds_time_goes_on_by_its_interval() -> None:
    plan = LoadPlan(1, world_start_ms=1_768_471_950_000, world_interval_ms=10_000)
    (first, second) = (payload for _, _, _, payload in publishes(Packets(plan, 0).take(0, 2)))
    assert b"2026-01-15T10:12:3" in first
    assert b"2026-01-15T10:12:4" in second


@pytest.mark.parametrize(
    ("at_ms", "text"), [(0, b"1970-01-01T00:00:00.000Z"), (951_868_799_999, b"2000-02-29T23:59:59.999Z")]
)
def test_times_out_of_tables_are_those_of_the_calendar(at_ms: int, text: bytes) -> None:
    assert iso_8601(at_ms) == text


async def test_what_is_not_acknowledged_is_sent_again_in_order_and_the_ledger_knows() -> None:
    async with MqttAcceptor() as broker:
        with OwnProcess("device_sims.load") as load:
            broker.acknowledging = False
            await ask(load, "start", port=broker.port, connections=2, window=5, kind="numbered")
            await broker.wait_for(10)
            assert numbers(broker.received, "sensor-001") == [0, 1, 2, 3, 4]
            broker.acknowledging = True
            broker.drop_connections()
            await broker.wait_for(60)
            report = await ask(load, "stop", settle_s=10.0)
            for sensor in report["sensors"]:
                assert sensor["acknowledged"] == sensor["sent"] > 5
                assert sensor["connections"] == 2
                assert sensor["resumed_at"] == [0]
                heard = numbers(broker.received, sensor["sensor"])
                assert heard == [0, 1, 2, 3, 4, *range(sensor["sent"])]
            assert sum(report["latencies_100us"].values()) == report["acknowledged"]


async def test_a_limit_is_kept_and_a_pace_too() -> None:
    async with MqttAcceptor() as broker:
        with OwnProcess("device_sims.load") as load:
            await ask(load, "start", port=broker.port, connections=4, window=3, limit=40)
            await until(lambda: len(broker.received) == 40, what="the limit is reached")
            assert (await ask(load, "stop", settle_s=10.0))["acknowledged"] == 40
            await ask(load, "start", port=broker.port, connections=4, window=3, rate=50.0)
            await broker.wait_for(40 + 42)
            report = await ask(load, "stop", settle_s=10.0)
            sent = [sensor["sent"] for sensor in report["sensors"]]
            assert sum(sent) >= 42
            assert max(sent) - min(sent) <= 1  # in turn


async def test_a_broker_that_refuses_ends_it_with_the_reason() -> None:
    async with MqttAcceptor(connack_code=4) as broker:
        with OwnProcess("device_sims.load") as load:
            await ask(load, "start", port=broker.port, connections=1)
            await until(lambda: bool(broker.connects), what="it has tried")
            with pytest.raises(OwnProcessError, match="refused"):
                await ask(load, "stop", settle_s=10.0)
