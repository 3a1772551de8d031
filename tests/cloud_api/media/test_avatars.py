"""People's pictures: their own to set, and whose else."""

from tests.factories.farms import make_person
from tests.factories.orders import PHOTO
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform, Tenant

PNG = {"Content-Type": "image/png"}


async def path_of(person: Tenant) -> str:
    return f"/api/v1/admin/users/{await id_of(person)}/avatar"


async def test_somebody_without_rights_sets_sees_and_removes_their_own(shared_platform: Platform) -> None:
    driver = await make_person(shared_platform, shared_platform.tenant, "delivery_personnel")
    path = await path_of(driver)
    assert (await driver.client.get(path)).status_code == 404
    assert (await driver.client.post(path, content=PHOTO, headers=PNG)).status_code == 201
    shown = await driver.client.get(path)
    assert (shown.content, shown.headers["content-type"]) == (PHOTO, "image/png")
    assert (await driver.client.delete(path)).status_code == 204
    assert (await driver.client.get(path)).status_code == 404


async def test_nobody_but_an_administrator_sets_anothers(shared_platform: Platform) -> None:
    keeper, viewer = [
        await make_person(shared_platform, shared_platform.tenant, role) for role in ("customer", "viewer")
    ]
    path = await path_of(keeper)
    for call in (
        viewer.client.post(path, content=PHOTO, headers=PNG),
        viewer.client.get(path),
        viewer.client.delete(path),
    ):
        assert (await call).status_code == 403
    assert (await shared_platform.tenant.client.post(path, content=PHOTO, headers=PNG)).status_code == 201


async def test_what_is_no_picture_is_refused(shared_platform: Platform) -> None:
    me = await path_of(shared_platform.tenant)
    client = shared_platform.tenant.client
    for content, kind in ((b"<svg onload=alert(1)>", "image/svg+xml"), (b"GIF89a", "image/png"), (b"", "image/png")):
        answer = await client.post(me, content=content, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "BROKEN_UPLOAD"), kind
