"""Watchers hear that their topic changed: in this process, and in others over PostgreSQL."""

import asyncio
import uuid

from sqlalchemy import make_url

from cloud_api.kernel.wakeups import PostgresWakeups
from cloud_api.realtime.hub import Hub, topic_of
from tests.services.waiting import until

TOPIC = topic_of("route", uuid.UUID(int=1), uuid.UUID(int=2))
OTHER = topic_of("route", uuid.UUID(int=9), uuid.UUID(int=2))


def test_only_who_watches_a_topic_is_woken_and_only_while_watching() -> None:
    hub = Hub()
    with hub.watching(TOPIC) as mine, hub.watching(TOPIC) as yours, hub.watching(OTHER) as theirs:
        hub.announce(TOPIC)
        assert (mine.is_set(), yours.is_set(), theirs.is_set()) == (True, True, False)
        mine.clear()
    hub.announce(TOPIC)
    assert not mine.is_set()


async def test_a_change_in_one_process_wakes_the_watchers_of_another(shared_postgres_url: str) -> None:
    url, here, there = make_url(shared_postgres_url), Hub(), Hub()
    ready = [asyncio.Event(), asyncio.Event()]
    async with (
        PostgresWakeups(url, ready[0].set, here.wake) as announcing,
        PostgresWakeups(url, ready[1].set, there.wake),
    ):
        here.announce = announcing.announce
        await until(lambda: all(event.is_set() for event in ready), what="both are connected")
        with here.watching(TOPIC) as near, there.watching(TOPIC) as far, there.watching(OTHER) as other:
            here.announce(TOPIC)
            await until(lambda: near.is_set() and far.is_set(), what="both watchers are woken")
            assert not other.is_set()
