"""A call of each operation that succeeds, for whoever wants to spoil it.

Most stand in tests/architecture already (`CASES`, `GOOD`). Here is what they leave out: what nobody has to sign in
for, and what people do with an account of their own.
"""

import itertools
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pyotp

from cloud_api.kernel import clock
from cloud_api.logistics.tracking import service as tracking
from tests.architecture.creations import GOOD, Good
from tests.architecture.operations import CASES, body_of, id_for, the_operator
from tests.architecture.test_owners import Operation
from tests.architecture.worlds import World
from tests.cloud_api.identity.mailed import mailed_token
from tests.cloud_api.identity.people import tokens
from tests.cloud_api.identity.programs import make_client
from tests.cloud_api.identity.staff import Member, join, make_role, own_id
from tests.factories.batches import make_batch, make_epoch, make_reading
from tests.platform_under_test import PASSWORD, Platform

AUTH = "/api/v1/auth"
NEXT_PASSWORD = "Warm-depot-2"
FORM = "application/x-www-form-urlencoded"
NOBODY: Mapping[str, str] = {}


@dataclass(frozen=True)
class Call:
    """What is sent, and what shows by whom."""

    #: by their names in the path
    ids: Mapping[str, str] = field(default_factory=dict)
    #: JSON, bytes, or a form's fields; None: no body
    body: Any = None
    query: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"

    def path(self, operation: Operation) -> str:
        """The operation's path with the ids in it."""
        return re.sub(r"\{(\w+)\}", lambda name: self.ids[name[1]], operation.path)


def content(body: object, media_type: str = "application/json") -> dict[str, Any]:
    """The client's arguments for a body."""
    if body is None:
        return {}
    if isinstance(body, bytes):
        return {"content": body}
    return {"data": body} if media_type == FORM else {"json": body}


def by(client: httpx2.AsyncClient) -> dict[str, str]:
    """The header that shows who asks."""
    return {"Authorization": client.headers["Authorization"]}


async def enrol(platform: Platform) -> tuple[Member, str, list[str]]:
    """Somebody with a second factor, its seed, and their backup codes."""
    member = await join(platform)
    begun = await member.post(f"{AUTH}/2fa/setup")
    code = pyotp.TOTP(begun["secret"]).at(clock.now())
    enabled = await member.post(f"{AUTH}/2fa/enable", {"code": code})
    return member, begun["secret"], enabled["backup_codes"]


async def _signed_in(world: World) -> tuple[Member, dict[str, Any]]:
    member = await join(world.platform)
    return member, await tokens(world.platform, member.username)


async def _challenge(world: World) -> Call:
    member, _, backup_codes = await enrol(world.platform)
    challenge = (await tokens(world.platform, member.username))["challenge"]
    return Call(body={"challenge": challenge, "code": backup_codes[0]})


async def _sms(world: World) -> Call:
    member, _, _ = await enrol(world.platform)
    await member.put(f"{AUTH}/me", {"phone": "+919812345678", "current_password": PASSWORD})
    return Call(body={"challenge": (await tokens(world.platform, member.username))["challenge"]})


async def _backup_codes(world: World) -> Call:
    member, _, backup_codes = await enrol(world.platform)
    return Call(body={"code": backup_codes[0]}, headers=by(member.client))


async def _factor_off(world: World) -> Call:
    member, _, backup_codes = await enrol(world.platform)
    return Call(body={"password": PASSWORD, "code": backup_codes[0]}, headers=by(member.client))


async def _factor_begun(world: World) -> Call:
    return Call(headers=by((await join(world.platform)).client))


async def _factor_on(world: World) -> Call:
    member = await join(world.platform)
    begun = await member.post(f"{AUTH}/2fa/setup")
    return Call(body={"code": pyotp.TOTP(begun["secret"]).at(clock.now())}, headers=by(member.client))


async def _password(world: World) -> Call:
    member = await join(world.platform)
    body = {"current_password": PASSWORD, "new_password": NEXT_PASSWORD}
    return Call(body=body, headers=by(member.client))


async def _login(world: World) -> Call:
    return Call(body={"login": (await join(world.platform)).username, "password": PASSWORD})


async def _mobile_login(world: World) -> Call:
    body = {"login": (await join(world.platform)).username, "password": PASSWORD, "device_id": "phone-1"}
    return Call(body=body)


