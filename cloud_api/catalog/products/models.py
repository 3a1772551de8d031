"""What is bought, kept and sold: products, their variants, codes, packs, prices, tags, and what bundles are made of."""

import uuid
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel import clock
from cloud_api.kernel.columns import Quantity
from cloud_api.kernel.db import Base
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.versions import Versioned

UNITS = ("kg", "g", "piece", "bunch", "liter", "ml", "box", "crate", "pallet")
PRODUCT_TYPES = ("finished_good", "raw_material", "packaging", "bundle")
STATUSES = ("active", "inactive", "discontinued")
GRADES = ("excellent", "very-good", "good", "fair", "poor")
STORAGE_TYPES = ("cold_storage", "freezer", "ambient", "dry_storage")
#: where a product's codes may come from
CODE_KINDS = ("sku", "gtin", "barcode")


def _uncounted_code() -> str:
    """Of a product that was written without the service, which counts `PRD-2026-00042`."""
    return f"PRD-{new_id().hex[-12:].upper()}"


class Product(Versioned, OrganizationOwned, Base):
    """Something with a stock-keeping number; quantities of it are counted in `unit`.

    Catch weight: `unit` counts pieces, each piece is weighed, and prices are for a kilogram.
    """

    __tablename__ = "products"
    __table_args__ = (
        UniqueConstraint("organization_id", "sku"),
        UniqueConstraint("organization_id", "product_code"),
        Index("ix_products_organization_id_category_id", "organization_id", "category_id"),
        CheckConstraint(f"unit IN {UNITS}", name="unit"),
        CheckConstraint(f"product_type IN {PRODUCT_TYPES}", name="product_type"),
        CheckConstraint(f"status IN {STATUSES}", name="status"),
        CheckConstraint(f"quality_grade IN {GRADES}", name="quality_grade"),
        CheckConstraint(f"storage_type IN {STORAGE_TYPES}", name="storage_type"),
        CheckConstraint("unit_weight_g > 0", name="unit_weight"),
        CheckConstraint("storage_temperature_min_c <= storage_temperature_max_c", name="storage_temperature"),
        CheckConstraint("price >= 0 AND cost_price >= 0", name="prices"),
        CheckConstraint("min_stock_level <= max_stock_level", name="stock_levels"),
        CheckConstraint(
            "NOT catch_weight OR unit IN ('piece', 'bunch', 'box', 'crate', 'pallet')", name="catch_weight"
        ),
        same_organization("category_id", "product_categories"),
        same_organization("image_id", "media"),
    )

    #: `PRD-2026-00042`
    product_code: Mapped[str] = mapped_column(default=_uncounted_code)
    sku: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    brand: Mapped[str] = mapped_column(default="")
    product_type: Mapped[str] = mapped_column(default="finished_good")
    status: Mapped[str] = mapped_column(default="active")
    category_id: Mapped[uuid.UUID | None]
    unit: Mapped[str]
    #: what one unit weighs, packed, in grams; of catch weight: about
    unit_weight_g: Mapped[int] = mapped_column(default=1000)
    catch_weight: Mapped[bool] = mapped_column(default=False)
    #: 14 digits
    gtin: Mapped[str | None]
    #: what else stands on it, as it is scanned
    barcode: Mapped[str | None]
    #: ten-thousandths of the organisation's currency a unit, of catch weight a kilogram; None: not set
    price: Mapped[int | None] = mapped_column(BigInteger)
    cost_price: Mapped[int | None] = mapped_column(BigInteger)
    min_stock_level: Mapped[Decimal | None] = mapped_column(Quantity)
    max_stock_level: Mapped[Decimal | None] = mapped_column(Quantity)
    reorder_point: Mapped[Decimal | None] = mapped_column(Quantity)
    reorder_quantity: Mapped[Decimal | None] = mapped_column(Quantity)
    quality_grade: Mapped[str | None]
    perishable: Mapped[bool] = mapped_column(default=True)
    shelf_life_days: Mapped[int | None]
    #: the class of places that it belongs in; None: any
    storage_type: Mapped[str | None]
    storage_temperature_min_c: Mapped[float | None]
    storage_temperature_max_c: Mapped[float | None]
    #: what its shelf life is said for, and how much faster it ages when it is 10 °C warmer; None: as its category
    reference_temperature_c: Mapped[float | None]
    q10: Mapped[float | None]
    length_mm: Mapped[int | None]
    width_mm: Mapped[int | None]
    height_mm: Mapped[int | None]
    image_id: Mapped[uuid.UUID | None]
    #: whether customers may see it in the shop
    is_b2c_available: Mapped[bool] = mapped_column(default=False)
    #: whatever else is known of it: name -> text, number or truth value
    attributes: Mapped[dict[str, object]] = mapped_column(default=dict)
    #: counts its changes; who changes it may say which one they have seen
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    created_by: Mapped[uuid.UUID | None]
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)


