"""What stands in the logs: one line a request, and no secret, whoever wrote it."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.kernel import logs
from cloud_api.kernel.masking import MASK, is_secret, mask_text
from tests.cloud_api.kernel.edge import calling, edge_app

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhc2hhIn0.c2lnbmF0dXJl"


class Lines:
    """What was written since the test began."""

    def __init__(self) -> None:
        self.written = io.StringIO()

    @property
    def text(self) -> str:
        return self.written.getvalue()

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture(params=[False, True], ids=["for machines", "for people"])
def for_people(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def lines(for_people: bool) -> Iterator[Lines]:
    """The logs as `serve` configures them, on standard error that is ours for the test."""
    kept, before = Lines(), sys.stderr
    sys.stderr = kept.written
    logs.configure(level="info", for_people=for_people)
    yield kept
    sys.stderr = before
    logs.configure(level="warning", for_people=True)


@pytest.mark.parametrize("for_people", [False], indirect=True, ids=["for machines"])
async def test_each_request_is_one_line_that_says_what_and_who_and_how_long(lines: Lines) -> None:
    app = edge_app(log_level="info")
    async with calling(app, "user.asha") as client:
        answer = await client.post("/edge/positions/42?access_token=xyz&note=private", json={"x": "private"})
        await client.get("/monitoring/health/live")
        await client.get("/nowhere/private")
        await client.get("/edge/broken")
    one, nowhere, error, broken = lines.objects
    assert one["event"] == "request"
    assert (one["method"], one["route"], one["status"]) == ("POST", "/api/v1/edge/positions/{id}", 200)
    assert 0 < one["duration_ms"] < 60_000
    assert one["principal"].startswith("user:")
    assert one["organization_id"].endswith("01")
    assert one["request_id"] == answer.headers["x-request-id"]
    assert (nowhere["route"], nowhere["status"]) == ("none", 404)
    assert {error["event"], broken["event"]} == {"unexpected_error", "request"}
    assert "private" not in lines.text
    assert "recipe" not in lines.text


def test_fields_with_secret_names_are_masked_however_deep(lines: Lines) -> None:
    structlog.get_logger("t").warning(
        "told",
        password="Cold-room-1",
        access_token="t-o-k",
        Authorization="Basic s-e-c",
        api_key="k-e-y",
        code="123456",
        body={"client_secret": "s-e-c", "rows": [{"totp_code": "x", "otp": "654321"}], "backup_codes": ["b-c-1"]},
        status_code=409,
        error_code="CONFLICT",
        token_type="Bearer",
        api_key_id="k-1",
        name="asha",
    )
    for secret in ("Cold-room-1", "t-o-k", "s-e-c", "k-e-y", "123456", "654321", "b-c-1"):
        assert secret not in lines.text
    for harmless in ("409", "CONFLICT", "k-1", "asha"):
        assert harmless in lines.text


def test_what_looks_like_a_credential_is_masked_in_any_text(lines: Lines) -> None:
    standard = logging.getLogger("uvicorn.error")
    standard.warning('%s - "WebSocket %s" [accepted]', "1.2.3.4", f"/ws/tracking/1?access_token={TOKEN}&x=kept")
    standard.warning("Authorization: Bearer abc.def-ghi")
    standard.warning("redis://:hunter2@10.0.0.1/0 and postgresql+asyncpg://app:hunter2@db/x")
    standard.warning("GET /callback?code=hunter2&state=hunter2")
    standard.warning(json.dumps({"client_secret": "hunter2", "n": 1}))
    standard.warning("gateway.0192f3a4-0000-7000-8000-000000000001.hunter2")
    try:
        raise ValueError(f"cannot read token={TOKEN} password=hunter2")
    except ValueError:
        standard.exception("failed with %s", {"password": "hunter2"})
    assert TOKEN not in lines.text
    assert "hunter2" not in lines.text
    assert "abc.def-ghi" not in lines.text
    assert "Traceback" in lines.text
    assert "x=kept" in lines.text


@pytest.mark.parametrize(
    "name", ["password", "new_password", "PASSWORD_HASH", "refreshToken", "secret_key", "cookie", "pin"]
)
def test_a_secret_name_is_known(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["status_code", "postcode", "error_code", "pinned", "token_type", "session_id", "secret_id"]
)
def test_a_harmless_name_is_left_alone(name: str) -> None:
    assert not is_secret(name)


@given(st.text(st.characters(categories=("Lu", "Ll", "Nd"), max_codepoint=127), min_size=8, max_size=40))
def test_no_token_survives_in_a_query(secret: str) -> None:
    masked = mask_text(f'"GET /x?a=1&refresh_token={secret}&b=2 HTTP/1.1"')
    assert masked == f'"GET /x?a=1&refresh_token={MASK}&b=2 HTTP/1.1"'


@given(st.text(max_size=200))
def test_masking_breaks_on_no_text_and_masks_no_more_the_second_time(text: str) -> None:
    once = mask_text(text)
    assert mask_text(once) == once