async def _login_only(world: World) -> Call:
    return Call(body={"login": (await join(world.platform)).username})


async def _own(world: World) -> Call:
    return Call(headers=by((await join(world.platform)).client))


async def _mobile_logout(world: World) -> Call:
    return Call(body={}, headers=by((await join(world.platform)).client))


async def _own_profile(world: World) -> Call:
    return Call(body={"full_name": "Asha Patil"}, headers=by((await join(world.platform)).client))


async def _own_session(world: World) -> Call:
    member, _ = await _signed_in(world)
    session = next(row for row in await member.get(f"{AUTH}/sessions") if not row["current"])
    return Call({"id": session["id"]}, headers=by(member.client))


async def _refresh(world: World) -> Call:
    return Call(body={"refresh_token": (await _signed_in(world))[1]["refresh_token"]})


async def _mail_of(world: World, path: str, kind: str) -> str:
    member = await join(world.platform)
    asked = await member.client.post(f"{AUTH}/{path}", json={"login": member.username})
    assert asked.status_code == 202, asked.text
    return await mailed_token(world.platform, f"{member.username}@{world.tenant.slug}.example", kind)


async def _reset(world: World) -> Call:
    return Call(
        body={"token": await _mail_of(world, "forgot-password", "reset_password"), "new_password": NEXT_PASSWORD}
    )


async def _verify(world: World) -> Call:
    return Call(body={"token": await _mail_of(world, "resend-verification", "verify_email")})


async def _register(world: World) -> Call:
    name = f"{world.tenant.slug}-{world.number()}"
    who = {"username": f"n-{name}", "email": f"n-{name}@farm.example", "full_name": "Asha", "password": PASSWORD}
    return Call(body={"organization_name": name, "slug": f"new-{name}", **who})


async def _client_token(world: World) -> Call:
    made = await make_client(world.tenant)
    credentials = {"client_id": made["client_id"], "client_secret": made["client_secret"]}
    return Call(body={"grant_type": "client_credentials", **credentials}, media_type=FORM)


async def _provision(world: World) -> Call:
    registered = await world.tenant.post("/api/v1/edge/gateways", {"name": "Box"})
    return Call(body={"claim_code": registered["claim_code"], "secret": "5" * 64, "software_version": "0.1.0"})


async def _readings(world: World) -> Call:
    headers = {"Authorization": f"Bearer {world.store.gateway_token}"}
    return Call(body=make_batch([make_reading(1)], epoch=make_epoch()), headers=headers)


async def _accept(world: World) -> Call:
    email = f"i-{world.tenant.slug}-{world.number()}@farm.example"
    await world.tenant.post("/api/v1/invites", {"email": email, "roles": ["viewer"]})
    token = await mailed_token(world.platform, email, "invitation")
    name = f"new-{world.tenant.slug}-{world.number()}"
    return Call({"token": token}, {"username": name, "full_name": "Asha", "password": PASSWORD})


async def _own_address(world: World) -> Call:
    await CASES["update_own_address"].make(world)
    return Call(body={"address": "4 Mill Road", "latitude": 12.93, "longitude": 77.61}, headers=by(world.tenant.client))


async def _taken_role(world: World) -> Call:
    member = await join(world.platform)
    role_id = await make_role(world.tenant, f"taken_{world.number()}", "products:read")
    await world.tenant.post(f"/api/v1/admin/users/{member.id}/roles", {"role_id": role_id})
    return Call({"id": member.id, "role_id": role_id}, headers=by(world.tenant.client))


async def _new_organization(world: World) -> Call:
    """An organisation that somebody of the platform can do without."""
    operator = await the_operator(world)
    good = await GOOD["create_organization"](world)
    made = await operator.post("/api/v1/organizations", good.body)
    return Call({"id": made["id"]}, headers=by(operator.client))


async def _erasure(world: World) -> Call:
    member = await join(world.platform)
    made = await world.tenant.post("/api/v1/privacy/erasure-requests", {"user_id": member.id})
    return Call({"id": made["id"]}, headers=by(world.tenant.client))


async def _export(world: World) -> Call:
    made = await world.tenant.post("/api/v1/privacy/exports")
    await world.platform.deliver()
    return Call({"id": made["id"]}, headers=by(world.tenant.client))


