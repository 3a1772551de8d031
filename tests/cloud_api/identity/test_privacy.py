"""What somebody can ask about themselves, and what is left when they are erased."""

import itertools
import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cloud_api.audit.models import AuditEntry, SecurityEvent, UnsealedEntry
from cloud_api.identity.privacy.models import PersonalDataExport
from cloud_api.identity.privacy.service import EXPORT_LIFE
from cloud_api.identity.privacy.states import ERASURE, ErasureAction, ErasureStatus
from cloud_api.kernel import clock
from cloud_api.kernel.db import Base
from cloud_api.kernel.states import InvalidTransition
from cloud_api.kernel.tenancy import OrganizationOwned, SystemScope
from tests.cloud_api.identity.people import me, sign_in
from tests.cloud_api.identity.staff import INVITES, PRIVACY, TEAMS, USERS, Member, join, own_id, refusal
from tests.factories.pictures import picture_of
from tests.platform_under_test import Platform, Tenant

EXPORTS = f"{PRIVACY}/exports"
ERASURES = f"{PRIVACY}/erasure-requests"
#: what has to stay: the trail, and what endangered us
_KEPT: tuple[type[Base], ...] = (AuditEntry, UnsealedEntry, SecurityEvent)


def phone_of(member: Member) -> str:
    """A number that nobody else has."""
    return f"+91{int(member.id.replace('-', '')[-8:], 16):010d}"


async def asha(platform: Platform) -> Member:
    """Somebody with traces in every room that keeps some."""
    admin, member = platform.tenant, await join(platform)
    await admin.put(f"{USERS}/{member.id}", {"phone": phone_of(member)})
    await member.post("/api/v1/mobile/devices", {"registration": f"phone-of-{member.username}"})
    team = await admin.post(TEAMS, {"name": f"Yard {member.id}"})
    await admin.put(f"{TEAMS}/{team['id']}/members", {"members": [{"user_id": member.id}]})
    async with platform.client() as anybody:
        await anybody.post("/api/v1/auth/forgot-password", json={"login": member.username})
    await platform.deliver()
    return member


async def export_of(platform: Platform, by: Tenant, **body: Any) -> dict[str, Any]:
    """The copy, ready."""
    asked = await by.post(EXPORTS, body)
    assert (asked["status"], asked["download_url"]) == ("pending", None)
    await platform.deliver()
    ready: dict[str, Any] = await by.get(f"{EXPORTS}/{asked['id']}")
    assert ready["status"] == "ready"
    return ready


async def test_everybody_gets_a_copy_of_what_is_kept_about_them(shared_platform: Platform) -> None:
    member = await asha(shared_platform)
    ready = await export_of(shared_platform, member)
    assert ready["download_url"] == f"{EXPORTS}/{ready['id']}/download"
    answer = await member.client.get(ready["download_url"])
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    document = answer.json()["data"]
    assert document["subject_id"] == member.id
    data = document["data"]
    assert {*data} == {holder.name for holder in shared_platform.app.state.personal_data}
    account = data["account"]
    assert (account["username"], account["phone"], account["roles"]) == (member.username, phone_of(member), ["viewer"])
    assert account["teams"] == [f"Yard {member.id}"]
    assert len(data["sign_ins"]) == 1
    assert len(data["notifications"]["phones"]) == 1
    assert "hash" not in answer.text
    assert "sha256" not in answer.text


async def test_a_copy_is_for_its_subject_and_who_manages_privacy(shared_platform: Platform) -> None:
    admin, member, other = shared_platform.tenant, await join(shared_platform), await join(shared_platform)
    stranger = await shared_platform.found()
    answer = await other.client.post(EXPORTS, json={"user_id": member.id})
    assert refusal(answer) == (403, "FORBIDDEN")
    assert refusal(await stranger.client.post(EXPORTS, json={"user_id": member.id})) == (404, "NOT_FOUND")
    own = await export_of(shared_platform, member)
    handed_out = await export_of(shared_platform, admin, user_id=member.id)
    for nobody, ready in ((other, own), (stranger, own), (member, handed_out), (stranger, handed_out)):
        for path in (f"{EXPORTS}/{ready['id']}", ready["download_url"]):
            assert refusal(await nobody.client.get(path)) == (404, "NOT_FOUND")
    assert (await admin.get(handed_out["download_url"]))["subject_id"] == member.id


async def test_a_copy_lies_sealed_and_goes_after_seven_days(shared_platform: Platform) -> None:
    member = await join(shared_platform)
    ready = await export_of(shared_platform, member)
    late = clock.now() + EXPORT_LIFE + timedelta(seconds=1)
    clock.use(lambda: late)
    expired = await member.client.get(ready["download_url"])
    assert expired.status_code in {401, 404}  # the access token has ended too
    async with shared_platform.database.unit_of_work(member.organization) as db:
        kept = await db.get_one(PersonalDataExport, uuid.UUID(ready["id"]))
        assert kept.document is not None
    later = await sign_in(shared_platform, member.username)
    async with shared_platform.client(later.json()["data"]["access_token"]) as again:
        assert (await again.get(f"{EXPORTS}/{ready['id']}")).json()["data"]["status"] == "expired"
        assert refusal(await again.get(ready["download_url"])) == (404, "EXPIRED")
        await again.post(EXPORTS, json={})
    async with shared_platform.database.unit_of_work(member.organization) as db:
        assert (await db.get_one(PersonalDataExport, uuid.UUID(ready["id"]))).document is None


