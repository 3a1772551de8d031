"""How often somebody may ask: by who they are, by where they are, in one process and in several."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY

from cloud_api.kernel.errors import Unavailable
from cloud_api.kernel.rate_limits import RateLimits
from cloud_api.kernel.settings import Settings
from tests.cloud_api.kernel.edge import calling, edge_app
from tests.services.redis import PrivateRedis
from tests.services.waiting import let_the_minute_turn, until


@pytest.fixture(autouse=True)
def no_turn_of_the_minute() -> None:
    """Windows in memory turn with the clock's minutes and hours."""
    let_the_minute_turn()


@asynccontextmanager
async def counted_in(store: PrivateRedis, **changed: Any) -> AsyncIterator[FastAPI]:
    """An application that counts in that Redis."""
    app = edge_app(rate_limit_store=store.url, **changed)
    yield app
    await app.state.rate_limits.close()


def uncounted() -> float:
    """How many requests the metrics say were not counted."""
    return REGISTRY.get_sample_value("coldfleet_rate_limit_store_failures_total") or 0.0


async def until_refused(client: httpx2.AsyncClient, path: str, method: str = "GET", **sent: Any) -> int:
    """How many requests passed before the first that was too many."""
    for passed in range(1000):
        answer = await client.request(method, path, **sent)
        if answer.status_code == 429:
            return passed
        assert answer.status_code < 300, answer.text
    raise AssertionError("never refused")


async def test_the_request_after_the_last_one_is_refused_with_the_time_to_wait() -> None:
    async with calling(edge_app(requests_per_hour=5), "user.asha") as client:
        assert await until_refused(client, "/edge/mine") == 5
        answer = await client.get("/edge/mine")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (429, "RATE_LIMITED")
    assert "5 requests an hour" in error["message"]
    wait_s = int(answer.headers["retry-after"])
    assert 1 <= wait_s <= 3600
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert abs(int(answer.headers["x-ratelimit-reset"]) - time.time() - wait_s) < 5


async def test_every_answer_says_what_is_left_whatever_it_is() -> None:
    async with calling(edge_app(requests_per_hour=100), "user.asha") as client:
        first = await client.get("/edge/mine")
        assert first.headers["x-ratelimit-limit"] == "100"
        assert first.headers["ratelimit-policy"] == '"default";q=100;w=3600'
        assert first.headers["ratelimit"].startswith('"default";r=99;t=')
        others = [
            await client.get("/edge/refused"),
            await client.post("/edge/mine", json={"wrong": 1}),
            await client.get("/edge/broken"),
        ]
    assert [answer.status_code for answer in others] == [403, 422, 500]
    left = [int(answer.headers["x-ratelimit-remaining"]) for answer in (first, *others)]
    assert left == [99, 98, 97, 96]


async def test_everybody_has_a_budget_of_their_own() -> None:
    app = edge_app(requests_per_hour=2)
    for token in ("user.asha", "user.ravi", "api_key.asha"):
        async with calling(app, token) as client:
            assert await until_refused(client, "/edge/mine") == 2


async def test_gateways_and_drivers_positions_draw_on_budgets_of_their_own() -> None:
    app = edge_app(requests_per_hour=1, gateway_requests_per_hour=7, driver_requests_per_hour=4)
    async with calling(app, "gateway.cellar") as gateway, calling(app, "user.asha") as driver:
        beats = [await gateway.get("/edge/mine") for _ in range(3)]
        reported = [await driver.post("/edge/positions/1") for _ in range(3)]
        mine = await driver.get("/edge/mine")
    assert [answer.headers["x-ratelimit-limit"] for answer in beats] == ["7"] * 3
    assert [answer.headers["x-ratelimit-limit"] for answer in reported] == ["4"] * 3
    assert (mine.status_code, mine.headers["x-ratelimit-remaining"]) == (200, "0")


