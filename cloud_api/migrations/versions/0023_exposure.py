"""What excursions did to lots, what was decided about held stock, and what people read off thermometers."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import APPEND_ONLY, owned, points_at, raise_wall

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_AGEING = ("reference_temperature_c", "q10")
_AGED = ("product_categories", "products")


def upgrade() -> None:
    """Make the tables and the columns."""
    for table in _AGED:
        for name in _AGEING:
            op.add_column(table, sa.Column(name, sa.Float(), nullable=True))
    op.add_column("stock_held_levels", sa.Column("disposition", sa.String(), nullable=True))
    op.add_column("stock_held_levels", sa.Column("decided_at", columns.UtcDateTime(), nullable=True))
    op.add_column("stock_held_levels", sa.Column("decided_by", sa.Uuid(), nullable=True))
    op.add_column("stock_held_levels", sa.Column("reason", sa.String(), nullable=False, server_default=""))
    op.add_column("stock_reservations", sa.Column("needed_on", sa.Date(), nullable=True))
    op.add_column("stock_reservations", sa.Column("picked_at", columns.UtcDateTime(), nullable=True))
    op.add_column("stock_reservations", sa.Column("at_risk_since", columns.UtcDateTime(), nullable=True))
    op.create_index("ix_stock_reservations_at_risk_since", "stock_reservations", ["at_risk_since"])
    op.create_table(
        "lot_exposures",
        sa.Column("excursion_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("set_at", sa.Float(), nullable=False),
        sa.Column("from_at", columns.UtcDateTime(), nullable=False),
        sa.Column("to_at", columns.UtcDateTime(), nullable=True),
        sa.Column("minutes", sa.Float(), nullable=False),
        sa.Column("degree_minutes", sa.Float(), nullable=False),
        sa.Column("peak", sa.Float(), nullable=True),
        sa.Column("mean_kinetic_c", sa.Float(), nullable=True),
        *owned("lot_exposures"),
        points_at("lot_exposures", "excursion_id", "excursions"),
        points_at("lot_exposures", "lot_id", "lots", ondelete="RESTRICT"),
        points_at("lot_exposures", "location_id", "locations", ondelete="RESTRICT"),
        points_at("lot_exposures", "sensor_id", "sensors", ondelete="RESTRICT"),
        sa.UniqueConstraint(
            "excursion_id", "lot_id", "location_id", name=op.f("uq_lot_exposures_excursion_id_lot_id_location_id")
        ),
    )
    op.create_index("ix_lot_exposures_lot_id", "lot_exposures", ["lot_id"])
    raise_wall("lot_exposures")
    op.create_table(
        "manual_readings",
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("measured_at", columns.UtcDateTime(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("alert_type", sa.String(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", columns.UtcDateTime(), nullable=False),
        *owned("manual_readings"),
        points_at("manual_readings", "location_id", "locations", ondelete="RESTRICT"),
        sa.CheckConstraint("quantity IN ('temperature', 'humidity')", name=op.f("ck_manual_readings_quantity")),
    )
    op.create_index("ix_manual_readings_location_id_measured_at", "manual_readings", ["location_id", "measured_at"])
    raise_wall("manual_readings", rights=APPEND_ONLY)


def downgrade() -> None:
    """Take them away."""
    op.drop_table("manual_readings")
    op.drop_table("lot_exposures")
    op.drop_index("ix_stock_reservations_at_risk_since", "stock_reservations")
    for name in ("at_risk_since", "picked_at", "needed_on"):
        op.drop_column("stock_reservations", name)
    for name in ("reason", "decided_by", "decided_at", "disposition"):
        op.drop_column("stock_held_levels", name)
    for table in reversed(_AGED):
        for name in reversed(_AGEING):
            op.drop_column(table, name)
