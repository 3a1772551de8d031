"""What is bought, kept and sold."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.registers import Archivable
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

UNITS = ("kg", "g", "piece", "bunch", "liter", "ml", "box", "crate", "pallet")


class Category(Archivable, Base):
    """A shelf of the catalogue."""

    __tablename__ = "product_categories"
    __table_args__ = (UniqueConstraint("organization_id", "slug"), same_organization("parent_id", "product_categories"))

    name: Mapped[str]
    slug: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    parent_id: Mapped[uuid.UUID | None]
    sort_order: Mapped[int] = mapped_column(default=0)
    #: what the shelf life of its products is said for, and how much faster they age when it is 10 °C warmer; None: as
    #: goods that are stored like them
    reference_temperature_c: Mapped[float | None]
    q10: Mapped[float | None]


class Product(OrganizationOwned, Base):
    """Something with a stock-keeping number; quantities of it are counted in `unit`."""

    __tablename__ = "products"
    __table_args__ = (
        UniqueConstraint("organization_id", "sku"),
        CheckConstraint(f"unit IN {UNITS}", name="unit"),
        CheckConstraint("unit_weight_g > 0", name="unit_weight"),
        CheckConstraint("storage_temperature_min_c <= storage_temperature_max_c", name="storage_temperature"),
        same_organization("category_id", "product_categories"),
    )

    sku: Mapped[str]
    name: Mapped[str]
    category_id: Mapped[uuid.UUID | None]
    unit: Mapped[str]
    #: what one unit weighs, packed, in grams
    unit_weight_g: Mapped[int] = mapped_column(default=1000)
    perishable: Mapped[bool] = mapped_column(default=True)
    shelf_life_days: Mapped[int | None]
    storage_temperature_min_c: Mapped[float | None]
    storage_temperature_max_c: Mapped[float | None]
    #: what its shelf life is said for, and how much faster it ages when it is 10 °C warmer; None: as its category
    reference_temperature_c: Mapped[float | None]
    q10: Mapped[float | None]
    created_at: Mapped[datetime]
