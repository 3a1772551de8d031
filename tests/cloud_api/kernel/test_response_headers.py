"""What browsers are told about every answer, and which other origins may read them."""

import base64
import hashlib
import re

import pytest

from tests.cloud_api.kernel.edge import calling, edge_app
from tests.platform_under_test import Platform

APP, OTHER = "https://app.example", "https://evil.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}

_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


async def test_every_answer_carries_them_whatever_it_is() -> None:
    async with calling(edge_app(), "user.asha") as client:
        for path in ("/edge/mine", "/edge/refused", "/nowhere", "/edge/broken", "/monitoring/health/live"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff", path
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["content-security-policy"] == _POLICY
            assert "server" not in headers


async def test_answers_are_kept_by_nobody_on_the_way() -> None:
    async with calling(edge_app()) as client:
        for answer in (await client.post("/auth/login", json={"words": "x"}), await client.post("/auth/login")):
            assert answer.headers["cache-control"] == "no-store"
        assert (await client.get("/authors")).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("public_url", "scheme", "strict"),
    [
        ("http://127.0.0.1:8000", "http", False),
        ("http://127.0.0.1:8000", "https", True),
        ("https://cold.example", "http", True),
    ],
)
async def test_who_is_reached_by_https_is_reached_by_nothing_else_from_then_on(
    public_url: str, scheme: str, strict: bool
) -> None:
    async with calling(edge_app(public_url=public_url), "user.asha", scheme=scheme) as client:
        for path in ("/edge/mine", "/edge/broken"):
            assert ("strict-transport-security" in (await client.get(path)).headers) is strict


async def test_the_documentation_runs_its_own_script_and_no_other(sqlite_platform: Platform) -> None:
    page = await sqlite_platform.client().get("/docs")
    [script] = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    expected = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy["script-src"] == f"'self' 'sha256-{expected}'"
    assert policy["default-src"] == "'none'"
    sources = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
    assert sources
    assert all(source.startswith("/") for source in sources), "everything comes from this server"
    for source in sources:
        assert (await sqlite_platform.client().get(source)).status_code == 200


async def test_a_listed_origin_may_ask_and_another_may_not() -> None:
    async with calling(edge_app(allowed_origins=f"{APP}, https://other.app.example")) as client:
        allowed = await client.options("/edge/mine", headers={"Origin": APP, **PREFLIGHT})
        refused = await client.options("/edge/mine", headers={"Origin": OTHER, **PREFLIGHT})
        read = await client.get("/edge/mine", headers={"Origin": APP, "Authorization": "Bearer user.asha"})
        unread = await client.get("/edge/mine", headers={"Origin": OTHER, "Authorization": "Bearer user.asha"})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, APP)
    assert "Authorization" in allowed.headers["access-control-allow-headers"]
    assert (refused.status_code, "access-control-allow-origin" in refused.headers) == (400, False)
    assert read.headers["access-control-allow-origin"] == APP
    assert "X-RateLimit-Remaining" in read.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in unread.headers
    assert not any("access-control-allow-credentials" in answer.headers for answer in (allowed, read))


async def test_without_listed_origins_no_other_may_read_anything() -> None:
    async with calling(edge_app(), "user.asha") as client:
        for answer in (
            await client.get("/edge/mine", headers={"Origin": APP}),
            await client.options("/edge/mine", headers={"Origin": APP, **PREFLIGHT}),
        ):
            assert not any(name.startswith("access-control") for name in answer.headers)
