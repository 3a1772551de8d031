"""Fences, expected arrivals, and links to follow a delivery by."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.migrations.walls import APP_ROLE, APPEND_ONLY, is_postgresql, owned, points_at, raise_wall

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

#: the one way out of `vehicle_positions`: what nobody needs any more, and nothing younger; keys rise with time
_EXPIRE = """
CREATE FUNCTION expire_vehicle_positions(before uuid, most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (
    DELETE FROM vehicle_positions WHERE id IN (
      SELECT id FROM vehicle_positions
      WHERE id < before AND recorded_at < now() - interval '30 days' ORDER BY id LIMIT most
    ) RETURNING 1
  )
  SELECT count(*) FROM gone
$$
"""
_PRESENT = sa.text("removed_at IS NULL")
_UNJUDGED = sa.text("NOT is_judged")
_WALLED = (
    "vehicle_last_positions",
    "geofences",
    "geofence_presences",
    "delivery_tracks",
    "eta_promises",
    "route_watches",
    "tracking_links",
)


def upgrade() -> None:
    """Make the tables."""
    with op.batch_alter_table("vehicle_positions") as table:
        table.alter_column("route_id", existing_type=sa.Uuid(), nullable=True)
        table.add_column(sa.Column("heading_deg", sa.Float(), nullable=True))
        table.add_column(sa.Column("accuracy_m", sa.Float(), nullable=True))
        table.drop_index(op.f("ix_vehicle_positions_route_id"))
        table.create_index("ix_vehicle_positions_route", ["route_id", "recorded_at"])
    _make_last_positions()
    _make_fences()
    _make_arrivals()
    _make_links()
    for name in _WALLED:
        raise_wall(name)
    raise_wall("geofence_events", rights=APPEND_ONLY)
    if is_postgresql():
        op.execute(_EXPIRE)
        op.execute("REVOKE ALL ON FUNCTION expire_vehicle_positions FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION expire_vehicle_positions TO {APP_ROLE}")


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, columns.UtcDateTime(), nullable=nullable)


def _degrees(*names: str, nullable: bool = False) -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Float(), nullable=nullable) for name in names]


def _key(table: str, column: str, target: str, *, nullable: bool = False) -> list[sa.schema.SchemaItem]:
    """A column that names a row of another table, and holds it."""
    return [sa.Column(column, sa.Uuid(), nullable=nullable), points_at(table, column, target, ondelete="RESTRICT")]


def _make_last_positions() -> None:
    name = "vehicle_last_positions"
    op.create_table(
        name,
        *_key(name, "vehicle_id", "vehicles"),
        *_key(name, "route_id", "delivery_routes", nullable=True),
        _instant("recorded_at"),
        *_degrees("latitude", "longitude"),
        *_degrees("speed_kmh", "heading_deg", "accuracy_m", nullable=True),
        _instant("heard_at"),
        _instant("judged_until", nullable=True),
        sa.Column("is_judged", sa.Boolean(), nullable=False),
        *owned(name),
        sa.UniqueConstraint("vehicle_id", name=op.f(f"uq_{name}_vehicle_id")),
    )
    op.create_index(
        f"ix_{name}_unjudged",
        name,
        ["organization_id"],
        sqlite_where=_UNJUDGED,
        postgresql_where=_UNJUDGED,
    )


def _make_fences() -> None:
    op.create_table(
        "geofences",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("name", "kind", "shape")),
        *_degrees("latitude", "longitude", nullable=True),
        sa.Column("radius_m", sa.Integer(), nullable=True),
        sa.Column("corners", sa.JSON(), nullable=False),
        *_degrees("south", "west", "north", "east"),
        *_key("geofences", "warehouse_id", "warehouses", nullable=True),
        *_key("geofences", "customer_id", "customers", nullable=True),
        _instant("created_at"),
        _instant("removed_at", nullable=True),
        *owned("geofences"),
        sa.CheckConstraint("kind IN ('depot', 'customer', 'restricted')", name=op.f("ck_geofences_kind")),
        sa.CheckConstraint("shape IN ('circle', 'polygon')", name=op.f("ck_geofences_shape")),
        sa.CheckConstraint(
            "(shape = 'circle' AND latitude IS NOT NULL AND longitude IS NOT NULL AND radius_m IS NOT NULL)"
            " OR (shape = 'polygon' AND radius_m IS NULL)",
            name=op.f("ck_geofences_drawn"),
        ),
    )
    op.create_index(op.f("ix_geofences_warehouse_id"), "geofences", ["warehouse_id"])
    op.create_index(
        "uq_geofences_organization_id_name",
        "geofences",
        ["organization_id", "name"],
        unique=True,
        sqlite_where=_PRESENT,
        postgresql_where=_PRESENT,
    )
    inside = "geofence_presences"
    op.create_table(
        inside,
        *_key(inside, "geofence_id", "geofences"),
        *_key(inside, "vehicle_id", "vehicles"),
        _instant("entered_at"),
        *owned(inside),
        sa.UniqueConstraint("vehicle_id", "geofence_id", name=op.f(f"uq_{inside}_vehicle_id_geofence_id")),
    )
    crossed = "geofence_events"
    op.create_table(
        crossed,
        *_key(crossed, "geofence_id", "geofences"),
        *_key(crossed, "vehicle_id", "vehicles"),
        *_key(crossed, "route_id", "delivery_routes", nullable=True),
        sa.Column("event", sa.String(), nullable=False),
        _instant("at"),
        *_degrees("latitude", "longitude"),
        *owned(crossed),
        sa.CheckConstraint("event IN ('enter', 'exit')", name=op.f(f"ck_{crossed}_event")),
    )
    op.create_index(op.f(f"ix_{crossed}_geofence_id"), crossed, ["geofence_id"])
    op.create_index(op.f(f"ix_{crossed}_vehicle_id"), crossed, ["vehicle_id"])
    op.create_index(f"ix_{crossed}_route", crossed, ["route_id", "at"])


def _make_arrivals() -> None:
    op.create_table(
        "delivery_tracks",
        *_key("delivery_tracks", "delivery_id", "deliveries"),
        *(
            _instant(name, nullable=True)
            for name in ("near_since", "arrived_by_fence_at", "told_at", "told_p50_at", "told_p90_at")
        ),
        *owned("delivery_tracks"),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_delivery_tracks_delivery_id")),
    )
    op.create_table(
        "eta_promises",
        *_key("eta_promises", "delivery_id", "deliveries"),
        *(_instant(name) for name in ("told_at", "p50_at")),
        sa.Column("band_s", sa.Integer(), nullable=False),
        sa.Column("legs", sa.Integer(), nullable=False),
        _instant("arrived_at", nullable=True),
        sa.Column("error_s", sa.Integer(), nullable=True),
        *owned("eta_promises"),
    )
    op.create_index(op.f("ix_eta_promises_delivery_id"), "eta_promises", ["delivery_id"])
    op.create_index("ix_eta_promises_arrived", "eta_promises", ["organization_id", "arrived_at"])
    op.create_table(
        "route_watches",
        *_key("route_watches", "route_id", "delivery_routes"),
        _instant("looked_at", nullable=True),
        _instant("silent_since", nullable=True),
        *owned("route_watches"),
        sa.UniqueConstraint("route_id", name=op.f("uq_route_watches_route_id")),
    )


def _make_links() -> None:
    op.create_table(
        "tracking_links",
        *_key("tracking_links", "order_id", "customer_orders"),
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        _instant("created_at"),
        *owned("tracking_links"),
        sa.UniqueConstraint("order_id", name=op.f("uq_tracking_links_order_id")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_tracking_links_token_sha256")),
    )


def downgrade() -> None:
    """Drop them; positions on no route go with them."""
    if is_postgresql():
        op.execute("DROP FUNCTION expire_vehicle_positions")
        op.execute("ALTER TABLE vehicle_positions NO FORCE ROW LEVEL SECURITY")
    for name in ("tracking_links", "route_watches", "eta_promises", "delivery_tracks"):
        op.drop_table(name)
    for name in ("geofence_events", "geofence_presences", "geofences", "vehicle_last_positions"):
        op.drop_table(name)
    op.execute("DELETE FROM vehicle_positions WHERE route_id IS NULL")
    if is_postgresql():
        op.execute("ALTER TABLE vehicle_positions FORCE ROW LEVEL SECURITY")
    with op.batch_alter_table("vehicle_positions") as table:
        table.drop_index("ix_vehicle_positions_route")
        table.create_index(op.f("ix_vehicle_positions_route_id"), ["route_id"])
        table.drop_column("accuracy_m")
        table.drop_column("heading_deg")
        table.alter_column("route_id", existing_type=sa.Uuid(), nullable=False)
