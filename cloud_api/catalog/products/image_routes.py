"""`/api/v1/warehouse/products/{id}/images`."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import images, service
from cloud_api.catalog.products.image_models import ProductImage
from cloud_api.kernel.http import ApiRoute, RequestModel, ResponseModel
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(prefix="/warehouse/products/{id}/images", tags=["catalog"], route_class=ApiRoute)


class ImageAttach(RequestModel):
    """A picture for a product."""

    media_id: uuid.UUID
    #: its place among the others, from 0; None: where it is, or at the end
    position: Annotated[int, Field(ge=0, le=100)] | None = None
    #: it stands for the product in lists
    main: bool = False


class ImageRead(ResponseModel):
    """A picture of a product; its bytes are at `/api/v1/media/{media_id}/download`, smaller ones at `/transform`."""

    media_id: uuid.UUID
    position: int
    main: bool


@router.get("", response_model=list[ImageRead], dependencies=[require("products:read")])
async def list_product_images(db: Db, id: uuid.UUID) -> list[ImageRead]:
    """Its pictures in their order."""
    return [await _read(db, image) for image in await images.of_product(db, id)]


@router.post("", response_model=ImageRead, status_code=201, dependencies=[require("products:write")])
async def attach_product_image(db: Db, id: uuid.UUID, body: ImageAttach) -> ImageRead:
    """Show a picture with a product; one that it shows already is moved, or becomes the main one."""
    image = await images.attach(db, id, media_id=body.media_id, position=body.position, main=body.main)
    return await _read(db, image)


@router.delete("/{media_id}", status_code=204, dependencies=[require("products:write")])
async def remove_product_image(db: Db, id: uuid.UUID, media_id: uuid.UUID) -> None:
    """Show a picture no more; the file stays among the organisation's."""
    await images.detach(db, id, media_id)


async def _read(db: AsyncSession, image: ProductImage) -> ImageRead:
    product = await service.get_product(db, image.product_id)
    return ImageRead(media_id=image.media_id, position=image.position, main=images.is_main(product, image))
