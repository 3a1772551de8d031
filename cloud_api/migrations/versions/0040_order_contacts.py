"""Orders know how their customer is reached and pays, and what is really in the box."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.kernel.tenancy import SYSTEM_SETTING
from cloud_api.migrations.walls import is_postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_METHODS = "payment_method IN ('account', 'cod', 'online', 'upi', 'card')"
_STATUSES = "payment_status IN ('pending', 'paid', 'failed', 'refunded')"
_FULFILLMENTS = "fulfillment_status IN ('open', 'reserved', 'backordered', 'picked', 'packed', 'shipped', 'cancelled')"
_TEXTS = {
    "customer_phone": "",
    "customer_email": "",
    "locale": "",
    "payment_method": "account",
    "payment_status": "pending",
}


def upgrade() -> None:
    """Add the columns; who is reached under which number is taken from the customers."""
    with op.batch_alter_table("customer_orders") as table:
        for name, default in _TEXTS.items():
            table.add_column(sa.Column(name, sa.String(), nullable=False, server_default=default))
        table.add_column(sa.Column("packed_weight_g", sa.Integer(), nullable=True))
        table.create_check_constraint(op.f("ck_customer_orders_payment_method"), _METHODS)
        table.create_check_constraint(op.f("ck_customer_orders_payment_status"), _STATUSES)
    with op.batch_alter_table("order_items") as table:
        table.add_column(sa.Column("packed_quantity", columns.Quantity(), nullable=True))
        table.add_column(sa.Column("fulfillment_status", sa.String(), nullable=False, server_default="open"))
        table.create_check_constraint(op.f("ck_order_items_packed_quantity"), "packed_quantity >= 0")
        table.create_check_constraint(op.f("ck_order_items_fulfillment_status"), _FULFILLMENTS)
    if is_postgresql():
        op.execute(f"SELECT set_config('{SYSTEM_SETTING}', 'fill the contacts of orders', true)")
    op.execute(
        "UPDATE customer_orders SET"
        " customer_phone = (SELECT phone FROM customers WHERE customers.id = customer_orders.customer_id),"
        " customer_email = (SELECT email FROM customers WHERE customers.id = customer_orders.customer_id)"
    )
    with op.batch_alter_table("customer_orders") as table:
        for name in _TEXTS:
            table.alter_column(name, server_default=None)
    with op.batch_alter_table("order_items") as table:
        table.alter_column("fulfillment_status", server_default=None)


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("order_items") as table:
        table.drop_constraint(op.f("ck_order_items_fulfillment_status"), type_="check")
        table.drop_constraint(op.f("ck_order_items_packed_quantity"), type_="check")
        table.drop_column("fulfillment_status")
        table.drop_column("packed_quantity")
    with op.batch_alter_table("customer_orders") as table:
        table.drop_constraint(op.f("ck_customer_orders_payment_status"), type_="check")
        table.drop_constraint(op.f("ck_customer_orders_payment_method"), type_="check")
        for name in ("packed_weight_g", *_TEXTS):
            table.drop_column(name)
