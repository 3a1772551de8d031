"""API8:2023, security misconfiguration: headers, other origins, what errors tell, and what is left open.

Headers and origins have their own tests in tests/cloud_api/kernel/test_response_headers.py.
"""

import pytest
from pydantic import ValidationError

from cloud_api.kernel.settings import Settings
from tests.attacks.leaks import leak_in
from tests.platform_under_test import Platform

OUGHT = {"X-Content-Type-Options", "X-Frame-Options", "Content-Security-Policy", "Referrer-Policy", "X-Request-ID"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/auth/me"),
        ("GET", "/api/v1/nowhere"),
        ("POST", "/api/v1/auth/login"),
        ("TRACE", "/api/v1/auth/me"),
        ("GET", "/"),
        ("GET", "/openapi.json"),
        ("GET", "/api/v1/settings/public?organization=%00"),
        ("GET", "/api/v1/settings/public?organization=%ff%fe"),
        ("GET", "/%ff"),
    ],
)
async def test_whatever_is_asked_the_headers_are_there_and_nothing_of_our_insides(
    sqlite_platform: Platform, method: str, path: str
) -> None:
    async with sqlite_platform.client() as client:
        answer = await client.request(method, path, content=b"{" if method == "POST" else None)
    assert set(answer.headers) >= {name.lower() for name in OUGHT}
    assert "server" not in answer.headers
    assert "x-powered-by" not in answer.headers
    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert leak_in(answer.text) == ""
        assert set(answer.json()) == {"success", "error", "timestamp", "request_id"}
    if method == "TRACE":
        assert answer.status_code == 405


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:8000.evil.example"])
async def test_no_origin_that_was_not_listed_may_read_with_credentials(sqlite_platform: Platform, origin: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization",
    }
    async with sqlite_platform.client() as client:
        answers = [await client.options("/api/v1/auth/me", headers=asked), await client.get("/docs", headers=asked)]
    for answer in answers:
        assert "access-control-allow-origin" not in answer.headers
        assert "access-control-allow-credentials" not in answer.headers


async def test_nothing_is_debugged_in_public(sqlite_platform: Platform) -> None:
    assert sqlite_platform.app.debug is False
    async with sqlite_platform.client() as client:
        for path in ("/debug", "/.env", "/.git/config", "/metrics", "/admin", "/actuator", "/redoc"):
            assert (await client.get(path)).status_code == 404, path


@pytest.mark.parametrize("name", ["secret_key", "encryption_keys", "audit_key"])
def test_production_does_not_start_with_a_key_that_everybody_knows(name: str) -> None:
    own = {each: f"{each}-of-this-very-platform-0123456789" for each in ("secret_key", "encryption_keys", "audit_key")}
    del own[name]
    with pytest.raises(ValidationError, match=name.upper()):
        Settings(environment="production", _env_file=None, **own)  # type: ignore[arg-type]
