import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from device_sims.ledger import Ledger, Outgoing
from device_sims.publisher import Broker, BrokerUnreachableError, LastWill, Publisher
from tests.device_sims.mqtt_acceptor import MqttAcceptor
from tests.services.waiting import until


def reading(ledger: Ledger, number: int) -> Outgoing:
    return Outgoing("zigbee2mqtt/a", b'{"n":%d}' % number, ledger, quantities=("temperature", "humidity"))


def hello(ledger: Ledger) -> list[Outgoing]:
    return [Outgoing("zigbee2mqtt/a/availability", b"{}", ledger, quantities=("online",), retain=True)]


@asynccontextmanager
async def running(publisher: Publisher) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(publisher.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_acknowledged_message_is_counted_with_its_readings() -> None:
    ledger = Ledger()
    async with MqttAcceptor() as broker:
        publisher = Publisher(Broker("127.0.0.1", broker.port), greeting=lambda: hello(ledger))
        async with running(publisher) as run:
            for number in range(40):
                publisher.put(reading(ledger, number))
            publisher.close()
            await run
    assert ledger.acknowledged == 41
    assert ledger.readings == {"temperature": 40, "humidity": 40, "online": 1}
    assert ledger.resends == 0
    assert [message.payload for message in broker.received[1:]] == [b'{"n":%d}' % number for number in range(40)]
    assert {message.qos for message in broker.received} == {1}
    assert [message.retain for message in broker.received[:2]] == [True, False]


async def test_nothing_counts_before_its_acknowledgement() -> None:
    ledger = Ledger()
    async with MqttAcceptor(acknowledging=False) as broker:
        publisher = Publisher(Broker("127.0.0.1", broker.port), greeting=list)
        async with running(publisher):
            publisher.put(reading(ledger, 1))
            await broker.wait_for(1)
            assert ledger == Ledger()
            assert publisher.outstanding == 1


async def test_a_message_without_acknowledgement_is_sent_again_on_the_next_connection() -> None:
    ledger = Ledger()
    async with MqttAcceptor(acknowledging=False) as broker:
        publisher = Publisher(Broker("127.0.0.1", broker.port), greeting=lambda: hello(ledger))
        async with running(publisher) as run:
            for number in range(3):
                publisher.put(reading(ledger, number))
            await broker.wait_for(4)
            broker.acknowledging = True
            broker.drop_connections()
            publisher.close()
            await run
    assert publisher.connections == 2
    assert ledger.resends == 4
    assert ledger.acknowledged == 4
    assert [message.payload for message in broker.received] == [b"{}", b'{"n":0}', b'{"n":1}', b'{"n":2}'] * 2


async def test_a_broker_that_forgets_to_acknowledge_is_left_and_tried_again() -> None:
    ledger = Ledger()
    async with MqttAcceptor(acknowledging=False) as broker:
        target = Broker("127.0.0.1", broker.port)
        publisher = Publisher(target, greeting=list, acknowledgement_timeout_s=0.2)
        async with running(publisher) as run:
            publisher.put(reading(ledger, 1))
            await until(lambda: len(broker.connects) > 1, what="the publisher connects again")
            broker.acknowledging = True
            publisher.close()
            await run
    assert ledger.acknowledged == 1
    assert ledger.resends >= 1


async def test_what_is_put_while_the_broker_is_away_arrives_later() -> None:
    ledger = Ledger()
    async with MqttAcceptor() as broker:
        publisher = Publisher(Broker("127.0.0.1", broker.port), greeting=lambda: hello(ledger))
        task = asyncio.create_task(publisher.run())
        await until(lambda: ledger.acknowledged == 1, what="the greeting is acknowledged")
    await until(lambda: not publisher.connected.is_set(), what="the publisher notices the broker's end")
    for number in range(5):
        publisher.put(reading(ledger, number))
    async with MqttAcceptor(port=broker.port) as broker:
        publisher.close()
        await task
    assert ledger.readings["temperature"] == 5
    assert ledger.readings["online"] == 2
    assert [message.payload for message in broker.received[1:]] == [b'{"n":%d}' % number for number in range(5)]


async def test_a_malformed_message_is_counted_apart() -> None:
    ledger = Ledger()
    async with MqttAcceptor() as broker:
        publisher = Publisher(Broker("127.0.0.1", broker.port), greeting=list)
        async with running(publisher) as run:
            publisher.put(Outgoing("zigbee2mqtt/a", b'{"tempe', ledger, malformed=True))
            publisher.close()
            await run
    assert (ledger.malformed_acknowledged, ledger.acknowledged, ledger.readings) == (1, 0, {})


async def test_name_password_and_last_will_reach_the_broker() -> None:
    async with MqttAcceptor() as broker:
        target = Broker("127.0.0.1", broker.port, "site-1", "secret word", "bridge-7")
        will = LastWill("zigbee2mqtt/bridge/state", b'{"state":"offline"}')
        publisher = Publisher(target, greeting=list, will=will)
        async with running(publisher) as run:
            await asyncio.wait_for(publisher.connected.wait(), 20)
            publisher.close()
            await run
    (connect,) = broker.connects
    assert connect[:7] == b"\x00\x04MQTT\x04"
    for part in (b"site-1", b"secret word", b"bridge-7", b"zigbee2mqtt/bridge/state", b'{"state":"offline"}'):
        assert len(part).to_bytes(2, "big") + part in connect


async def test_a_port_where_nobody_listens_is_told_at_once() -> None:
    async with MqttAcceptor() as broker:
        port = broker.port
    with pytest.raises(BrokerUnreachableError):
        await Publisher(Broker("127.0.0.1", port), greeting=list).run()


async def test_a_refused_password_is_told_in_the_brokers_words() -> None:
    async with MqttAcceptor(connack_code=4) as broker:
        with pytest.raises(BrokerUnreachableError, match=r"[Bb]ad user ?name or password"):
            await Publisher(Broker("127.0.0.1", broker.port), greeting=list).run()


async def test_a_closed_publisher_takes_no_more() -> None:
    publisher = Publisher(Broker("127.0.0.1", 1), greeting=list)
    publisher.close()
    with pytest.raises(RuntimeError, match="closed"):
        publisher.put(reading(Ledger(), 1))