class ProductVariant(Versioned, OrganizationOwned, Base):
    """One way in which a product is offered: a size, a cut, a pack. Counted in the product's unit."""

    __tablename__ = "product_variants"
    __table_args__ = (
        UniqueConstraint("organization_id", "sku"),
        Index("ix_product_variants_product_id", "product_id"),
        CheckConstraint("unit_weight_g > 0", name="unit_weight"),
        CheckConstraint("price >= 0 AND cost_price >= 0", name="prices"),
        same_organization("product_id", "products"),
    )

    product_id: Mapped[uuid.UUID]
    sku: Mapped[str]
    name: Mapped[str]
    gtin: Mapped[str | None]
    barcode: Mapped[str | None]
    #: as the product's; None: the product's own
    price: Mapped[int | None] = mapped_column(BigInteger)
    cost_price: Mapped[int | None] = mapped_column(BigInteger)
    unit_weight_g: Mapped[int | None]
    attributes: Mapped[dict[str, object]] = mapped_column(default=dict)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class ProductCode(OrganizationOwned, Base):
    """A code that finds one product, or one variant of it: no two of an organisation share one, whatever its kind.

    Follows from `sku`, `gtin` and `barcode`, which are in the trail.
    """

    __tablename__ = "product_codes"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("organization_id", "code"),
        Index("ix_product_codes_product_id", "product_id"),
        CheckConstraint(f"kind IN {CODE_KINDS}", name="kind"),
        same_organization("product_id", "products", ondelete="CASCADE"),
        same_organization("variant_id", "product_variants", ondelete="CASCADE"),
    )

    #: as `codes.normalised` has it: GTINs with 14 digits, all else as it is
    code: Mapped[str]
    kind: Mapped[str]
    product_id: Mapped[uuid.UUID]
    variant_id: Mapped[uuid.UUID | None]


class ProductPack(OrganizationOwned, Base):
    """One more unit in which quantities of a product may be said: a crate that holds 12 kg.

    One of it is numerator/denominator of the product's own unit, exactly.
    """

    __tablename__ = "product_packs"
    __table_args__ = (
        UniqueConstraint("product_id", "unit"),
        CheckConstraint("numerator > 0 AND denominator > 0", name="factor"),
        same_organization("product_id", "products", ondelete="CASCADE"),
    )

    product_id: Mapped[uuid.UUID]
    unit: Mapped[str]
    numerator: Mapped[int] = mapped_column(BigInteger)
    denominator: Mapped[int] = mapped_column(BigInteger)


class ProductPrice(OrganizationOwned, Base):
    """One line of a dated price list: from `min_quantity` on, a unit costs `price`."""

    __tablename__ = "product_prices"
    __table_args__ = (
        UniqueConstraint("offered_id", "valid_from", "min_quantity"),
        CheckConstraint("min_quantity >= 0 AND price >= 0", name="line"),
        Index("ix_product_prices_product_id", "product_id"),
        same_organization("product_id", "products", ondelete="CASCADE"),
        same_organization("variant_id", "product_variants", ondelete="CASCADE"),
    )

    product_id: Mapped[uuid.UUID]
    variant_id: Mapped[uuid.UUID | None]
    #: the variant, or the product itself: what the list is of
    offered_id: Mapped[uuid.UUID]
    valid_from: Mapped[date]
    min_quantity: Mapped[Decimal] = mapped_column(Quantity)
    #: ten-thousandths of the organisation's currency a unit, of catch weight a kilogram
    price: Mapped[int] = mapped_column(BigInteger)


class BundleItem(OrganizationOwned, Base):
    """So much of a component goes into one bundle."""

    __tablename__ = "bundle_items"
    __table_args__ = (
        UniqueConstraint("bundle_id", "component_id"),
        Index("ix_bundle_items_component_id", "component_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("bundle_id <> component_id", name="itself"),
        same_organization("bundle_id", "products", ondelete="CASCADE"),
        same_organization("component_id", "products"),
    )

    bundle_id: Mapped[uuid.UUID]
    component_id: Mapped[uuid.UUID]
    #: of the component's unit
    quantity: Mapped[Decimal] = mapped_column(Quantity)


class Tag(OrganizationOwned, Base):
    """A word that products can be found by."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)

    name: Mapped[str]
    #: #rrggbb
    color: Mapped[str | None]


class ProductTag(OrganizationOwned, Base):
    """A product that has a tag."""

    __tablename__ = "product_tags"
    __table_args__ = (
        UniqueConstraint("product_id", "tag_id"),
        Index("ix_product_tags_tag_id", "tag_id"),
        same_organization("product_id", "products", ondelete="CASCADE"),
        same_organization("tag_id", "tags", ondelete="CASCADE"),
    )

    product_id: Mapped[uuid.UUID]
    tag_id: Mapped[uuid.UUID]
