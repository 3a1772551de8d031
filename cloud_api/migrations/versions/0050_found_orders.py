"""Orders and returns are listed by day, state, warehouse, name and sum; customers are found by how their number ends."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel.tenancy import SYSTEM_SETTING
from cloud_api.migrations.walls import is_postgresql

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

_INDEXES = {
    "customer_orders": ("delivery_date", "status", "warehouse_id", "payment_status", "customer_name", "total_minor"),
    "customer_returns": ("status", "requested_at"),
    "customers": ("name",),
}
_AT_ONCE = 1_000


def upgrade() -> None:
    """Add the columns and the indexes; the numbers that are there are turned round."""
    digits = sa.String(collation="C") if is_postgresql() else sa.String()
    with op.batch_alter_table("customers") as table:
        table.add_column(sa.Column("phone_backwards", digits, nullable=False, server_default=""))
        table.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    _turn_round()
    with op.batch_alter_table("customers") as table:
        table.alter_column("phone_backwards", server_default=None)
        table.alter_column("version", server_default=None)
    op.create_index(
        op.f("ix_customers_organization_id_phone_backwards"), "customers", ["organization_id", "phone_backwards"]
    )
    op.drop_index(op.f("ix_customer_orders_delivery_date"), "customer_orders")
    for table_name, columns in _INDEXES.items():
        for column in columns:
            name = op.f(f"ix_{table_name}_organization_id_{column}")
            op.create_index(name, table_name, ["organization_id", column, "id"])


def _turn_round() -> None:
    if is_postgresql():
        op.execute(f"SELECT set_config('{SYSTEM_SETTING}', 'turn the numbers of customers round', true)")
    customers = sa.table("customers", sa.column("id", sa.Uuid()), sa.column("phone"), sa.column("phone_backwards"))
    db = op.get_bind()
    called = db.execute(sa.select(customers.c.id, customers.c.phone).where(customers.c.phone != "")).all()
    turn = (
        sa.update(customers)
        .where(customers.c.id == sa.bindparam("whose"))
        .values(phone_backwards=sa.bindparam("digits"))
    )
    for begin in range(0, len(called), _AT_ONCE):
        part = called[begin : begin + _AT_ONCE]
        db.execute(turn, [{"whose": id, "digits": _backwards(phone)} for id, phone in part])


def _backwards(phone: str) -> str:
    return "".join(character for character in reversed(phone) if character in "0123456789")


def downgrade() -> None:
    """Drop them."""
    for table_name, columns in _INDEXES.items():
        for column in columns:
            op.drop_index(op.f(f"ix_{table_name}_organization_id_{column}"), table_name)
    op.create_index(op.f("ix_customer_orders_delivery_date"), "customer_orders", ["delivery_date"])
    op.drop_index(op.f("ix_customers_organization_id_phone_backwards"), "customers")
    with op.batch_alter_table("customers") as table:
        table.drop_column("version")
        table.drop_column("phone_backwards")