async def test_signing_in_is_counted_by_address_before_anything_is_looked_at() -> None:
    app = edge_app(sign_ins_per_minute=3)
    async with calling(app) as client:
        assert await until_refused(client, "/auth/login", "POST", json={"words": "x"}) == 3
        assert (await client.post("/auth/login", json={"nonsense": 1})).status_code == 429
        assert (await client.post("/auth/refresh")).headers["x-ratelimit-limit"] == "30"
        assert (await client.get("/auth/providers")).headers["ratelimit-policy"] == '"anonymous";q=30;w=60'
    async with calling(app, address="203.0.113.8") as neighbour:
        assert (await neighbour.post("/auth/login", json={"words": "x"})).status_code == 200


async def test_one_subscriber_has_one_budget_however_many_addresses_they_draw() -> None:
    app = edge_app(sign_ins_per_minute=2)
    left = []
    for address in ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1", "::ffff:203.0.113.9", "203.0.113.9"):
        async with calling(app, address=address) as client:
            answer = await client.post("/auth/login", json={"words": "x"})
            left.append(answer.headers["x-ratelimit-remaining"])
    assert left == ["1", "0", "1", "1", "0"]


async def test_health_and_what_is_marked_are_never_counted() -> None:
    app = edge_app(requests_per_hour=1, sign_ins_per_minute=1)
    async with calling(app, "user.asha") as client:
        for path in ("/edge/free", "/monitoring/health/live") * 4:
            answer = await client.get(path)
            assert answer.status_code == 200
            assert "x-ratelimit-limit" not in answer.headers


async def test_who_is_not_known_is_not_counted_as_anybody() -> None:
    async with calling(edge_app(requests_per_hour=1), "nonsense") as client:
        for _ in range(3):
            answer = await client.get("/edge/mine")
            assert (answer.status_code, "x-ratelimit-limit" in answer.headers) == (401, False)


async def test_requests_at_the_same_moment_are_counted_one_by_one() -> None:
    async with calling(edge_app(requests_per_hour=10), "user.asha") as client:
        answers = await asyncio.gather(*(client.get("/edge/mine") for _ in range(40)))
    assert sum(answer.is_success for answer in answers) == 10


async def test_two_processes_with_one_redis_share_the_count(redis_server: PrivateRedis) -> None:
    async with (
        counted_in(redis_server, requests_per_hour=6) as one,
        counted_in(redis_server, requests_per_hour=6) as two,
    ):
        allowed, passed = 6, 0
        async with calling(one, "user.asha") as here, calling(two, "user.asha") as there:
            for _ in range(allowed):
                for client in (here, there):
                    answer = await client.get("/edge/mine")
                    passed += answer.is_success
            assert answer.status_code == 429
            assert int(answer.headers["retry-after"]) >= 1
    assert passed == allowed


async def test_without_its_redis_nobody_is_refused_and_it_is_said_once(
    redis_server: PrivateRedis, caplog: pytest.LogCaptureFixture
) -> None:
    before = uncounted()
    async with counted_in(redis_server, requests_per_hour=2) as app, calling(app, "user.asha") as client:
        assert await until_refused(client, "/edge/mine") == 2
        await asyncio.to_thread(redis_server.stop)
        with caplog.at_level(logging.WARNING):
            answers = [await client.get("/edge/mine") for _ in range(5)]
            assert {answer.status_code for answer in answers} == {200}
            assert not any("x-ratelimit-limit" in answer.headers for answer in answers)
        await asyncio.to_thread(redis_server.start)

        async def counts_again() -> bool:
            return "x-ratelimit-limit" in (await client.get("/edge/mine")).headers

        await until(counts_again, what="requests are counted again")
    assert uncounted() - before >= 5
    assert sum("rate_limit_store_away" in record.getMessage() for record in caplog.records) == 1


@pytest.mark.parametrize("shared", [False, True])
async def test_what_is_used_once_is_used_once(redis_server: PrivateRedis, shared: bool) -> None:
    limits = RateLimits(Settings(_env_file=None, rate_limit_store=redis_server.url if shared else ""))
    drawn = ["a", "b", "a", "a", "c", "b"]
    assert [await limits.first_use(token, within_s=60) for token in drawn] == [True, True, False, False, True, False]
    if shared:
        await asyncio.to_thread(redis_server.stop)
        with pytest.raises(Unavailable):
            await limits.first_use("d", within_s=60)
    await limits.close()
