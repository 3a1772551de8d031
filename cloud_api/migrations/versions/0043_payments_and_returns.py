"""What customers pay, and what comes back."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import owned, points_at, raise_wall

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_STATUSES = "status IN ('pending', 'completed', 'failed', 'cancelled', 'refunded')"
_METHODS = "method IN ('cash', 'upi', 'card', 'online', 'bank_transfer', 'cheque', 'credit')"
_RETURN_STATUSES = "status IN ('requested', 'approved', 'received', 'inspected', 'completed', 'rejected', 'cancelled')"
#: from a table's leaves to its roots
_TABLES = (
    "customer_return_goods",
    "customer_return_lines",
    "customer_returns",
    "payment_provider_events",
    "order_credits",
    "customer_payments",
    "cash_handovers",
)


def upgrade() -> None:
    """Make the tables."""
    _handovers()
    _payments()
    _credits()
    _provider_events()
    _returns()
    _return_lines()
    _returned_goods()
    for table in _TABLES:
        raise_wall(table)


def downgrade() -> None:
    """Drop them."""
    for table in _TABLES:
        op.drop_table(table)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _ids(*names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Uuid(), nullable=nullable) for name in names]


def _times(*names: str, nullable: bool = True) -> list[sa.Column[Any]]:
    return [sa.Column(name, columns.UtcDateTime(), nullable=nullable) for name in names]


def _keys(table: str, **targets: str) -> list[sa.ForeignKeyConstraint]:
    return [points_at(table, column, target, ondelete="RESTRICT") for column, target in targets.items()]


def _index(table: str, *names: str) -> None:
    for name in names:
        op.create_index(op.f(f"ix_{table}_{name}"), table, [name])


def _handovers() -> None:
    name = "cash_handovers"
    op.create_table(
        name,
        *owned(name),
        *_texts("number", "currency", "reason"),
        *_ids("driver_id", "received_by"),
        sa.Column("through", sa.Date(), nullable=True),
        sa.Column("payment_count", sa.Integer(), nullable=False),
        sa.Column("expected_minor", sa.BigInteger(), nullable=False),
        sa.Column("counted_minor", sa.BigInteger(), nullable=False),
        *_times("received_at", nullable=False),
        sa.CheckConstraint("expected_minor >= 0 AND counted_minor >= 0", name=op.f(f"ck_{name}_sums")),
        sa.CheckConstraint("expected_minor = counted_minor OR reason <> ''", name=op.f(f"ck_{name}_reason")),
        sa.UniqueConstraint("organization_id", "number", name=op.f(f"uq_{name}_organization_id_number")),
    )
    _index(name, "driver_id")


def _payments() -> None:
    name = "customer_payments"
    op.create_table(
        name,
        *owned(name),
        *_texts("number", "direction", "method", "currency", "status", "provider", "provider_order_id"),
        *_texts("provider_payment_id", "provider_refund_id", "reference", "why", "failure"),
        *_ids("order_id"),
        *_ids("delivery_id", "refund_of_id", "taken_by", "handover_id", "created_by", nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=True),
        *_times("created_at", nullable=False),
        *_times("taken_at", "asked_at", "completed_at"),
        sa.CheckConstraint(_STATUSES, name=op.f(f"ck_{name}_status")),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f(f"ck_{name}_direction")),
        sa.CheckConstraint(_METHODS, name=op.f(f"ck_{name}_method")),
        sa.CheckConstraint("amount_minor > 0", name=op.f(f"ck_{name}_amount")),
        sa.CheckConstraint("(direction = 'out') = (refund_of_id IS NOT NULL)", name=op.f(f"ck_{name}_refund_of")),
        sa.UniqueConstraint("organization_id", "number", name=op.f(f"uq_{name}_organization_id_number")),
        *_keys(name, order_id="customer_orders", refund_of_id=name, handover_id="cash_handovers"),
    )
    _index(name, "order_id", "provider_order_id", "refund_of_id", "taken_by", "handover_id")
    for what, of, where in (
        ("provider_payment_id", ["provider_payment_id"], "provider_payment_id <> '' AND direction = 'in'"),
        ("provider_refund_id", ["provider_refund_id"], "provider_refund_id <> ''"),
        ("delivery_id_reference", ["delivery_id", "reference"], "delivery_id IS NOT NULL"),
    ):
        here = sa.text(where)
        op.create_index(op.f(f"uq_{name}_{what}"), name, of, unique=True, sqlite_where=here, postgresql_where=here)
    waiting = sa.text("status = 'pending' AND provider <> ''")
    op.create_index(op.f(f"ix_{name}_waiting"), name, ["created_at"], sqlite_where=waiting, postgresql_where=waiting)


def _credits() -> None:
    name = "order_credits"
    op.create_table(
        name,
        *owned(name),
        *_ids("order_id"),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        *_texts("why", "source"),
        *_times("created_at", nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f(f"ck_{name}_amount")),
        sa.UniqueConstraint("organization_id", "source", name=op.f(f"uq_{name}_organization_id_source")),
        *_keys(name, order_id="customer_orders"),
    )
    _index(name, "order_id")


def _provider_events() -> None:
    name = "payment_provider_events"
    op.create_table(
        name,
        *owned(name),
        *_texts("event_id", "type", "outcome"),
        *_ids("payment_id"),
        *_times("received_at", nullable=False),
        sa.UniqueConstraint("organization_id", "event_id", name=op.f(f"uq_{name}_organization_id_event_id")),
        *_keys(name, payment_id="customer_payments"),
    )


def _returns() -> None:
    name = "customer_returns"
    op.create_table(
        name,
        *owned(name),
        *_texts("number", "status", "refund_status", "reason", "note", "decision", "refund_note"),
        *_ids("order_id", "customer_id"),
        sa.Column("refund_minor", sa.BigInteger(), nullable=True),
        *_ids("requested_by", "decided_by", nullable=True),
        *_times("requested_at", nullable=False),
        *_times("decided_at", "received_at", "inspected_at", "completed_at"),
        sa.CheckConstraint(_RETURN_STATUSES, name=op.f(f"ck_{name}_status")),
        sa.CheckConstraint("refund_status IN ('none', 'pending', 'refunded')", name=op.f(f"ck_{name}_refund_status")),
        sa.CheckConstraint("refund_minor >= 0", name=op.f(f"ck_{name}_refund")),
        sa.UniqueConstraint("organization_id", "number", name=op.f(f"uq_{name}_organization_id_number")),
        *_keys(name, order_id="customer_orders", customer_id="customers"),
    )
    _index(name, "order_id", "customer_id")


def _return_lines() -> None:
    name = "customer_return_lines"
    op.create_table(
        name,
        *owned(name),
        *_ids("return_id", "order_line_id", "product_id"),
        sa.Column("quantity", columns.Quantity(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f(f"ck_{name}_quantity")),
        sa.UniqueConstraint("return_id", "order_line_id", name=op.f(f"uq_{name}_return_id_order_line_id")),
        *_keys(name, return_id="customer_returns", order_line_id="order_items", product_id="products"),
    )
    _index(name, "order_line_id")


def _returned_goods() -> None:
    name = "customer_return_goods"
    op.create_table(
        name,
        *owned(name),
        *_ids("return_id", "return_line_id", "lot_id", "location_id"),
        sa.Column("quantity", columns.Quantity(), nullable=False),
        sa.Column("weight_g", sa.BigInteger(), nullable=True),
        sa.Column("temperature_c", sa.Float(), nullable=True),
        sa.Column("outside_minutes", sa.Integer(), nullable=True),
        sa.Column("condition", sa.String(), nullable=True),
        sa.Column("disposition", sa.String(), nullable=True),
        *_texts("finding"),
        *_ids("to_location_id", "disposed_by", nullable=True),
        *_times("disposed_at"),
        sa.CheckConstraint("quantity > 0", name=op.f(f"ck_{name}_quantity")),
        sa.CheckConstraint("outside_minutes >= 0", name=op.f(f"ck_{name}_outside")),
        sa.CheckConstraint("condition IN ('intact', 'wrong', 'damaged', 'spoiled')", name=op.f(f"ck_{name}_condition")),
        sa.CheckConstraint("disposition IN ('restock', 'scrap')", name=op.f(f"ck_{name}_disposition")),
        *_keys(
            name,
            return_id="customer_returns",
            return_line_id="customer_return_lines",
            lot_id="lots",
            location_id="locations",
            to_location_id="locations",
        ),
    )
    _index(name, "return_id", "return_line_id", "lot_id")
