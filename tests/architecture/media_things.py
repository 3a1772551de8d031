"""Files, pictures, labels and scans, for the operations of these."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from tests.architecture.sighting_things import an_item
from tests.architecture.worlds import World
from tests.cloud_api.media.samples import MEDIA, picture, sent
from tests.factories.stores import make_product

PNG = {"Content-Type": "image/png"}
#: the one part of an upload
NOTE = b"kept cold"


async def a_file(world: World) -> str:
    """A picture that is nobody else's: another width each time."""
    return str((await sent(world.tenant, picture(20 + 2 * world.number())))["id"])


async def an_upload(world: World) -> str:
    body = {"name": "note.txt", "mime": "text/plain", "size_bytes": len(NOTE)}
    return str((await world.tenant.post(f"{MEDIA}/uploads", body))["id"])


async def a_part(world: World) -> str:
    """Two ids: of what upload, and its number."""
    return f"{await an_upload(world)} 1"


async def a_sent_upload(world: World) -> str:
    """All its parts are there."""
    upload_id = await an_upload(world)
    answer = await world.tenant.client.put(f"{MEDIA}/uploads/{upload_id}/parts/1", content=NOTE)
    assert answer.status_code == 200, answer.text
    return upload_id


async def a_goods(world: World) -> str:
    return await make_product(world.tenant)


async def a_new_image(world: World) -> object:
    return {"media_id": await a_file(world)}


async def an_image(world: World) -> str:
    """Two ids: of what product, and which file."""
    product_id, media_id = await a_goods(world), await a_file(world)
    await world.tenant.post(f"/api/v1/warehouse/products/{product_id}/images", {"media_id": media_id})
    return f"{product_id} {media_id}"


async def a_code(world: World) -> str:
    """A stock-keeping number."""
    product = await world.tenant.get(f"/api/v1/warehouse/products/{await a_goods(world)}")
    return str(product["sku"])


async def some_labels(world: World) -> object:
    return {"labels": [{"kind": "product", "id": await a_goods(world)}], "format": "zpl"}


async def a_scan(world: World) -> object:
    return {"code": await a_code(world)}


async def a_new_upload(world: World) -> object:
    return {"name": f"note-{world.number()}.txt", "mime": "text/plain", "size_bytes": len(NOTE)}


#: operation: how to come by its id, and what to send to it
MEDIA_CASES: dict[str, tuple[Any, ...]] = {
    "get_media": (a_file,),
    "download_media": (a_file,),
    "transform_media": (a_file,),
    "sign_media_url": (a_file,),
    "purge_media": (a_file,),
    "delete_media": (a_file,),
    "get_upload": (an_upload,),
    "upload_part": (a_part, NOTE),
    "complete_upload": (a_sent_upload, {"sha256": hashlib.sha256(NOTE).hexdigest()}),
    "list_product_images": (a_goods,),
    "attach_product_image": (a_goods, a_new_image),
    "remove_product_image": (an_image,),
    "get_product_label": (a_goods,),
    "get_item_label": (an_item,),
    "resolve_barcode": (a_code,),
}
MEDIA_GOOD: dict[str, Callable[[World], Awaitable[object]]] = {
    "begin_upload": a_new_upload,
    "print_labels": some_labels,
    "take_scan": a_scan,
}
