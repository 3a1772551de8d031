"""The pictures of a product: which there are, in which order, and which one stands for it."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import service
from cloud_api.catalog.products.image_models import ProductImage
from cloud_api.catalog.products.models import Product
from cloud_api.kernel.errors import Conflict, Invalid, NotFound
from cloud_api.media import service as media

#: more than anybody looks at
MOST_IMAGES = 24
_ENTITY = "product"


class NoImage(Invalid):
    """A file that nobody can look at."""

    code = "NO_IMAGE"


class TooManyImages(Conflict):
    """A product with as many pictures as it can have."""

    code = "TOO_MANY_IMAGES"


async def of_product(db: AsyncSession, product_id: uuid.UUID) -> Sequence[ProductImage]:
    """Its pictures in their order.

    Raises:
        NotFound: when there is no such product.
    """
    await service.get_product(db, product_id)
    return await _images(db, product_id)


async def attach(
    db: AsyncSession, product_id: uuid.UUID, *, media_id: uuid.UUID, position: int | None, main: bool
) -> ProductImage:
    """Show a picture with a product, or move one that is shown already. The first becomes the main one.

    Args:
        position: its place among the others, from 0; None: where it is, or at the end.

    Raises:
        NotFound: when the product or the file is not there.
        NoImage: when the file is no picture.
        TooManyImages: when a product cannot have more.
    """
    product = await service.lock_product(db, product_id)
    file = await media.get_media(db, media_id, listed=True)
    if not file.mime.startswith("image/"):
        raise NoImage(f"the file {file.name!r} is {file.mime}: attach a picture", field="media_id")
    images = list(await _images(db, product_id))
    image = next((one for one in images if one.media_id == media_id), None)
    if image is None:
        if len(images) >= MOST_IMAGES:
            raise TooManyImages(f"a product has at most {MOST_IMAGES} pictures: remove one first", field="media_id")
        image = ProductImage(product_id=product_id, media_id=media_id, position=len(images))
        db.add(image)
        images.append(image)
        await media.attach(db, media_id=media_id, entity_type=_ENTITY, entity_id=product_id)
    if position is not None:
        images.remove(image)
        images.insert(min(position, len(images)), image)
    _number(images)
    if main or product.image_id is None:
        product.image_id = media_id
    await db.flush()
    return image


async def detach(db: AsyncSession, product_id: uuid.UUID, media_id: uuid.UUID) -> None:
    """Show a picture no more; was it the main one, the next takes its place. The file stays.

    Raises:
        NotFound: when the product does not show it.
    """
    product = await service.lock_product(db, product_id)
    images = list(await _images(db, product_id))
    image = next((one for one in images if one.media_id == media_id), None)
    if image is None:
        raise NotFound(f"product {product.sku} does not show the file {media_id}", field="media_id")
    images.remove(image)
    _number(images)
    if product.image_id == media_id:
        product.image_id = images[0].media_id if images else None
    await db.delete(image)
    await media.detach(db, media_id=media_id, entity_type=_ENTITY, entity_id=product_id)


async def _images(db: AsyncSession, product_id: uuid.UUID) -> Sequence[ProductImage]:
    theirs = select(ProductImage).where(ProductImage.product_id == product_id)
    return (await db.scalars(theirs.order_by(ProductImage.position, ProductImage.id))).all()


def _number(images: Sequence[ProductImage]) -> None:
    for position, image in enumerate(images):
        image.position = position


def is_main(product: Product, image: ProductImage) -> bool:
    """Whether a picture stands for its product."""
    return product.image_id == image.media_id
