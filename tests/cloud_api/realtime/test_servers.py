"""Over real sockets: what one process stores is seen by who watches at another; who does not read is let go."""

import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from cloud_api.kernel.db import Database
from cloud_api.realtime.direct import DirectProtocol
from cloud_api.realtime.feeds import Outlet
from cloud_api.realtime.sockets import feeds_of
from cloud_api.telemetry.series.live import PlaceView
from tests.cloud_api.realtime.servers import client_of, heard, serving, watching
from tests.cloud_api.realtime.sockets import token_of
from tests.cloud_api.realtime.views import Shelf, ShelfView
from tests.factories.batches import EIGHT_OCLOCK_MS, make_batch, make_epoch, make_reading
from tests.factories.farms import open_farm, plant_store
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform
from tests.services.redis import PrivateRedis

_minutes = itertools.count(1)


@asynccontextmanager
async def farm_on(url: str) -> AsyncIterator[tuple[Platform, ColdStore]]:
    """A cold store in the database that the servers serve."""
    database = Database(url)
    try:
        async with open_farm(database) as farm:
            yield farm, await plant_store(farm)
    finally:
        await database.close()


class TwoProcesses:
    """Two servers, a watcher of the store's room at the second, and its gateway at the first."""

    def __init__(self, store: ColdStore, near: str, socket: ClientConnection) -> None:
        self.store = store
        self._near = near
        self._socket = socket

    async def send(self, value: float) -> None:
        """The gateway's reading is taken in by the first."""
        at_ms = EIGHT_OCLOCK_MS + 60_000 * next(_minutes)
        batch = make_batch([make_reading(1, value, at_ms)], epoch=make_epoch())
        async with client_of(self._near, self.store.gateway_token) as gateway:
            answer = await gateway.post("/api/v1/telemetry/readings", json=batch)
        assert answer.status_code == 200, answer.text

    async def sees(self, value: float) -> None:
        """The watcher sees it."""
        message: dict[str, Any] = {"items": []}
        while [item["value"] for item in message["items"]] != [value]:
            message = await heard(self._socket)


@asynccontextmanager
async def two_processes(url: str, **changed: Any) -> AsyncIterator[TwoProcesses]:
    async with AsyncExitStack() as stack:
        farm, store = await stack.enter_async_context(farm_on(url))
        _, near = await stack.enter_async_context(serving(url, **changed))
        _, far = await stack.enter_async_context(serving(url, **changed))
        path = f"/ws/telemetry/{store.room_id}"
        socket = await stack.enter_async_context(watching(far, path, token_of(farm.tenant)))
        assert (await heard(socket))["type"] == "state"
        yield TwoProcesses(store, near, socket)


async def test_what_one_process_takes_in_is_seen_at_another_by_notify(shared_postgres_url: str) -> None:
    async with two_processes(shared_postgres_url) as both:
        for value in (4.25, 0.0):
            await both.send(value)
            await both.sees(value)


async def test_the_same_by_redis_and_redis_may_go_away_and_come_back(
    shared_postgres_url: str, redis_server: PrivateRedis
) -> None:
    async with two_processes(shared_postgres_url, fanout_redis_url=redis_server.url) as both:
        await both.send(4.25)
        await both.sees(4.25)
        redis_server.stop()
        await both.send(5.5)  # taken in all the same
        redis_server.start()
        await both.sees(5.5)  # by who was not told: looked at again as soon as there is a Redis
        await both.send(6.75)
        await both.sees(6.75)


async def test_who_does_not_read_is_let_go_and_holds_up_nobody(shared_sqlite_url: str) -> None:
    """What waits for a socket is bounded: a page is turned until the kernel takes no more of it."""
    url, shelf, pages = shared_sqlite_url, Shelf({"page": "0"}), itertools.count(1)
    view = ShelfView(shelf)
    async with farm_on(url) as (farm, store), serving(url) as (app, address), AsyncExitStack() as stack:
        path, feeds = f"/ws/telemetry/{store.room_id}", feeds_of(app)
        sockets = []
        for queued in (None, 1):
            before = outlets_of(app)
            socket = await stack.enter_async_context(
                watching(address, path, token_of(farm.tenant), max_size=None, max_queue=queued)
            )
            await heard(socket)
            [outlet] = outlets_of(app) - before
            feeds.join(view, outlet)
            sockets.append((socket, outlet))
        (reader, _), (sleeper, asleep) = sockets
        assert isinstance(asleep, DirectProtocol)
        while not asleep.close_sent:
            shelf.things["page"] = str(next(pages)) * 100_000
            feeds.hub.wake("shelf")
            while (await heard(reader))["items"][0]["name"] != shelf.things["page"]:
                pass
        with pytest.raises(ConnectionClosed) as closed:
            await hear_on(sleeper)
        for _, outlet in sockets:
            await feeds.leave(view, outlet)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason.startswith("you read too slowly")) == (1013, True)


async def hear_on(socket: ClientConnection) -> None:
    """Everything, to the end."""
    while True:
        await heard(socket)


def outlets_of(app: FastAPI) -> set[Outlet]:
    """The sockets of the place's view."""
    return {
        outlet for view, feed in feeds_of(app)._feeds.items() if isinstance(view, PlaceView) for outlet in feed._outlets
    }
