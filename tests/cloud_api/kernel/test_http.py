"""What stands around every answer: envelopes, stable codes, named fields, request ids; and nothing of our insides."""

import json
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, Response
from pydantic import BaseModel

from cloud_api.kernel.errors import AppError, Conflict, Forbidden, NotFound, Unauthenticated, Unavailable
from cloud_api.kernel.http import ApiRoute, RequestModel
from tests.platform_under_test import Platform

WAREHOUSES = "/api/v1/warehouse/warehouses"
LOGIN = "/api/v1/auth/login"
strange = APIRouter(prefix="/api/v1/strange", route_class=ApiRoute)


class Crate(RequestModel):
    """A nested body."""

    size: int


class Pallet(RequestModel):
    """With a list."""

    crates: list[Crate]


class Answer(BaseModel):
    """What is given back."""

    size: int


class TooWarm(Conflict):
    """A room's own error."""

    code = "TOO_WARM"


ERRORS: dict[str, AppError] = {
    "conflict": TooWarm("it is too warm", field="temperature_c"),
    "nothing": NotFound("no such thing"),
    "stranger": Unauthenticated("who are you"),
    "forbidden": Forbidden("not you"),
    "away": Unavailable("back soon", retry_after_s=7),
}


@strange.get("/error/{which}", response_model=Answer)
async def raise_error(which: str) -> Answer:
    """One of ours."""
    raise ERRORS[which]


@strange.get("/broken", response_model=Answer)
async def break_down() -> Answer:
    """One of nobody's."""
    raise ZeroDivisionError("the secret recipe")


@strange.get("/wrong-answer", response_model=Answer)
async def answer_wrongly() -> dict[str, str]:
    """Not what was promised."""
    return {"size": "the secret recipe"}


@strange.post("/pallets", response_model=Answer)
async def count(body: Pallet) -> Answer:
    """Something that works."""
    return Answer(size=len(body.crates))


@strange.get("/file", response_model=None)
async def send_file() -> Response:
    """No envelope."""
    return Response(b"raw", media_type="text/plain")


def error_of(answer: httpx2.Response) -> dict[str, Any]:
    """The error, after a look at what stands around it."""
    body: dict[str, Any] = answer.json()
    assert set(body) == {"success", "error", "timestamp", "request_id"}
    assert body["success"] is False
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["timestamp"].endswith("Z")
    assert set(body["error"]) == {"code", "message", "details"}
    assert body["error"]["message"]
    error: dict[str, Any] = body["error"]
    return error


async def test_a_success_stands_in_its_envelope(sqlite_platform: Platform) -> None:
    sqlite_platform.app.include_router(strange)
    client = sqlite_platform.tenant.client
    answer = await client.post("/api/v1/strange/pallets", json={"crates": [{"size": 1}]})
    assert answer.json() == {
        "success": True,
        "data": {"size": 1},
        "meta": {"limit": None, "next_cursor": None},
        "message": None,
    }
    assert (await client.get("/api/v1/strange/file")).content == b"raw"


async def test_each_error_has_its_status_its_code_and_its_headers(sqlite_platform: Platform) -> None:
    sqlite_platform.app.include_router(strange)
    client = sqlite_platform.tenant.client
    expected: dict[str, tuple[int, str, dict[str, str]]] = {
        "conflict": (409, "TOO_WARM", {}),
        "nothing": (404, "NOT_FOUND", {}),
        "stranger": (401, "UNAUTHENTICATED", {"www-authenticate": "Bearer"}),
        "forbidden": (403, "FORBIDDEN", {}),
        "away": (503, "UNAVAILABLE", {"retry-after": "7"}),
    }
    for which, (status, code, headers) in expected.items():
        answer = await client.get(f"/api/v1/strange/error/{which}")
        assert (answer.status_code, error_of(answer)["code"]) == (status, code)
        assert headers.items() <= answer.headers.items()
    conflict = error_of(await client.get("/api/v1/strange/error/conflict"))
    assert conflict["details"] == [{"field": "temperature_c", "message": "it is too warm"}]


