"""API5:2023, broken function level authorisation: another method, another spelling of a path, another header.

Who may call what is walked role by role in tests/architecture/test_roles.py.
"""

import re

import pytest

from cloud_api.policy import policies
from tests.architecture.operations import NOBODYS_ID
from tests.architecture.test_owners import OPERATIONS
from tests.cloud_api.identity.staff import join
from tests.platform_under_test import Platform, app_to_read

#: who is signed in may call these, and reaches what is their own, or what they may read anyway
SIGNED_IN_IS_ENOUGH = re.compile(
    r"/api/v1/(auth|mobile/auth|privacy|notifications|mobile/devices|feature-flags|search|mobile/scan)(/|$)"
)


def test_whatever_needs_no_permission_is_ones_own_or_public() -> None:
    listed = policies(app_to_read())
    open_to_all = {policy.path for policy in listed if not policy.is_public and not policy.required}
    assert {path for path in open_to_all if not SIGNED_IN_IS_ENOUGH.match(path)} <= {
        "/api/v1/edge/gateways/{id}/config",  # the gateway itself: tests/architecture/test_owners.py
        "/api/v1/edge/gateways/{id}/config/ack",
        "/api/v1/edge/gateways/{id}/commands",
        "/api/v1/edge/gateways/{id}/commands/{command_id}/ack",
        "/api/v1/edge/gateways/{id}/heartbeat",
        "/api/v1/edge/gateways/{id}/logs",
        "/api/v1/edge/gateways/{id}/rotate-credentials",
        "/api/v1/admin/users/{id}/avatar",  # one's own, or of those whom one may change: tests/cloud_api/media
    }


async def test_a_viewer_administers_nothing_however_the_path_is_written(sqlite_platform: Platform) -> None:
    viewer = (await join(sqlite_platform)).client
    for path in (
        "/api/v1/admin/users",
        "/api/v1//admin/users",
        "/api/v1/admin/users/",
        "/api/v1/ADMIN/users",
        "/api/v1/warehouse/../admin/users",
        "/api/v1/warehouse/%2e%2e/admin/users",
        "/api/v1/admin%2Fusers",
        "/api/v1/admin/users;x=1",
        "/api/v1/admin/users?role=org_admin",
    ):
        answer = await viewer.get(path, follow_redirects=True)
        assert answer.status_code in {403, 404, 405}, (path, answer.status_code)


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
async def test_no_header_makes_a_reading_a_deletion(sqlite_platform: Platform, header: str) -> None:
    made = await sqlite_platform.tenant.post("/api/v1/teams", {"name": f"Team {header}"})
    path = f"/api/v1/teams/{made['id']}"
    assert (await sqlite_platform.tenant.client.get(path, headers={header: "DELETE"})).status_code == 200
    assert (await sqlite_platform.tenant.client.get(path)).status_code == 200


async def test_no_header_of_a_proxy_makes_anybody_somebody(sqlite_platform: Platform) -> None:
    forged = {"X-Forwarded-User": "root", "X-User-Id": NOBODYS_ID, "X-Original-URL": "/api/v1/auth/me", "X-Role": "*"}
    async with sqlite_platform.client() as client:
        assert (await client.get("/api/v1/admin/users", headers=forged)).status_code == 401
        assert (await client.get("/api/v1/settings/public", headers=forged)).status_code == 200


async def test_methods_that_are_not_there_do_nothing(sqlite_platform: Platform) -> None:
    documented: dict[str, set[str]] = {}
    for operation in OPERATIONS:
        documented.setdefault(operation.path, set()).add(operation.method)
    for path, methods in documented.items():
        for method in {"PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND"} - methods:
            answer = await sqlite_platform.tenant.client.request(method, re.sub(r"\{\w+\}", NOBODYS_ID, path))
            assert answer.status_code in {404, 405, 422}, (method, path, answer.status_code)
            assert answer.json()["success"] is False
