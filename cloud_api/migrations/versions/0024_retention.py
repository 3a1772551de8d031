"""Sealed days of readings, and how long readings are kept."""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel import columns
from cloud_api.kernel.tenancy import ORGANIZATION_SETTING, SYSTEM_SETTING
from cloud_api.migrations.walls import APP_ROLE, grant, is_postgresql, owned, points_at, raise_wall

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

#: the view looks at the scope itself, so that it holds whoever owns it
_OWN = f"nullif(current_setting('{ORGANIZATION_SETTING}', true), '')::uuid"
_WALL = f"(s.organization_id = {_OWN} OR nullif(current_setting('{SYSTEM_SETTING}', true), '') IS NOT NULL)"
_VIEW = """
CREATE VIEW sensor_readings AS
SELECT s.organization_id, s.sensor_id, r.recorded_at_ms, r.sequence, r.value, r.quality{series}
FROM readings r JOIN sensor_series s ON s.number = r.series
WHERE {wall}
"""
#: the one way out of `readings`: what is taken away is handed over, and only what is the session's organisation's own
_TAKE = """
CREATE FUNCTION take_readings(numbers bigint[], from_ms bigint, to_ms bigint)
RETURNS TABLE (series bigint, recorded_at_ms bigint, sequence bigint, value double precision, quality smallint)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  DELETE FROM readings r
  WHERE r.series IN (SELECT s.number FROM sensor_series s WHERE s.number = ANY (numbers) AND s.organization_id = {own})
    AND r.recorded_at_ms >= from_ms AND r.recorded_at_ms < to_ms
  RETURNING r.series::bigint, r.recorded_at_ms, r.sequence, r.value, r.quality
$$
"""
#: a month at a time, so that whoever adds or reads waits for one at most; the caller says for how long it may wait
_DROP_MONTH = """
CREATE FUNCTION drop_empty_readings_month(before_ms bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  month text;
  filled boolean;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('make_readings_month'));
  FOR month IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'readings'::regclass
      AND c.relname < 'readings_' || to_char(to_timestamp(before_ms / 1000), 'YYYY_MM')
    ORDER BY c.relname
  LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', month) INTO filled;
    IF NOT filled THEN
      LOCK TABLE readings IN ACCESS EXCLUSIVE MODE;
      EXECUTE format('SELECT EXISTS (SELECT FROM %I)', month) INTO filled;
      IF NOT filled THEN
        EXECUTE format('DROP TABLE %I', month);
        RETURN month;
      END IF;
    END IF;
  END LOOP;
  RETURN NULL;
END $$
"""
_FUNCTIONS = {"take_readings": _TAKE.format(own=_OWN), "drop_empty_readings_month": _DROP_MONTH}
_NEW = ("reading_chunks", "retention_classes", "sensor_retentions", "legal_holds")


def upgrade() -> None:
    """Make the tables, the view anew, and the way out."""
    op.create_table(
        "reading_chunks",
        sa.Column("series", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("begins_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("minimum", sa.Double(), nullable=True),
        sa.Column("maximum", sa.Double(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("series", "begins_ms", name=op.f("pk_reading_chunks")),
    )
    _make_retention()
    for table in _NEW:
        raise_wall(table)
    _make_view(series=", s.number AS series")
    if is_postgresql():
        op.execute("ALTER TABLE reading_chunks ALTER COLUMN payload SET STORAGE EXTERNAL")  # compressed already
        for name, made in _FUNCTIONS.items():
            op.execute(made)
            op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
            op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {APP_ROLE}")


def downgrade() -> None:
    """Take them away; sealed days are lost, so unseal them first."""
    if is_postgresql():
        for name in _FUNCTIONS:
            op.execute(f"DROP FUNCTION {name}")
    _make_view(series="")
    for table in reversed(_NEW):
        op.drop_table(table)


def _make_retention() -> None:
    op.create_table(
        "retention_classes",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("raw_days", sa.Integer(), nullable=True),
        sa.Column("hours_days", sa.Integer(), nullable=True),
        sa.Column("days_days", sa.Integer(), nullable=True),
        *owned("retention_classes"),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_retention_classes_organization_id_name")),
    )
    op.create_table(
        "sensor_retentions",
        sa.Column("sensor_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        *owned("sensor_retentions"),
        points_at("sensor_retentions", "sensor_id", "sensors", ondelete="RESTRICT"),
        points_at("sensor_retentions", "class_id", "retention_classes", ondelete="RESTRICT"),
        sa.UniqueConstraint("sensor_id", name=op.f("uq_sensor_retentions_sensor_id")),
    )
    op.create_table(
        "legal_holds",
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("sensor_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("from_at", columns.UtcDateTime(), nullable=True),
        sa.Column("to_at", columns.UtcDateTime(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(), nullable=False),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("released_at", columns.UtcDateTime(), nullable=True),
        *owned("legal_holds"),
        points_at("legal_holds", "location_id", "locations", ondelete="RESTRICT"),
        points_at("legal_holds", "sensor_id", "sensors", ondelete="RESTRICT"),
    )


def _make_view(*, series: str) -> None:
    op.execute("DROP VIEW sensor_readings")
    op.execute(_VIEW.format(series=series, wall=_WALL if is_postgresql() else "true"))
    grant("sensor_readings", rights="SELECT")
