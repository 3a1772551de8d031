"""The pictures of products, in their order."""

import uuid

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization


class ProductImage(OrganizationOwned, Base):
    """One picture of a product; the main one stands in `Product.image_id`."""

    __tablename__ = "product_images"
    __table_args__ = (
        UniqueConstraint("product_id", "media_id"),
        same_organization("product_id", "products", ondelete="CASCADE"),
        same_organization("media_id", "media"),
    )

    product_id: Mapped[uuid.UUID]
    media_id: Mapped[uuid.UUID]
    #: the smallest is shown first
    position: Mapped[int]
