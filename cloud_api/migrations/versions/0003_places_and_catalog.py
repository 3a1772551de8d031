"""Places and the catalogue."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import raise_wall

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "product_categories",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("sort_order", sa.Integer(), nullable=False),
        sa.Column("archived_at", columns.UtcDateTime(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "parent_id"],
            ["product_categories.organization_id", "product_categories.id"],
            name=op.f("fk_product_categories_organization_id_parent_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_product_categories_organization_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_categories")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_product_categories_organization_id_id")),
        sa.UniqueConstraint("organization_id", "slug", name=op.f("uq_product_categories_organization_id_slug")),
    )
    op.create_table(
        "warehouses",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name=op.f("ck_warehouses_coordinates")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_warehouses_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warehouses")),
        sa.UniqueConstraint("organization_id", "code", name=op.f("uq_warehouses_organization_id_code")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_warehouses_organization_id_id")),
    )
    op.create_table(
        "locations",
        sa.Column("warehouse_id", sa.Uuid(), nullable=True),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("location_type", sa.String(), nullable=False),
        sa.Column("storage_type", sa.String(), nullable=False),
        sa.Column("temperature_min_c", sa.Float(), nullable=True),
        sa.Column("temperature_max_c", sa.Float(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "location_type IN ('building', 'room', 'zone', 'rack', 'bin', 'vehicle')",
            name=op.f("ck_locations_location_type"),
        ),
        sa.CheckConstraint(
            "storage_type IN ('cold_storage', 'freezer', 'ambient', 'dry_storage')",
            name=op.f("ck_locations_storage_type"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "parent_id"],
            ["locations.organization_id", "locations.id"],
            name=op.f("fk_locations_organization_id_parent_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "warehouse_id"],
            ["warehouses.organization_id", "warehouses.id"],
            name=op.f("fk_locations_organization_id_warehouse_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_locations_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_locations")),
        sa.UniqueConstraint("organization_id", "code", name=op.f("uq_locations_organization_id_code")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_locations_organization_id_id")),
    )
    op.create_table(
        "products",
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("category_id", sa.Uuid(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("unit_weight_g", sa.Integer(), nullable=False),
        sa.Column("perishable", sa.Boolean(), nullable=False),
        sa.Column("shelf_life_days", sa.Integer(), nullable=True),
        sa.Column("storage_temperature_min_c", sa.Float(), nullable=True),
        sa.Column("storage_temperature_max_c", sa.Float(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "unit IN ('kg', 'g', 'piece', 'bunch', 'liter', 'ml', 'box', 'crate', 'pallet')",
            name=op.f("ck_products_unit"),
        ),
        sa.CheckConstraint(
            "storage_temperature_min_c <= storage_temperature_max_c", name=op.f("ck_products_storage_temperature")
        ),
        sa.CheckConstraint("unit_weight_g > 0", name=op.f("ck_products_unit_weight")),
        sa.ForeignKeyConstraint(
            ["organization_id", "category_id"],
            ["product_categories.organization_id", "product_categories.id"],
            name=op.f("fk_products_organization_id_category_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_products_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_products_organization_id_id")),
        sa.UniqueConstraint("organization_id", "sku", name=op.f("uq_products_organization_id_sku")),
    )
    raise_wall("product_categories")
    raise_wall("warehouses")
    raise_wall("locations")
    raise_wall("products")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("products")
    op.drop_table("locations")
    op.drop_table("warehouses")
    op.drop_table("product_categories")
