"""Operations that ask for a signature: of this caller, for this request, now, and once."""

import asyncio
import hmac
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import Principal
from cloud_api.kernel.signing import FRESH_FOR_S, signature_of, signed
from tests.cloud_api.kernel.edge import Words, calling, edge_app
from tests.services.redis import PrivateRedis

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRETS = {"asha": "asha-signs-with-this", "ravi": "ravi-signs-with-this"}
TARGET = "/api/v1/payments/process"
payments = APIRouter(prefix="/payments", route_class=ApiRoute)


@payments.post("/process", response_model=int, dependencies=[signed])
async def process(body: Words) -> int:
    """Moves money."""
    return len(body.words)


async def secret_of(_database: Database, principal: Principal) -> str | None:
    """What these people sign with."""
    return SECRETS.get(principal.name)


def paying_app(**changed: Any) -> FastAPI:
    app = edge_app(payments, **changed)
    app.state.signing_secret = secret_of
    clock.use(lambda: NOW)
    return app


def headers(
    *, body: bytes, target: str = TARGET, method: str = "POST", at: datetime = NOW, nonce: str = "", by: str = "asha"
) -> dict[str, str]:
    """A signature as a caller makes it."""
    timestamp, nonce = str(int(at.timestamp())), nonce or secrets.token_hex(16)
    parts = {"method": method, "target": target, "body": body, "timestamp": timestamp, "nonce": nonce}
    signature = signature_of(**parts, secret=SECRETS[by])  # type: ignore[arg-type]  # the parts are what it takes
    return {
        "X-Timestamp": timestamp,
        "X-Nonce": nonce,
        "X-Signature": signature,
        "Content-Type": "application/json",
    }


BODY = b'{"words":"pay 100"}'


def refused(answer: httpx2.Response) -> bool:
    return answer.status_code == 401 and answer.json()["error"]["code"] == "SIGNATURE_INVALID"


def test_a_signature_can_be_made_by_anybody_who_reads_how() -> None:
    made = signature_of(method="post", target="/x?y=1", body=b"{}", timestamp="1", nonce="n", secret="s")
    lines = b"POST\n/x?y=1\n44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\n1\nn"
    assert made == hmac.new(b"s", lines, "sha256").hexdigest()
    assert made == "aacb6978c4ba01f732b2adbb7f5d494f7d205a1f80971d7b22f0a52cf24c1376"


async def test_what_was_signed_by_its_caller_passes_once() -> None:
    async with calling(paying_app(), "user.asha") as client:
        made = headers(body=BODY)
        assert (await client.post("/payments/process", content=BODY, headers=made)).json()["data"] == 7
        assert refused(await client.post("/payments/process", content=BODY, headers=made))
        assert (await client.post("/payments/process", content=BODY, headers=headers(body=BODY))).is_success


async def test_the_query_is_signed_as_it_was_sent() -> None:
    async with calling(paying_app(), "user.asha") as client:
        target = f"{TARGET}?to=a%2Fb&dry=1"
        sent = {"content": BODY, "headers": headers(body=BODY, target=target)}
        assert (await client.post("/payments/process?to=a%2Fb&dry=1", **sent)).is_success  # type: ignore[arg-type]
        for other in ("?to=a%2Fb&dry=0", "?dry=1&to=a%2Fb", "", "?to=a/b&dry=1"):
            sent = {"content": BODY, "headers": headers(body=BODY, target=target)}
            assert refused(await client.post(f"/payments/process{other}", **sent))  # type: ignore[arg-type]


async def test_whatever_is_changed_or_missing_is_refused() -> None:
    async with calling(paying_app(), "user.asha") as client:
        wrong = [
            {},
            {**headers(body=BODY), "X-Signature": ""},
            {**headers(body=BODY), "X-Signature": "0" * 64},
            {**headers(body=BODY), "X-Signature": "ä"},
            {**headers(body=BODY), "X-Nonce": "another-nonce-of-mine"},
            {**headers(body=BODY), "X-Nonce": "short"},
            {**headers(body=BODY), "X-Timestamp": str(int(NOW.timestamp()) + 1)},
            {**headers(body=BODY), "X-Timestamp": "yesterday"},
            headers(body=BODY, nonce="short"),
            headers(body=BODY.replace(b"100", b"900")),
            headers(body=BODY, method="PUT"),
            headers(body=BODY, target="/api/v1/payments/other"),
            headers(body=BODY, by="ravi"),
        ]
        for made in wrong:
            everything = {**made, "Content-Type": "application/json"}
            encoded = {name.encode(): value.encode() for name, value in everything.items()}
            assert refused(await client.post("/payments/process", content=BODY, headers=encoded)), made


@pytest.mark.parametrize(("late_s", "passes"), [(0, True), (FRESH_FOR_S, True), (FRESH_FOR_S + 1, False)])
async def test_a_signature_is_good_for_five_minutes_either_way(late_s: int, passes: bool) -> None:
    async with calling(paying_app(), "user.asha") as client:
        for at in (NOW - timedelta(seconds=late_s), NOW + timedelta(seconds=late_s)):
            answer = await client.post("/payments/process", content=BODY, headers=headers(body=BODY, at=at))
            assert answer.is_success is passes


async def test_who_has_no_secret_cannot_sign() -> None:
    async with calling(paying_app(), f"user.{uuid.uuid4()}") as client:
        assert refused(await client.post("/payments/process", content=BODY, headers=headers(body=BODY)))


async def test_a_nonce_is_its_callers_own() -> None:
    app, nonce = paying_app(), secrets.token_hex(16)
    for name in SECRETS:
        async with calling(app, f"user.{name}") as client:
            made = headers(body=BODY, nonce=nonce, by=name)
            assert (await client.post("/payments/process", content=BODY, headers=made)).is_success


async def test_processes_that_share_a_redis_agree_on_what_was_used(redis_server: PrivateRedis) -> None:
    apps = [paying_app(rate_limit_store=redis_server.url) for _ in range(2)]
    made, answers = headers(body=BODY), []
    for app in apps:
        async with calling(app, "user.asha") as client:
            answers.append(await client.post("/payments/process", content=BODY, headers=made))
    assert [answer.status_code for answer in answers] == [200, 401]
    await asyncio.to_thread(redis_server.stop)
    async with calling(apps[0], "user.asha") as client:
        answer = await client.post("/payments/process", content=BODY, headers=headers(body=BODY))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAVAILABLE")
    for app in apps:
        await app.state.rate_limits.close()
