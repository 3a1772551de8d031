"""Delivery slots, orders that may be edited, what customers say of a delivery, and doors that were looked for."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.kernel.tenancy import SYSTEM_SETTING
from cloud_api.migrations.walls import is_postgresql, owned, points_at, raise_wall

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_PRECISIONS = "precision IN ('building', 'street', 'area', 'town', 'region')"
_DAYS = "weekdays BETWEEN 0 AND 127 AND (weekdays = 0) = (day IS NOT NULL)"
#: (table, column, what rows have that are there)
_DEFAULTS = (
    ("customers", "locale", sa.String(), ""),
    ("customer_orders", "address_is_sure", sa.Boolean(), sa.true()),
    ("customer_orders", "version", sa.Integer(), "1"),
    ("order_items", "price_is_agreed", sa.Boolean(), sa.true()),
)


def upgrade() -> None:
    """Make the tables, and add the columns; the coordinates that are there were given by somebody."""
    for table, name, kind, default in _DEFAULTS:
        with op.batch_alter_table(table) as changed:
            changed.add_column(sa.Column(name, kind, nullable=False, server_default=default))
    with op.batch_alter_table("customer_orders") as changed:
        changed.add_column(sa.Column("address_id", sa.Uuid(), nullable=True))
    with op.batch_alter_table("customer_addresses") as changed:
        changed.add_column(sa.Column("precision", sa.String(), nullable=True))
        changed.add_column(sa.Column("confirmed_at", columns.UtcDateTime(), nullable=True))
        changed.create_check_constraint(op.f("ck_customer_addresses_precision"), _PRECISIONS)
    if is_postgresql():
        op.execute(f"SELECT set_config('{SYSTEM_SETTING}', 'the doors that are there were given', true)")
    op.execute(
        "UPDATE customer_addresses SET confirmed_at ="
        " (SELECT created_at FROM customers WHERE customers.id = customer_addresses.customer_id)"
    )
    for table, name, _, _ in _DEFAULTS:
        with op.batch_alter_table(table) as changed:
            changed.alter_column(name, server_default=None)
    _make_slots()
    _make_feedback()


def _make_slots() -> None:
    op.create_table(
        "delivery_slots",
        *owned("delivery_slots"),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("weekdays", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("window_from", sa.Time(), nullable=False),
        sa.Column("window_until", sa.Time(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        points_at("delivery_slots", "warehouse_id", "warehouses", ondelete="RESTRICT"),
        sa.CheckConstraint("window_from < window_until", name=op.f("ck_delivery_slots_window")),
        sa.CheckConstraint("capacity >= 0", name=op.f("ck_delivery_slots_capacity")),
        sa.CheckConstraint(_DAYS, name=op.f("ck_delivery_slots_days")),
    )
    op.create_index("ix_delivery_slots_warehouse_id", "delivery_slots", ["organization_id", "warehouse_id"])
    raise_wall("delivery_slots")
    op.create_table(
        "slot_bookings",
        *owned("slot_bookings"),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        points_at("slot_bookings", "slot_id", "delivery_slots", ondelete="RESTRICT"),
        sa.UniqueConstraint("organization_id", "order_id", name=op.f("uq_slot_bookings_organization_id_order_id")),
    )
    op.create_index("ix_slot_bookings_slot_id_day", "slot_bookings", ["slot_id", "day"])
    raise_wall("slot_bookings")


def _make_feedback() -> None:
    op.create_table(
        "order_feedback",
        *owned("order_feedback"),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("given_by", sa.Uuid(), nullable=False),
        sa.Column("given_at", columns.UtcDateTime(), nullable=False),
        points_at("order_feedback", "order_id", "customer_orders"),
        sa.UniqueConstraint("organization_id", "order_id", name=op.f("uq_order_feedback_organization_id_order_id")),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_order_feedback_rating")),
    )
    raise_wall("order_feedback")


def downgrade() -> None:
    """Drop them."""
    for table in ("order_feedback", "slot_bookings", "delivery_slots"):
        op.drop_table(table)
    with op.batch_alter_table("customer_addresses") as changed:
        changed.drop_constraint(op.f("ck_customer_addresses_precision"), type_="check")
        changed.drop_column("confirmed_at")
        changed.drop_column("precision")
    with op.batch_alter_table("customer_orders") as changed:
        changed.drop_column("address_id")
    for table, name, _, _ in reversed(_DEFAULTS):
        with op.batch_alter_table(table) as changed:
            changed.drop_column(name)
