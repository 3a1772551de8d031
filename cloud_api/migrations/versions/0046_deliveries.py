"""Codes, signatures, and attempts that wait for a route."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.kernel.tenancy import SYSTEM_SETTING
from cloud_api.migrations.walls import is_postgresql, owned, points_at, raise_wall

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_DRIVING = sa.text("status = 'in_progress'")
_BEFORE = ("assigned", "out_for_delivery", "arrived", "delivered", "failed", "returned", "cancelled")
_AFTER = ("pending", *_BEFORE)
_CODES = ("none", "sent", "pending_verification", "verified", "overridden", "unverified", "locked")
_PHOTO = "status <> 'delivered' OR photo_sha256 IS NOT NULL"
_CHECKS = {
    "otp_status": f"otp_status IN {_CODES}",
    "cargo_temperature_source": "cargo_temperature_source IN ('probe', 'van_sensor')",
    "on_a_route": "route_id IS NOT NULL OR status IN ('pending', 'cancelled')",
    "planned": "route_id IS NULL OR (sequence IS NOT NULL AND planned_arrival_at IS NOT NULL)",
}
_ROUTE_COLUMNS = ("odometer_start_km", "odometer_end_km", "fuel_ml", "cancelled_reason", "name", "version")
_INSTANTS = ("announced_at", "scanned_at", "otp_sent_at", "otp_verified_at")
_PEOPLE = ("delivered_by", "otp_override_by")
_TEXTS = ("signature_sha256", "cargo_temperature_source", "otp_override_reason")


def upgrade() -> None:
    """Routes say how they were driven, deliveries what proves them; codes and calls get tables of their own."""
    with op.batch_alter_table("delivery_routes") as table:
        table.add_column(sa.Column("name", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        for name in ("odometer_start_km", "odometer_end_km", "fuel_ml"):
            table.add_column(sa.Column(name, sa.Integer(), nullable=True))
        table.add_column(sa.Column("cancelled_reason", sa.String(), nullable=True))
        table.create_check_constraint(op.f("ck_delivery_routes_odometer"), "odometer_end_km >= odometer_start_km")
        table.create_check_constraint(op.f("ck_delivery_routes_fuel"), "fuel_ml >= 0")
    op.create_index(
        "uq_delivery_routes_driver",
        "delivery_routes",
        ["driver_id"],
        unique=True,
        sqlite_where=_DRIVING,
        postgresql_where=_DRIVING,
    )
    with op.batch_alter_table("deliveries") as table:
        table.alter_column("route_id", existing_type=sa.Uuid(), nullable=True)
        table.alter_column("sequence", existing_type=sa.Integer(), nullable=True)
        table.alter_column("planned_arrival_at", existing_type=columns.UtcDateTime(), nullable=True)
        for name in _INSTANTS:
            table.add_column(sa.Column(name, columns.UtcDateTime(), nullable=True))
        for name in _PEOPLE:
            table.add_column(sa.Column(name, sa.Uuid(), nullable=True))
        for name in _TEXTS:
            table.add_column(sa.Column(name, sa.String(), nullable=True))
        table.add_column(sa.Column("otp_status", sa.String(), nullable=False, server_default="none"))
        table.add_column(sa.Column("otp_attempts", sa.Integer(), nullable=False, server_default="0"))
        table.drop_constraint(op.f("ck_deliveries_status"), type_="check")
        table.drop_constraint(op.f("ck_deliveries_delivered_with_proof"), type_="check")
    with op.batch_alter_table("deliveries") as table:
        table.create_check_constraint(op.f("ck_deliveries_status"), f"status IN {_AFTER}")
        table.create_check_constraint(
            op.f("ck_deliveries_delivered_with_proof"), f"{_PHOTO} OR signature_sha256 IS NOT NULL"
        )
        for name, rule in _CHECKS.items():
            table.create_check_constraint(op.f(f"ck_deliveries_{name}"), rule)
        for name in _PEOPLE:
            table.create_foreign_key(
                op.f(f"fk_deliveries_organization_id_{name}"),
                "users",
                ["organization_id", name],
                ["organization_id", "id"],
                ondelete="RESTRICT",
            )
    with op.batch_alter_table("delivery_routes") as table:
        table.alter_column("name", server_default=None)
        table.alter_column("version", server_default=None)
    with op.batch_alter_table("deliveries") as table:
        table.alter_column("otp_status", server_default=None)
        table.alter_column("otp_attempts", server_default=None)
    _make_tables()


def _make_tables() -> None:
    op.create_table(
        "delivery_codes",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("sent_at", columns.UtcDateTime(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(), nullable=False),
        *owned("delivery_codes"),
        points_at("delivery_codes", "delivery_id", "deliveries", ondelete="RESTRICT"),
    )
    op.create_index(op.f("ix_delivery_codes_delivery_id"), "delivery_codes", ["delivery_id"])
    op.create_table(
        "contact_logs",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("at", columns.UtcDateTime(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        *owned("contact_logs"),
        points_at("contact_logs", "delivery_id", "deliveries", ondelete="RESTRICT"),
        points_at("contact_logs", "user_id", "users", ondelete="RESTRICT"),
        sa.CheckConstraint("channel IN ('call', 'sms', 'whatsapp')", name=op.f("ck_contact_logs_channel")),
        sa.CheckConstraint("result IN ('connected', 'queued', 'refused')", name=op.f("ck_contact_logs_result")),
    )
    op.create_index(op.f("ix_contact_logs_delivery_id"), "contact_logs", ["delivery_id"])
    for table in ("delivery_codes", "contact_logs"):
        raise_wall(table)


def downgrade() -> None:
    """Drop them; what waits for a route, or is proved by a signature alone, was not known before and goes."""
    op.drop_table("contact_logs")
    op.drop_table("delivery_codes")
    if is_postgresql():
        op.execute(f"SELECT set_config('{SYSTEM_SETTING}', 'forget what was not known before', true)")
    op.execute("DELETE FROM deliveries WHERE route_id IS NULL")
    op.execute("UPDATE deliveries SET photo_sha256 = signature_sha256 WHERE photo_sha256 IS NULL")
    with op.batch_alter_table("deliveries") as table:
        for name in _PEOPLE:
            table.drop_constraint(op.f(f"fk_deliveries_organization_id_{name}"), type_="foreignkey")
        for name in ("status", "delivered_with_proof", *_CHECKS):
            table.drop_constraint(op.f(f"ck_deliveries_{name}"), type_="check")
    with op.batch_alter_table("deliveries") as table:
        for name in (*_INSTANTS, *_PEOPLE, *_TEXTS, "otp_status", "otp_attempts"):
            table.drop_column(name)
        table.alter_column("route_id", existing_type=sa.Uuid(), nullable=False)
        table.alter_column("sequence", existing_type=sa.Integer(), nullable=False)
        table.alter_column("planned_arrival_at", existing_type=columns.UtcDateTime(), nullable=False)
        table.create_check_constraint(op.f("ck_deliveries_status"), f"status IN {_BEFORE}")
        table.create_check_constraint(op.f("ck_deliveries_delivered_with_proof"), _PHOTO)
    op.drop_index("uq_delivery_routes_driver", "delivery_routes")
    with op.batch_alter_table("delivery_routes") as table:
        table.drop_constraint(op.f("ck_delivery_routes_odometer"), type_="check")
        table.drop_constraint(op.f("ck_delivery_routes_fuel"), type_="check")
        for name in _ROUTE_COLUMNS:
            table.drop_column(name)
