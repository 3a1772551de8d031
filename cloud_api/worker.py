"""What goes on beside the requests: hearing of commits and changes, and the loops that work on them.

Embedded (SQLite) all of it runs beside the web application; on PostgreSQL workers run the loops, and every process
hears what others did by NOTIFY, or by a Redis.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

from cloud_api.kernel.db import Database
from cloud_api.kernel.outbox import Dispatcher
from cloud_api.kernel.wakeups import PostgresWakeups, RedisTopics
from cloud_api.realtime.hub import Hub


@asynccontextmanager
async def connected(
    database: Database, dispatcher: Dispatcher, hub: Hub, *, fanout_redis_url: str = ""
) -> AsyncIterator[None]:
    """While open: a commit that emitted wakes the dispatchers, a changed topic its watchers, here and elsewhere.

    Watchers elsewhere are woken by PostgreSQL, or by the Redis of `fanout_redis_url` where there is one.
    """

    database.on_announced = hub.announce_all
    if database.is_sqlite:
        database.on_emitted = dispatcher.wake
        yield
        return
    async with PostgresWakeups(database.url, dispatcher.wake, hub.wake, hub.wake_all) as wakeups:
        database.on_emitted = wakeups.notify
        if not fanout_redis_url:
            hub.announce = wakeups.announce
            yield
            return
        redis = RedisTopics(fanout_redis_url, hub.wake, hub.wake_all)
        hub.announce = redis.announce
        async with running(topics=redis.run()):
            yield


@asynccontextmanager
async def running(**loops: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """While open: each loop runs as a task of its name."""
    tasks = [asyncio.create_task(loop, name=name) for name, loop in loops.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
