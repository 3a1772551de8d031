"""What places can take, how they are kept, and where they are on the map."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_BEFORE = "location_type IN ('building', 'room', 'zone', 'rack', 'bin', 'vehicle')"
_AFTER = (
    "location_type IN ('warehouse', 'building', 'room', 'zone', 'rack', 'bin', 'office', 'job_site', 'storage_unit', "
    "'vehicle', 'transit')"
)
_PRESENT = sa.text("removed_at IS NULL")


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("warehouses") as table:
        table.add_column(sa.Column("timezone", sa.String(), nullable=True))
        table.add_column(sa.Column("capacity_limit_kg", sa.Float(), nullable=True))
        table.add_column(sa.Column("manager_id", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("is_active", sa.Boolean(), nullable=False, server_default=sa.true()))
        table.create_check_constraint(op.f("ck_warehouses_capacity"), "capacity_limit_kg > 0")
        table.create_foreign_key(
            op.f("fk_warehouses_organization_id_manager_id"),
            "users",
            ["organization_id", "manager_id"],
            ["organization_id", "id"],
            ondelete="RESTRICT",
        )
    with op.batch_alter_table("locations") as table:
        table.drop_constraint(op.f("ck_locations_location_type"), type_="check")
        table.drop_constraint(op.f("uq_locations_organization_id_code"), type_="unique")
        for name in ("humidity_min_pct", "humidity_max_pct", "capacity_kg"):
            table.add_column(sa.Column(name, sa.Float(), nullable=True))
        table.add_column(sa.Column("map", sa.JSON(), nullable=True))
        table.add_column(sa.Column("status", sa.String(), nullable=False, server_default="active"))
        table.add_column(sa.Column("transit_to_id", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("removed_at", columns.UtcDateTime(), nullable=True))
        table.create_check_constraint(op.f("ck_locations_location_type"), _AFTER)
        table.create_check_constraint(op.f("ck_locations_status"), "status IN ('active', 'maintenance', 'inactive')")
        table.create_check_constraint(op.f("ck_locations_capacity"), "capacity_kg > 0")
        table.create_check_constraint(op.f("ck_locations_humidity"), "humidity_min_pct < humidity_max_pct")
        table.create_unique_constraint(
            op.f("uq_locations_organization_id_transit_to_id"), ["organization_id", "transit_to_id"]
        )
        table.create_foreign_key(
            op.f("fk_locations_organization_id_transit_to_id"),
            "warehouses",
            ["organization_id", "transit_to_id"],
            ["organization_id", "id"],
            ondelete="RESTRICT",
        )
    op.create_index(
        op.f("uq_locations_organization_id_code"),
        "locations",
        ["organization_id", "code"],
        unique=True,
        sqlite_where=_PRESENT,
        postgresql_where=_PRESENT,
    )
    op.create_index(op.f("ix_locations_warehouse_id"), "locations", ["warehouse_id"])
    op.create_index(op.f("ix_locations_parent_id"), "locations", ["parent_id"])


def downgrade() -> None:
    """Change them back."""
    op.drop_index(op.f("ix_locations_parent_id"), "locations")
    op.drop_index(op.f("ix_locations_warehouse_id"), "locations")
    op.drop_index(op.f("uq_locations_organization_id_code"), "locations")
    with op.batch_alter_table("locations") as table:
        table.drop_constraint(op.f("fk_locations_organization_id_transit_to_id"), type_="foreignkey")
        table.drop_constraint(op.f("uq_locations_organization_id_transit_to_id"), type_="unique")
        for name in ("humidity", "capacity", "status", "location_type"):
            table.drop_constraint(op.f(f"ck_locations_{name}"), type_="check")
        for name in (
            "removed_at",
            "transit_to_id",
            "status",
            "map",
            "capacity_kg",
            "humidity_max_pct",
            "humidity_min_pct",
        ):
            table.drop_column(name)
        table.create_check_constraint(op.f("ck_locations_location_type"), _BEFORE)
        table.create_unique_constraint(op.f("uq_locations_organization_id_code"), ["organization_id", "code"])
    with op.batch_alter_table("warehouses") as table:
        table.drop_constraint(op.f("fk_warehouses_organization_id_manager_id"), type_="foreignkey")
        table.drop_constraint(op.f("ck_warehouses_capacity"), type_="check")
        for name in ("is_active", "manager_id", "capacity_limit_kg", "timezone"):
            table.drop_column(name)