async def _providers(world: World) -> Call:
    return Call(query={"organization": world.tenant.slug})


async def _branding(world: World) -> Call:
    return Call({"id": world.tenant.slug})


async def _logo(world: World) -> Call:
    return Call({"id": await CASES["get_logo"].make(world)})


def _with_body(body: object) -> Callable[[World], Awaitable[Call]]:
    async def call(world: World) -> Call:
        return Call(body=body, headers=by((await join(world.platform)).client))

    return call


async def _current_route(world: World) -> Call:
    await CASES["start_route"].make(world)
    return Call(headers=by(world.tenant.client))


async def _phone(world: World) -> Call:
    return Call(body={"registration": f"phone-{world.tenant.slug}-{world.number()}"}, headers=by(world.tenant.client))


#: what tests/architecture leaves out, or calls by somebody who must not lose what is taken away here
async def _signed_file(world: World) -> Call:
    path = f"/api/v1/media/{await CASES['get_media'].make(world)}/signed-url"
    return Call({"token": (await world.tenant.get(path))["url"].rpartition("/")[2]})


async def _followed(world: World) -> Call:
    order_id = uuid.UUID(await CASES["get_order"].make(world))
    async with world.platform.database.unit_of_work(world.tenant.organization) as db:
        return Call({"token": (await tracking.link_for(db, order_id)).rpartition("/")[2]})


OWN: dict[str, Callable[[World], Awaitable[Call]]] = {
    "answer_challenge": _challenge,
    "send_sms_code": _sms,
    "replace_backup_codes": _backup_codes,
    "disable_second_factor": _factor_off,
    "begin_second_factor": _factor_begun,
    "enable_second_factor": _factor_on,
    "change_password": _password,
    "forgot_password": _login_only,
    "resend_verification": _login_only,
    "reset_password": _reset,
    "verify_email": _verify,
    "login": _login,
    "mobile_login": _mobile_login,
    "logout": _own,
    "mobile_logout": _mobile_logout,
    "end_my_other_sessions": _own,
    "end_my_session": _own_session,
    "refresh": _refresh,
    "register": _register,
    "update_me": _own_profile,
    "add_own_address": _own_address,
    "get_own_addresses": _own_address,
    "register_phone": _phone,
    "get_current_route": _current_route,
    "issue_client_token": _client_token,
    "provision_gateway": _provision,
    "take_in_readings": _readings,
    "accept_invitation": _accept,
    "take_user_role": _taken_role,
    "deactivate_organization": _new_organization,
    "request_erasure": _with_body({"reason": "I leave"}),
    "cancel_erasure": _erasure,
    "execute_erasure": _erasure,
    "request_personal_data": _with_body({}),
    "get_personal_data_export": _export,
    "download_personal_data": _export,
    "get_sign_in_providers": _providers,
    "get_branding": _branding,
    "get_logo": _logo,
    "get_signed_media": _signed_file,
    "follow_order": _followed,
}


async def good_call(world: World, operation: Operation, *, by_operator: bool) -> Call:
    """A call that succeeds, by the organisation's administrator or by somebody of the platform."""
    if operation.name in OWN:
        return await OWN[operation.name](world)
    if not operation.has_id:
        good = await GOOD[operation.name](world) if operation.name in GOOD else Good()
        who = (await the_operator(world)).client if by_operator else world.tenant.client
        body = {} if good.body is None and operation.method in {"POST", "PUT", "PATCH"} else good.body
        shown = {} if operation.public else by(who)
        return Call(body=body, query=good.query, headers={**dict(good.headers or {}), **shown})
    case = CASES[operation.name]
    made, body = await id_for(case, world, operation.method), await body_of(case, world)
    body = {} if body is None and operation.method in {"POST", "PUT", "PATCH"} else body
    who = (await the_operator(world)).client if case.by_operator or by_operator else world.tenant.client
    shown = {"Authorization": f"Bearer {world.store.gateway_token}"} if case.by_gateway else by(who)
    ids = dict(zip(re.findall(r"\{(\w+)\}", operation.path), itertools.cycle(made.split()), strict=False))
    return Call(ids, body, headers={**dict(case.headers or {}), **shown})


__all__ = ["AUTH", "CASES", "FORM", "Call", "content", "enrol", "good_call", "own_id"]
