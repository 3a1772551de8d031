"""Vans, their compartments, papers and shifts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_CHECKS = {
    "vehicle_type": "vehicle_type IN ('van', 'truck', 'bike', 'car')",
    "fuel_type": "fuel_type IN ('petrol', 'diesel', 'electric', 'cng')",
    "volume": "capacity_volume_l > 0",
    "costs": "fixed_cost_minor >= 0 AND cost_per_km_minor >= 0",
}
#: column -> what those that are there get
_FILLED = ("vehicle_type", "model", "fuel_type", "fixed_cost_minor", "cost_per_km_minor", "odometer_km", "reminded")
_STORAGE = "storage_type IN ('cold_storage', 'freezer', 'ambient', 'dry_storage')"


def _columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("vehicle_type", sa.String(), nullable=False, server_default="van"),
        sa.Column("model", sa.String(), nullable=False, server_default=""),
        sa.Column("capacity_volume_l", sa.Integer(), nullable=True),
        sa.Column("fuel_type", sa.String(), nullable=False, server_default="diesel"),
        sa.Column("fuel_l_per_100km", sa.Float(), nullable=True),
        sa.Column("energy_kwh_per_100km", sa.Float(), nullable=True),
        sa.Column("co2_g_per_km", sa.Integer(), nullable=True),
        sa.Column("fixed_cost_minor", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("cost_per_km_minor", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("home_warehouse_id", sa.Uuid(), nullable=True),
        sa.Column("insurance_expires_on", sa.Date(), nullable=True),
        sa.Column("registration_expires_on", sa.Date(), nullable=True),
        sa.Column("permit_expires_on", sa.Date(), nullable=True),
        sa.Column("pollution_expires_on", sa.Date(), nullable=True),
        sa.Column("next_maintenance_on", sa.Date(), nullable=True),
        sa.Column("odometer_km", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("reminded", sa.JSON(), nullable=False, server_default="{}"),
    )


def upgrade() -> None:
    """Make the tables; vehicles that are there are vans that burn diesel, until somebody says otherwise."""
    with op.batch_alter_table("vehicles") as table:
        for column in _columns():
            table.add_column(column)
        for name, condition in _CHECKS.items():
            table.create_check_constraint(op.f(f"ck_vehicles_{name}"), condition)
        table.create_foreign_key(
            op.f("fk_vehicles_organization_id_home_warehouse_id"),
            "warehouses",
            ["organization_id", "home_warehouse_id"],
            ["organization_id", "id"],
            ondelete="RESTRICT",
        )
        table.create_index(op.f("ix_vehicles_home_warehouse_id"), ["home_warehouse_id"])
    with op.batch_alter_table("vehicles") as table:
        for name in _FILLED:
            table.alter_column(name, server_default=None)
    op.create_table(
        "vehicle_compartments",
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("storage_type", sa.String(), nullable=False),
        sa.Column("temperature_min_c", sa.Float(), nullable=True),
        sa.Column("temperature_max_c", sa.Float(), nullable=True),
        sa.Column("capacity_g", sa.Integer(), nullable=False),
        sa.Column("capacity_l", sa.Integer(), nullable=True),
        *owned("vehicle_compartments"),
        points_at("vehicle_compartments", "vehicle_id", "vehicles"),
        sa.UniqueConstraint("vehicle_id", "name", name=op.f("uq_vehicle_compartments_vehicle_id_name")),
        sa.CheckConstraint(_STORAGE, name=op.f("ck_vehicle_compartments_storage_type")),
        sa.CheckConstraint("capacity_g > 0", name=op.f("ck_vehicle_compartments_capacity")),
        sa.CheckConstraint("capacity_l > 0", name=op.f("ck_vehicle_compartments_volume")),
        sa.CheckConstraint("temperature_min_c < temperature_max_c", name=op.f("ck_vehicle_compartments_temperature")),
    )
    _make_maintenance()
    _make_shifts()
    for made in ("vehicle_compartments", "vehicle_maintenance", "driver_shifts"):
        raise_wall(made)


def _make_maintenance() -> None:
    op.create_table(
        "vehicle_maintenance",
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("odometer_km", sa.Integer(), nullable=True),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", columns.UtcDateTime(), nullable=False),
        *owned("vehicle_maintenance"),
        points_at("vehicle_maintenance", "vehicle_id", "vehicles", ondelete="RESTRICT"),
        sa.CheckConstraint(
            "kind IN ('service', 'repair', 'inspection', 'tyres', 'refrigeration', 'other')",
            name=op.f("ck_vehicle_maintenance_kind"),
        ),
        sa.CheckConstraint("cost_minor >= 0", name=op.f("ck_vehicle_maintenance_cost")),
        sa.CheckConstraint("odometer_km >= 0", name=op.f("ck_vehicle_maintenance_odometer")),
    )
    op.create_index(op.f("ix_vehicle_maintenance_vehicle_id"), "vehicle_maintenance", ["vehicle_id"])


def _make_shifts() -> None:
    op.create_table(
        "driver_shifts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=True),
        sa.Column("on_date", sa.Date(), nullable=True),
        sa.Column("is_off", sa.Boolean(), nullable=False),
        sa.Column("from_time", sa.Time(), nullable=False),
        sa.Column("until_time", sa.Time(), nullable=False),
        sa.Column("break_minutes", sa.Integer(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        *owned("driver_shifts"),
        points_at("driver_shifts", "user_id", "users", ondelete="RESTRICT"),
        points_at("driver_shifts", "vehicle_id", "vehicles", ondelete="RESTRICT"),
        sa.CheckConstraint("(weekday IS NULL) <> (on_date IS NULL)", name=op.f("ck_driver_shifts_one_rule")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_driver_shifts_weekday")),
        sa.CheckConstraint("break_minutes BETWEEN 0 AND 240", name=op.f("ck_driver_shifts_break")),
    )
    for name, rule in (("weekly", "weekday"), ("dated", "on_date")):
        ruled = sa.text(f"{rule} IS NOT NULL")
        op.create_index(
            f"uq_driver_shifts_{name}",
            "driver_shifts",
            ["user_id", rule, "from_time"],
            unique=True,
            sqlite_where=ruled,
            postgresql_where=ruled,
        )
    op.create_index(op.f("ix_driver_shifts_user_id"), "driver_shifts", ["user_id"])
    op.create_index(op.f("ix_driver_shifts_vehicle_id"), "driver_shifts", ["vehicle_id"])


def downgrade() -> None:
    """Drop them."""
    for made in ("driver_shifts", "vehicle_maintenance", "vehicle_compartments"):
        op.drop_table(made)
    with op.batch_alter_table("vehicles") as table:
        table.drop_index(op.f("ix_vehicles_home_warehouse_id"))
        table.drop_constraint(op.f("fk_vehicles_organization_id_home_warehouse_id"), type_="foreignkey")
        for name in _CHECKS:
            table.drop_constraint(op.f(f"ck_vehicles_{name}"), type_="check")
        for column in _columns():
            table.drop_column(column.name)
