"""Pictures of products: in an order, one of them for lists, and kept as long as they are shown."""

import uuid
from typing import Any

from tests.cloud_api.identity.staff import refusal
from tests.cloud_api.media.conftest import archive
from tests.cloud_api.media.samples import MEDIA, PDF, picture, sent
from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import make_product
from tests.platform_under_test import Platform

__all__ = ["archive"]

pytestmark = IN_ONE_LOOP


def path_of(product_id: str) -> str:
    return f"/api/v1/warehouse/products/{product_id}/images"


async def a_picture(archive: Platform, width: int) -> str:
    return str((await sent(archive.tenant, picture(width)))["id"])


async def test_pictures_have_an_order_and_one_stands_for_the_product(archive: Platform) -> None:
    tenant = archive.tenant
    path = path_of(await make_product(tenant))
    first, second, third = [await a_picture(archive, width) for width in (50, 51, 52)]

    async def shown() -> list[tuple[str, bool]]:
        images = await tenant.get(path)
        assert [image["position"] for image in images] == list(range(len(images)))
        return [(image["media_id"], image["main"]) for image in images]

    for media_id in (first, second, third, second):
        await tenant.post(path, {"media_id": media_id})
    assert await shown() == [(first, True), (second, False), (third, False)]
    await tenant.post(path, {"media_id": third, "position": 0})
    assert await shown() == [(third, False), (first, True), (second, False)]
    await tenant.post(path, {"media_id": second, "main": True})
    assert await shown() == [(third, False), (first, False), (second, True)]
    assert (await tenant.client.delete(f"{path}/{second}")).status_code == 204
    assert await shown() == [(third, True), (first, False)]
    for media_id in (third, first):
        await tenant.client.delete(f"{path}/{media_id}")
    assert await shown() == []
    assert (await tenant.client.delete(f"{path}/{first}")).status_code == 404


async def test_a_picture_that_a_product_shows_cannot_be_deleted(archive: Platform) -> None:
    tenant, product_id = archive.tenant, await make_product(archive.tenant)
    media_id = await a_picture(archive, 50)
    await tenant.post(path_of(product_id), {"media_id": media_id})
    refused = await tenant.client.delete(f"{MEDIA}/{media_id}")
    assert refusal(refused) == (409, "STILL_ATTACHED")
    assert f"product {product_id}" in refused.json()["error"]["message"]
    assert [one["id"] for one in await tenant.get(MEDIA, entity_type="product", entity_id=product_id)] == [media_id]
    await tenant.client.delete(f"{path_of(product_id)}/{media_id}")
    assert (await tenant.client.delete(f"{MEDIA}/{media_id}")).status_code == 204


async def test_what_is_no_picture_or_not_ours_is_not_attached(archive: Platform) -> None:
    tenant, stranger = archive.tenant, await make_farm(archive)
    path = path_of(await make_product(tenant))
    note = await sent(tenant, PDF, name="a.pdf", mime="application/pdf")
    theirs: Any = await sent(stranger, picture())
    assert refusal(await tenant.client.post(path, json={"media_id": note["id"]})) == (422, "NO_IMAGE")
    for media_id in (theirs["id"], str(uuid.uuid4())):
        assert (await tenant.client.post(path, json={"media_id": media_id})).status_code == 404
    mine = await a_picture(archive, 50)
    assert (await stranger.client.post(path, json={"media_id": mine})).status_code == 404
    assert await tenant.get(path) == []
