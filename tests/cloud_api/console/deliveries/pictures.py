"""Photos as phones take them."""

import hashlib
import io

from PIL import Image

from tests.factories.orders import proof, upload
from tests.factories.roads import Road


def a_photo() -> bytes:
    """A small picture that browsers can show."""
    kept = io.BytesIO()
    Image.new("RGB", (64, 48), (120, 160, 90)).save(kept, "PNG")
    return kept.getvalue()


async def hand_over(road: Road, stop: int = 0) -> None:
    """The driver hands the goods over at a door, with a photo."""
    photo = a_photo()
    assert (await upload(road.driver, road.delivery_ids[stop], photo)).status_code == 201
    said = proof(photo_sha256=hashlib.sha256(photo).hexdigest())
    await road.driver.post(f"/api/v1/mobile/deliveries/{road.delivery_ids[stop]}/proof", said)
