"""Who may: what was granted, wider grants, what is one's own, and what has to be done first."""

import uuid

import pytest
from fastapi import APIRouter, FastAPI
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.kernel.db import Database
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import (
    GROUPS,
    Credential,
    CurrentPrincipal,
    Duty,
    Principal,
    grants,
    open_in_duty,
    require,
)
from tests.cloud_api.kernel.edge import FARM, calling, edge_app

guarded = APIRouter(prefix="/guarded", route_class=ApiRoute)

PEOPLE: dict[str, Principal] = {}


def person(name: str, *granted: str, own: tuple[str, ...] = (), duty: Duty | None = None) -> str:
    """Somebody with these permissions; their token."""
    PEOPLE[name] = Principal(
        kind="user",
        id=uuid.uuid5(FARM, name),
        organization_id=FARM,
        permissions=frozenset(granted),
        own_permissions=frozenset(own),
        duty=duty,
    )
    return name


async def by_token(_database: Database, credential: Credential) -> Principal | None:
    return PEOPLE.get(credential.token)


@guarded.get("/stock", response_model=str, dependencies=[require("stock:read")])
async def read_stock() -> str:
    """Needs one permission."""
    return "stock"


@guarded.get("/either", response_model=str, dependencies=[require("orders:read", "routes:read")])
async def read_either() -> str:
    """Needs any of two."""
    return "either"


@guarded.get("/orders", response_model=str, dependencies=[require("orders:read")])
async def read_orders(principal: CurrentPrincipal) -> str:
    """All of them, or one's own."""
    return "own" if principal.may_only_own("orders:read") else "all"


@guarded.get("/enrol", response_model=str)
@open_in_duty
async def enrol(_principal: CurrentPrincipal) -> str:
    """What has to be done first."""
    return "enrolled"


def guarded_app() -> FastAPI:
    app = edge_app(guarded)
    app.state.authenticators = (by_token,)
    return app


@pytest.mark.parametrize(
    ("granted", "permission", "covered"),
    [
        ({"stock:read"}, "stock:read", True),
        ({"stock:read"}, "stock:write", False),
        ({"stock:*"}, "stock:write", True),
        ({"stock:*"}, "stocktakes:write", False),
        ({"*"}, "platform:manage", True),
        ({"inventory:*"}, "stock:write", True),
        ({"inventory:*"}, "orders:read", False),
        ({"inventory:read"}, "stock:read", False),
        ({"logistics:*"}, "orders:write", True),
        ({"staff:*"}, "tasks:read", True),
        ({"staff:*"}, "staff:read", True),
        (set(), "stock:read", False),
        ({"stock"}, "stock:read", False),
        ({":*"}, "stock:read", False),
        ({"*:read"}, "stock:read", False),
        ({"**"}, "stock:read", False),
    ],
)
def test_a_grant_covers_what_it_names_and_no_more(granted: set[str], permission: str, covered: bool) -> None:
    assert grants(granted, permission) is covered


@given(
    st.sampled_from(sorted(GROUPS)), st.from_regex(r"[a-z_]{1,12}", fullmatch=True), st.sampled_from(["read", "write"])
)
def test_a_group_covers_its_resources_and_no_other(group: str, resource: str, action: str) -> None:
    expected = resource in GROUPS[group] or resource == group
    assert grants({f"{group}:*"}, f"{resource}:{action}") is expected


async def test_a_route_lets_pass_who_has_any_of_what_it_names() -> None:
    app = guarded_app()
    for token, path, status in (
        (person("keeper", "inventory:*"), "stock", 200),
        ("keeper", "either", 403),
        (person("dispatcher", "routes:read"), "either", 200),
        ("dispatcher", "stock", 403),
        (person("root", "*"), "either", 200),
    ):
        async with calling(app, token) as client:
            answer = await client.get(f"/guarded/{path}")
            assert answer.status_code == status, (token, path)
    assert answer.json()["data"] == "either"


async def test_a_refusal_names_the_permission_that_is_missing() -> None:
    async with calling(guarded_app(), person("guest")) as client:
        error = (await client.get("/guarded/either")).json()["error"]
    assert error["code"] == "FORBIDDEN"
    assert "orders:read or routes:read" in error["message"]


async def test_what_is_granted_for_ones_own_opens_the_door_and_says_so() -> None:
    app, seen = guarded_app(), []
    for token in (
        person("customer", own=("orders:read",)),
        person("clerk", "orders:read"),
        person("both", "logistics:*", own=("orders:read",)),
        person("wide", own=("logistics:*",)),
    ):
        async with calling(app, token) as client:
            seen.append((await client.get("/guarded/orders")).json()["data"])
    assert seen == ["own", "all", "all", "own"]


@pytest.mark.parametrize("duty", ["TWO_FACTOR_REQUIRED", "PASSWORD_EXPIRED"])
async def test_until_a_duty_is_done_only_the_way_out_of_it_is_open(duty: Duty) -> None:
    async with calling(guarded_app(), person("late", "*", duty=duty)) as client:
        refused = await client.get("/guarded/stock")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, duty)
        assert "/api/v1/auth/" in refused.json()["error"]["message"]
        assert (await client.get("/guarded/enrol")).json()["data"] == "enrolled"


async def test_who_is_nobody_is_told_to_sign_in() -> None:
    app = guarded_app()
    for headers in (
        {},
        {"Authorization": "Basic a:b"},
        {"Authorization": "Bearer nobody"},
        {"Authorization": "Bearer"},
    ):
        async with calling(app) as client:
            answer = await client.get("/guarded/stock", headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), headers