async def test_who_is_erased_is_found_nowhere_but_in_the_trail(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await asha(shared_platform)
    await admin.post(INVITES, {"email": f"{member.username}@{admin.slug}.example", "roles": ["viewer"]})
    await export_of(shared_platform, member)
    asked = await member.post(ERASURES, {"reason": f"I, {member.username}, leave"})
    assert await member.post(ERASURES) == asked, "asking again changes nothing"
    assert [request["id"] for request in await admin.get(ERASURES)] == [asked["id"]]
    assert len(await traces(shared_platform, member.username)) > 3
    executing = f"{ERASURES}/{asked['id']}/execute"
    first = await admin.post(executing)
    assert (first["status"], first["settled_by"]) == ("executed", await own_id(admin))
    assert await admin.post(executing) == first, "again: nothing changes"
    assert await traces(shared_platform, member.username) == []
    assert await traces(shared_platform, phone_of(member)) == []
    assert (await me(shared_platform, member.client.headers["Authorization"][7:])).status_code == 401
    assert (await sign_in(shared_platform, member.username)).status_code == 401
    trail = await admin.get("/api/v1/admin/security/audit-logs", entity="users")
    erased = next(entry for entry in trail if entry["action"] == "users.erased")
    assert (erased["entity_id"], erased["old"], erased["new"]) == (member.id, None, None)


async def traces(platform: Platform, word: str) -> list[str]:
    """Tables with a row, but for what has to stay, that still says `word`."""
    found = []
    async with platform.database.unit_of_work(SystemScope("test")) as db:
        for mapper in Base.registry.mappers:
            model = mapper.class_
            if model in _KEPT or not issubclass(model, OrganizationOwned):
                continue
            for row in await db.scalars(
                select(model).where(model.organization_id == platform.tenant.organization.organization_id)
            ):
                said = json.dumps({name: str(getattr(row, name)) for name in mapper.column_attrs.keys()})  # noqa: SIM118
                if re.search(rf"{re.escape(word)}\b", said):
                    found.append(model.__name__)
    return found


async def test_a_freed_name_and_address_can_be_taken_again(shared_platform: Platform) -> None:
    admin, member = shared_platform.tenant, await join(shared_platform)
    email = (await admin.get(f"{USERS}/{member.id}"))["email"]
    asked = await admin.post(ERASURES, {"user_id": member.id})
    await admin.post(f"{ERASURES}/{asked['id']}/execute")
    body = {"username": member.username, "email": email, "full_name": "New", "roles": ["viewer"]}
    await admin.post(USERS, {**body, "password": "Loading-dock-7"})


async def test_only_who_manages_privacy_erases_and_nobody_themselves(shared_platform: Platform) -> None:
    admin, member, other = shared_platform.tenant, await join(shared_platform), await join(shared_platform)
    stranger = await shared_platform.found()
    asked = await member.post(ERASURES)
    executing = f"{ERASURES}/{asked['id']}/execute"
    for by, heard in ((member, 403), (other, 403), (stranger, 404)):
        assert (await by.client.post(executing)).status_code == heard
        assert (await by.client.post(f"{ERASURES}/{asked['id']}/cancel")).status_code == (200 if by is member else 404)
    assert refusal(await admin.client.post(executing)) == (409, "INVALID_TRANSITION")
    assert refusal(await other.client.post(ERASURES, json={"user_id": member.id})) == (403, "FORBIDDEN")
    assert (await other.client.get(ERASURES)).status_code == 403
    own = await admin.post(ERASURES)
    assert refusal(await admin.client.post(f"{ERASURES}/{own['id']}/execute")) == (409, "CONFLICT")
    assert (await admin.post(f"{ERASURES}/{own['id']}/cancel"))["status"] == "cancelled"


async def test_a_lesser_privacy_officer_erases_no_administrator(shared_platform: Platform) -> None:
    admin, officer = shared_platform.tenant, await join(shared_platform, roles=[])
    await admin.put(f"{USERS}/{officer.id}", {"extra_permissions": ["privacy:manage"]})
    asked = await officer.post(ERASURES, {"user_id": await own_id(admin)})
    answer = await officer.client.post(f"{ERASURES}/{asked['id']}/execute")
    assert refusal(answer) == (403, "MIGHTIER_PERSON")


@pytest.mark.parametrize(("status", "action"), [*itertools.product(ErasureStatus, ErasureAction)])
def test_each_state_allows_what_the_table_says_and_nothing_else(status: ErasureStatus, action: ErasureAction) -> None:
    settled = {ErasureAction.EXECUTE: ErasureStatus.EXECUTED, ErasureAction.CANCEL: ErasureStatus.CANCELLED}
    if status is ErasureStatus.REQUESTED:
        assert ERASURE.apply(status, action) is settled[action]
    else:
        with pytest.raises(InvalidTransition):
            ERASURE.apply(status, action)


def test_the_picture_in_the_documentation_is_the_table() -> None:
    assert picture_of("erasure_request") == ERASURE.mermaid()
