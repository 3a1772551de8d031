"""Vans, plans, routes, deliveries and what people sent."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import APPEND_ONLY, raise_wall

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "media",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("mime", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("received_at", columns.UtcDateTime(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_media_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_media_organization_id_id")),
        sa.UniqueConstraint("organization_id", "sha256", name=op.f("uq_media_organization_id_sha256")),
    )
    op.create_table(
        "planning_jobs",
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_date", sa.Date(), nullable=False),
        sa.Column("departs_at", columns.UtcDateTime(), nullable=False),
        sa.Column("vehicle_ids", sa.JSON(), nullable=False),
        sa.Column("time_limit_s", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("requested_at", columns.UtcDateTime(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("finished_at", columns.UtcDateTime(), nullable=True),
        sa.Column("leased_until", columns.UtcDateTime(), nullable=True),
        sa.Column("distance_m", sa.Integer(), nullable=True),
        sa.Column("unserved", sa.JSON(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'applied', 'failed')", name=op.f("ck_planning_jobs_status")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "warehouse_id"],
            ["warehouses.organization_id", "warehouses.id"],
            name=op.f("fk_planning_jobs_organization_id_warehouse_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_planning_jobs_organization_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planning_jobs")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_planning_jobs_organization_id_id")),
    )
    op.create_table(
        "vehicles",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("capacity_g", sa.Integer(), nullable=False),
        sa.Column("is_refrigerated", sa.Boolean(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("status IN ('active', 'maintenance', 'inactive')", name=op.f("ck_vehicles_status")),
        sa.CheckConstraint("capacity_g > 0", name=op.f("ck_vehicles_capacity")),
        sa.ForeignKeyConstraint(
            ["organization_id", "driver_id"],
            ["users.organization_id", "users.id"],
            name=op.f("fk_vehicles_organization_id_driver_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "location_id"],
            ["locations.organization_id", "locations.id"],
            name=op.f("fk_vehicles_organization_id_location_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_vehicles_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicles")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_vehicles_organization_id_id")),
        sa.UniqueConstraint("organization_id", "number", name=op.f("uq_vehicles_organization_id_number")),
    )
    op.create_table(
        "delivery_routes",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("driver_id", sa.Uuid(), nullable=True),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("planning_job_id", sa.Uuid(), nullable=True),
        sa.Column("delivery_date", sa.Date(), nullable=False),
        sa.Column("departs_at", columns.UtcDateTime(), nullable=False),
        sa.Column("distance_m", sa.Integer(), nullable=False),
        sa.Column("duration_s", sa.Integer(), nullable=False),
        sa.Column("load_g", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("started_at", columns.UtcDateTime(), nullable=True),
        sa.Column("completed_at", columns.UtcDateTime(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "status IN ('planned', 'in_progress', 'completed', 'cancelled')", name=op.f("ck_delivery_routes_status")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "driver_id"],
            ["users.organization_id", "users.id"],
            name=op.f("fk_delivery_routes_organization_id_driver_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "planning_job_id"],
            ["planning_jobs.organization_id", "planning_jobs.id"],
            name=op.f("fk_delivery_routes_organization_id_planning_job_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "vehicle_id"],
            ["vehicles.organization_id", "vehicles.id"],
            name=op.f("fk_delivery_routes_organization_id_vehicle_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "warehouse_id"],
            ["warehouses.organization_id", "warehouses.id"],
            name=op.f("fk_delivery_routes_organization_id_warehouse_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_delivery_routes_organization_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_routes")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_delivery_routes_organization_id_id")),
        sa.UniqueConstraint("organization_id", "number", name=op.f("uq_delivery_routes_organization_id_number")),
    )
    op.create_index(op.f("ix_delivery_routes_driver_id"), "delivery_routes", ["driver_id"], unique=False)
    op.create_index(
        "uq_delivery_routes_driving",
        "delivery_routes",
        ["vehicle_id"],
        unique=True,
        sqlite_where=sa.text("status = 'in_progress'"),
        postgresql_where=sa.text("status = 'in_progress'"),
    )
    op.create_table(
        "deliveries",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("planned_arrival_at", columns.UtcDateTime(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("arrived_at", columns.UtcDateTime(), nullable=True),
        sa.Column("delivered_at", columns.UtcDateTime(), nullable=True),
        sa.Column("recipient_name", sa.String(), nullable=True),
        sa.Column("photo_sha256", sa.String(), nullable=True),
        sa.Column("cargo_temperature_c", sa.Float(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("failure_reason", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "failure_reason IN ('customer_absent', 'refused', 'wrong_address', 'damaged', 'excursion', 'vehicle', 'other')",
            name=op.f("ck_deliveries_failure_reason"),
        ),
        sa.CheckConstraint(
            "status <> 'delivered' OR photo_sha256 IS NOT NULL", name=op.f("ck_deliveries_delivered_with_proof")
        ),
        sa.CheckConstraint(
            "status IN ('assigned', 'out_for_delivery', 'arrived', 'delivered', 'failed', 'returned', 'cancelled')",
            name=op.f("ck_deliveries_status"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "order_id"],
            ["customer_orders.organization_id", "customer_orders.id"],
            name=op.f("fk_deliveries_organization_id_order_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "route_id"],
            ["delivery_routes.organization_id", "delivery_routes.id"],
            name=op.f("fk_deliveries_organization_id_route_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_deliveries_organization_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("order_id", "attempt", name=op.f("uq_deliveries_order_id_attempt")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_deliveries_organization_id_id")),
        sa.UniqueConstraint("organization_id", "number", name=op.f("uq_deliveries_organization_id_number")),
        sa.UniqueConstraint("route_id", "sequence", name=op.f("uq_deliveries_route_id_sequence")),
    )
    op.create_table(
        "vehicle_positions",
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", columns.UtcDateTime(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("speed_kmh", sa.Float(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "route_id"],
            ["delivery_routes.organization_id", "delivery_routes.id"],
            name=op.f("fk_vehicle_positions_organization_id_route_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "vehicle_id"],
            ["vehicles.organization_id", "vehicles.id"],
            name=op.f("fk_vehicle_positions_organization_id_vehicle_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_vehicle_positions_organization_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicle_positions")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_vehicle_positions_organization_id_id")),
        sa.UniqueConstraint("vehicle_id", "recorded_at", name=op.f("uq_vehicle_positions_vehicle_id_recorded_at")),
    )
    op.create_index(op.f("ix_vehicle_positions_route_id"), "vehicle_positions", ["route_id"], unique=False)
    raise_wall("media")
    raise_wall("planning_jobs")
    raise_wall("vehicles")
    raise_wall("delivery_routes")
    raise_wall("deliveries")
    raise_wall("vehicle_positions", rights=APPEND_ONLY)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("vehicle_positions")
    op.drop_table("deliveries")
    op.drop_table("delivery_routes")
    op.drop_table("vehicles")
    op.drop_table("planning_jobs")
    op.drop_table("media")