async def test_paths_and_methods_that_are_not_there_get_the_same_envelope(sqlite_platform: Platform) -> None:
    client = sqlite_platform.tenant.client
    for path in ("/api/v1/nowhere", "/", "/api/v1/warehouse/warehouses/x/y"):
        answer = await client.get(path)
        assert (answer.status_code, error_of(answer)["code"]) == (404, "NOT_FOUND")
    answer = await client.patch(WAREHOUSES, json={})
    assert (answer.status_code, error_of(answer)["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert "allow" in answer.headers


@pytest.mark.parametrize("path", ["broken", "wrong-answer"])
async def test_a_mistake_of_ours_says_nothing_of_our_insides(sqlite_platform: Platform, path: str) -> None:
    sqlite_platform.app.include_router(strange)
    given = {"X-Request-ID": "find-me-in-the-logs"}
    answer = await sqlite_platform.tenant.client.get(f"/api/v1/strange/{path}", headers=given)
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["details"]) == (500, "INTERNAL", [])
    assert answer.headers["x-request-id"] == "find-me-in-the-logs"
    for inside in ("secret", "recipe", "Error", "Traceback", "size"):
        assert inside not in answer.text


async def test_a_request_id_is_taken_over_when_it_is_fit_to_be_one(sqlite_platform: Platform) -> None:
    async def sent_back(given: str) -> str:
        answer = await sqlite_platform.tenant.client.get(
            "/api/v1/nowhere", headers={b"X-Request-ID": given.encode("latin-1")}
        )
        error_of(answer)
        return str(answer.headers["x-request-id"])

    for fit in ("12345678", "a-trace.of_mine", "x" * 64):
        assert await sent_back(fit) == fit
    drawn = {await sent_back(unfit) for unfit in ("short", "x" * 65, "with a space", "quote\"d'", "", "ä" * 8)}
    assert len(drawn) == 6
    assert all(len(value) == 32 for value in drawn)


async def test_every_field_that_is_wrong_is_named_with_its_path(sqlite_platform: Platform) -> None:
    sqlite_platform.app.include_router(strange)
    body = {"crates": [{"size": 1}, {"size": "big", "colour": "red"}, {}], "owner": "me"}
    answer = await sqlite_platform.tenant.client.post("/api/v1/strange/pallets", json=body)
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (422, "VALIDATION_FAILED")
    assert [detail["field"] for detail in error["details"]] == [
        "crates.1.size",
        "crates.1.colour",
        "crates.2.size",
        "owner",
    ]
    assert all(detail["message"] for detail in error["details"])
    bad_id = await sqlite_platform.tenant.client.get(f"{WAREHOUSES}/not-an-id")
    assert [detail["field"] for detail in error_of(bad_id)["details"]] == ["id"]


BODIES = [b"", b"{", b'{"crates": [}', b"null", b"[]", b'"text"', b"\xff\xfe", b'{"crates": "\xff"}', b"[" * 100_000]


async def test_a_body_that_is_no_json_object_names_the_body(sqlite_platform: Platform) -> None:
    sqlite_platform.app.include_router(strange)
    for body in BODIES:
        answer = await sqlite_platform.tenant.client.post(
            "/api/v1/strange/pallets", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in {400, 422}, body[:20]
        assert {detail["field"] for detail in error_of(answer)["details"]} <= {"body"}, body[:20]


async def test_what_was_sent_is_not_sent_back(sqlite_platform: Platform) -> None:
    body = {"login": "keeper", "password": {"secret": "Cold-room-1"}, "pin": "1234"}
    answer = await sqlite_platform.client().post(LOGIN, json=body)
    assert answer.status_code == 422
    assert "Cold-room-1" not in answer.text
    assert "1234" not in answer.text


async def test_characters_that_only_half_exist_break_nothing(sqlite_platform: Platform) -> None:
    halves = [{"code": "\ud800", "name": "x"}, {"code": "x", "name": "\udfff"}, {"\ud800": 1}]
    for body in halves:
        answer = await sqlite_platform.tenant.client.post(
            WAREHOUSES, content=json.dumps(body), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422, body
        error_of(answer)
