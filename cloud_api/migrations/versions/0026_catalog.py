"""The catalogue: variants, bundles, tags, units, prices, identifiers."""

import uuid
from collections import Counter

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.tenancy import SYSTEM_SETTING
from cloud_api.migrations.walls import is_postgresql, owned, points_at, raise_wall

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_UNITS = "'kg', 'g', 'piece', 'bunch', 'liter', 'ml', 'box', 'crate', 'pallet'"
_TABLES = (
    "product_tags",
    "tags",
    "bundle_items",
    "product_prices",
    "product_packs",
    "product_codes",
    "product_variants",
)
_PRODUCTS = sa.table(
    "products",
    sa.column("id", sa.Uuid()),
    sa.column("organization_id", sa.Uuid()),
    sa.column("sku", sa.String()),
    sa.column("product_code", sa.String()),
    sa.column("created_at", columns.UtcDateTime()),
)


def upgrade() -> None:
    """Make the tables and the columns."""
    op.create_table(
        "product_variants",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("gtin", sa.String(), nullable=True),
        sa.Column("barcode", sa.String(), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("cost_price", sa.BigInteger(), nullable=True),
        sa.Column("unit_weight_g", sa.Integer(), nullable=True),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.CheckConstraint("unit_weight_g > 0", name=op.f("ck_product_variants_unit_weight")),
        sa.CheckConstraint("price >= 0 AND cost_price >= 0", name=op.f("ck_product_variants_prices")),
        *owned("product_variants"),
        points_at("product_variants", "product_id", "products", ondelete="RESTRICT"),
        sa.UniqueConstraint("organization_id", "sku", name=op.f("uq_product_variants_organization_id_sku")),
    )
    op.create_index("ix_product_variants_product_id", "product_variants", ["product_id"])
    _create_parts()
    _create_words()
    for table in _TABLES:
        raise_wall(table)
    if is_postgresql():
        op.execute(f"SELECT set_config('{SYSTEM_SETTING}', 'give every product its number and codes', true)")
    _widen_categories()
    _widen_products()


def _create_parts() -> None:
    op.create_table(
        "product_codes",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind IN ('sku', 'gtin', 'barcode')", name=op.f("ck_product_codes_kind")),
        *owned("product_codes"),
        points_at("product_codes", "product_id", "products"),
        points_at("product_codes", "variant_id", "product_variants"),
        sa.UniqueConstraint("organization_id", "code", name=op.f("uq_product_codes_organization_id_code")),
    )
    op.create_index("ix_product_codes_product_id", "product_codes", ["product_id"])
    op.create_table(
        "product_packs",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("numerator", sa.BigInteger(), nullable=False),
        sa.Column("denominator", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("numerator > 0 AND denominator > 0", name=op.f("ck_product_packs_factor")),
        *owned("product_packs"),
        points_at("product_packs", "product_id", "products"),
        sa.UniqueConstraint("product_id", "unit", name=op.f("uq_product_packs_product_id_unit")),
    )
    op.create_table(
        "product_prices",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=True),
        sa.Column("offered_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("min_quantity", columns.Quantity(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("min_quantity >= 0 AND price >= 0", name=op.f("ck_product_prices_line")),
        *owned("product_prices"),
        points_at("product_prices", "product_id", "products"),
        points_at("product_prices", "variant_id", "product_variants"),
        sa.UniqueConstraint(
            "offered_id",
            "valid_from",
            "min_quantity",
            name=op.f("uq_product_prices_offered_id_valid_from_min_quantity"),
        ),
    )
    op.create_index("ix_product_prices_product_id", "product_prices", ["product_id"])
    op.create_table(
        "bundle_items",
        sa.Column("bundle_id", sa.Uuid(), nullable=False),
        sa.Column("component_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", columns.Quantity(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_bundle_items_quantity")),
        sa.CheckConstraint("bundle_id <> component_id", name=op.f("ck_bundle_items_itself")),
        *owned("bundle_items"),
        points_at("bundle_items", "bundle_id", "products"),
        points_at("bundle_items", "component_id", "products", ondelete="RESTRICT"),
        sa.UniqueConstraint("bundle_id", "component_id", name=op.f("uq_bundle_items_bundle_id_component_id")),
    )
    op.create_index("ix_bundle_items_component_id", "bundle_items", ["component_id"])


def _create_words() -> None:
    op.create_table(
        "tags",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("color", sa.String(), nullable=True),
        *owned("tags"),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_tags_organization_id_name")),
    )
    op.create_table(
        "product_tags",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        *owned("product_tags"),
        points_at("product_tags", "product_id", "products"),
        points_at("product_tags", "tag_id", "tags"),
        sa.UniqueConstraint("product_id", "tag_id", name=op.f("uq_product_tags_product_id_tag_id")),
    )
    op.create_index("ix_product_tags_tag_id", "product_tags", ["tag_id"])


def _widen_categories() -> None:
    with op.batch_alter_table("product_categories") as table:
        table.add_column(sa.Column("color", sa.String(), nullable=True))
        table.add_column(sa.Column("meta_title", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("meta_description", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("is_active", sa.Boolean(), nullable=False, server_default=sa.true()))
        table.drop_constraint(op.f("uq_product_categories_organization_id_slug"), type_="unique")
    # a name stands once under its parent from now on: those that came second are told apart by what is unique of them
    op.execute(
        """
        UPDATE product_categories SET name = name || ' (' || slug || ')'
        WHERE archived_at IS NULL AND EXISTS (
            SELECT 1 FROM product_categories AS first
            WHERE first.organization_id = product_categories.organization_id
            AND (first.parent_id = product_categories.parent_id
                 OR (first.parent_id IS NULL AND product_categories.parent_id IS NULL))
            AND first.name = product_categories.name
            AND first.archived_at IS NULL AND first.slug < product_categories.slug)
        """
    )
    there, root = sa.text("archived_at IS NULL"), sa.text("archived_at IS NULL AND parent_id IS NULL")
    for name, over, where in (
        ("slug", ["organization_id", "slug"], there),
        ("parent_id_name", ["organization_id", "parent_id", "name"], there),
        ("name_of_root", ["organization_id", "name"], root),
    ):
        index = f"uq_product_categories_{name}"
        op.create_index(index, "product_categories", over, unique=True, sqlite_where=where, postgresql_where=where)


def _widen_products() -> None:
    text, no = sa.String(), sa.false()
    with op.batch_alter_table("products") as table:
        for name, kind, default in (
            ("description", text, ""),
            ("brand", text, ""),
            ("product_type", text, "finished_good"),
            ("status", text, "active"),
            ("catch_weight", sa.Boolean(), no),
            ("is_b2c_available", sa.Boolean(), no),
            ("attributes", sa.JSON(), "{}"),
            ("version", sa.Integer(), "1"),
        ):
            table.add_column(sa.Column(name, kind, nullable=False, server_default=default))
        for name in ("gtin", "barcode", "quality_grade", "storage_type", "product_code"):
            table.add_column(sa.Column(name, text, nullable=True))
        for name in ("price", "cost_price"):
            table.add_column(sa.Column(name, sa.BigInteger(), nullable=True))
        for name in ("min_stock_level", "max_stock_level", "reorder_point", "reorder_quantity"):
            table.add_column(sa.Column(name, columns.Quantity(), nullable=True))
        for name in ("length_mm", "width_mm", "height_mm"):
            table.add_column(sa.Column(name, sa.Integer(), nullable=True))
        for name in ("image_id", "created_by"):
            table.add_column(sa.Column(name, sa.Uuid(), nullable=True))
        table.add_column(sa.Column("updated_at", columns.UtcDateTime(), nullable=True))
    _number_products()
    op.execute("UPDATE products SET updated_at = created_at")
    with op.batch_alter_table("products") as table:
        table.alter_column("product_code", existing_type=text, nullable=False)
        table.alter_column("updated_at", existing_type=columns.UtcDateTime(), nullable=False)
        table.create_unique_constraint(
            op.f("uq_products_organization_id_product_code"), ["organization_id", "product_code"]
        )
        for name, rule in (
            ("product_type", "product_type IN ('finished_good', 'raw_material', 'packaging', 'bundle')"),
            ("status", "status IN ('active', 'inactive', 'discontinued')"),
            ("quality_grade", "quality_grade IN ('excellent', 'very-good', 'good', 'fair', 'poor')"),
            ("storage_type", "storage_type IN ('cold_storage', 'freezer', 'ambient', 'dry_storage')"),
            ("prices", "price >= 0 AND cost_price >= 0"),
            ("stock_levels", "min_stock_level <= max_stock_level"),
            ("catch_weight", "NOT catch_weight OR unit IN ('piece', 'bunch', 'box', 'crate', 'pallet')"),
        ):
            table.create_check_constraint(op.f(f"ck_products_{name}"), rule)
        table.create_foreign_key(
            op.f("fk_products_organization_id_image_id"),
            "media",
            ["organization_id", "image_id"],
            ["organization_id", "id"],
            ondelete="RESTRICT",
        )
    op.create_index("ix_products_organization_id_category_id", "products", ["organization_id", "category_id"])


def _number_products() -> None:
    """Number what is there in the order in which it came, as if it had been counted then, and make its codes known."""
    bind, counted = op.get_bind(), Counter[tuple[uuid.UUID, str]]()
    codes: dict[tuple[uuid.UUID, str], uuid.UUID] = {}
    there = sa.select(_PRODUCTS).order_by(_PRODUCTS.c.created_at, _PRODUCTS.c.id)
    for row in bind.execute(there).all():
        prefix = f"PRD-{row.created_at:%Y}"
        counted[row.organization_id, prefix] += 1
        number = f"{prefix}-{counted[row.organization_id, prefix]:05d}"
        bind.execute(_PRODUCTS.update().where(_PRODUCTS.c.id == row.id).values(product_code=number))
        codes.setdefault((row.organization_id, _code_of(row.sku)), row.id)
    sequences = sa.table(
        "number_sequences",
        sa.column("id", sa.Uuid()),
        sa.column("organization_id", sa.Uuid()),
        sa.column("prefix", sa.String()),
        sa.column("last", sa.Integer()),
    )
    known = sa.table(
        "product_codes",
        sa.column("id", sa.Uuid()),
        sa.column("organization_id", sa.Uuid()),
        sa.column("code", sa.String()),
        sa.column("kind", sa.String()),
        sa.column("product_id", sa.Uuid()),
    )
    for (organization_id, prefix), last in counted.items():
        whose = {"id": new_id(), "organization_id": organization_id}
        bind.execute(sequences.insert().values(**whose, prefix=prefix, last=last))
    for (organization_id, code), product_id in codes.items():
        whose = {"id": new_id(), "organization_id": organization_id}
        bind.execute(known.insert().values(**whose, code=code, kind="sku", product_id=product_id))


def _code_of(sku: str) -> str:
    """As scans find it: a GTIN with 14 digits, all else as it is."""
    if len(sku) not in {8, 12, 13, 14} or not (sku.isascii() and sku.isdigit()):
        return sku
    digits = sku.zfill(14)
    weighed = sum(int(digit) * (3 - index % 2 * 2) for index, digit in enumerate(digits[:-1]))
    return digits if (weighed + int(digits[-1])) % 10 == 0 else sku


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_products_organization_id_category_id", "products")
    with op.batch_alter_table("products") as table:
        table.drop_constraint(op.f("fk_products_organization_id_image_id"), type_="foreignkey")
        table.drop_constraint(op.f("uq_products_organization_id_product_code"), type_="unique")
        for name in (
            "product_type",
            "status",
            "quality_grade",
            "storage_type",
            "prices",
            "stock_levels",
            "catch_weight",
        ):
            table.drop_constraint(op.f(f"ck_products_{name}"), type_="check")
        for name in (
            *("description", "brand", "product_type", "status", "catch_weight", "is_b2c_available", "attributes"),
            *("version", "gtin", "barcode", "quality_grade", "storage_type", "product_code", "price", "cost_price"),
            *("min_stock_level", "max_stock_level", "reorder_point", "reorder_quantity"),
            *("length_mm", "width_mm", "height_mm", "image_id", "created_by", "updated_at"),
        ):
            table.drop_column(name)
    if is_postgresql():
        op.execute(f"SELECT set_config('{SYSTEM_SETTING}', 'slugs are unique among what is archived as well', true)")
    for name in ("slug", "parent_id_name", "name_of_root"):
        op.drop_index(f"uq_product_categories_{name}", "product_categories")
    op.execute(
        "UPDATE product_categories SET slug = slug || '-' || CAST(id AS VARCHAR(36)) WHERE archived_at IS NOT NULL"
    )
    op.execute("DELETE FROM number_sequences WHERE prefix LIKE 'PRD-%'")
    with op.batch_alter_table("product_categories") as table:
        for name in ("color", "meta_title", "meta_description", "is_active"):
            table.drop_column(name)
        table.create_unique_constraint(op.f("uq_product_categories_organization_id_slug"), ["organization_id", "slug"])
    for name in _TABLES:
        op.drop_table(name)
