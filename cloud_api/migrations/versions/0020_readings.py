"""What is kept of readings at ingest: each series' last value, its open hour and day, and those before.

On PostgreSQL `readings` becomes a table of months. A month is made when the first reading of its own comes, by a
function that its owner lends to the application; nobody is given anything on the months themselves.
"""

import sqlalchemy as sa
from alembic import op

from cloud_api.kernel.tenancy import ORGANIZATION_SETTING, SYSTEM_SETTING
from cloud_api.migrations.walls import APP_ROLE, INGEST_ROLE, grant, is_postgresql, raise_wall

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

#: the views look at the scope themselves, so that they hold whoever owns them
_WALL = (
    f"(s.organization_id = nullif(current_setting('{ORGANIZATION_SETTING}', true), '')::uuid"
    f" OR nullif(current_setting('{SYSTEM_SETTING}', true), '') IS NOT NULL)"
)
_VIEW = """
CREATE VIEW sensor_{bucket}s AS
SELECT s.organization_id, s.sensor_id, b.begins_ms, b.count, b.total, b.minimum, b.maximum
FROM reading_{bucket}s b JOIN sensor_series s ON s.number = b.series
WHERE {wall}
UNION ALL
SELECT s.organization_id, s.sensor_id, s.{bucket}_begins_ms, s.{bucket}_count, s.{bucket}_total,
  s.{bucket}_minimum, s.{bucket}_maximum
FROM sensor_series s WHERE s.{bucket}_begins_ms IS NOT NULL AND {wall}
"""
_BUCKETS = ("hour", "day")

_READINGS = """
CREATE VIEW sensor_readings AS
SELECT s.organization_id, s.sensor_id, r.recorded_at_ms, r.sequence, r.value, r.quality
FROM readings r JOIN sensor_series s ON s.number = r.series
WHERE {wall}
"""
#: in this order a row has no holes. No key: the lane's cursor lets nothing in twice, and a narrow index, whose pages the
#: next reading of a series finds full or not at all, is half of what a reading costs
_NARROW = """
  series integer NOT NULL, quality smallint NOT NULL, recorded_at_ms bigint NOT NULL, sequence bigint NOT NULL,
  value double precision NOT NULL
"""
_COLUMNS = """
  series bigint NOT NULL, recorded_at_ms bigint NOT NULL, sequence bigint NOT NULL,
  value double precision NOT NULL, quality smallint NOT NULL,
  CONSTRAINT pk_readings PRIMARY KEY (series, recorded_at_ms, sequence)
"""
#: two that want the same month come one after the other; attaching, unlike CREATE TABLE ... PARTITION OF, stops nobody
#: who reads or adds readings meanwhile
_MAKE_MONTH = """
CREATE FUNCTION make_readings_month(at_ms bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  begins timestamptz := date_trunc('month', to_timestamp(at_ms / 1000));
  month text := 'readings_' || to_char(begins, 'YYYY_MM');
  from_ms bigint := extract(epoch FROM begins)::bigint * 1000;
  to_ms bigint := extract(epoch FROM begins + interval '1 month')::bigint * 1000;
BEGIN
  IF at_ms < 0 OR begins > now() + interval '1 year' THEN
    RAISE EXCEPTION 'no readings are kept of %', begins;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('make_readings_month'));
  IF to_regclass('public.' || month) IS NULL THEN
    EXECUTE format('CREATE TABLE %I (LIKE readings INCLUDING INDEXES)', month);
    EXECUTE format('ALTER TABLE readings ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', month, from_ms, to_ms);
  END IF;
END $$
"""


def upgrade() -> None:
    """Make the tables and the views."""
    if is_postgresql():
        _divide_readings()
    op.add_column("gateways", sa.Column("batches", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("ingest_dead_letters", sa.Column("sequence", sa.BigInteger(), nullable=True))
    op.create_index("ix_ingest_dead_letters_gateway_id_sequence", "ingest_dead_letters", ["gateway_id", "sequence"])
    op.add_column("sensor_series", sa.Column("zone", sa.String(), nullable=False, server_default="UTC"))
    op.add_column("sensor_series", sa.Column("heard_at_ms", sa.BigInteger(), nullable=True))
    op.add_column("sensor_series", sa.Column("cadence_ms", sa.BigInteger(), nullable=True))
    for bucket in _BUCKETS:
        op.add_column("sensor_series", sa.Column(f"{bucket}_begins_ms", sa.BigInteger(), nullable=True))
        op.add_column(
            "sensor_series", sa.Column(f"{bucket}_count", sa.BigInteger(), nullable=False, server_default="0")
        )
        op.add_column("sensor_series", sa.Column(f"{bucket}_total", sa.Double(), nullable=False, server_default="0"))
        op.add_column("sensor_series", sa.Column(f"{bucket}_minimum", sa.Double(), nullable=False, server_default="0"))
        op.add_column("sensor_series", sa.Column(f"{bucket}_maximum", sa.Double(), nullable=False, server_default="0"))
        table = f"reading_{bucket}s"
        op.create_table(
            table,
            sa.Column("organization_id", sa.Uuid(), nullable=False),
            sa.Column("series", sa.BigInteger(), autoincrement=False, nullable=False),
            sa.Column("begins_ms", sa.BigInteger(), autoincrement=False, nullable=False),
            sa.Column("count", sa.BigInteger(), nullable=False),
            sa.Column("total", sa.Double(), nullable=False),
            sa.Column("minimum", sa.Double(), nullable=False),
            sa.Column("maximum", sa.Double(), nullable=False),
            sa.PrimaryKeyConstraint("series", "begins_ms", name=op.f(f"pk_{table}")),
        )
        raise_wall(table)
        op.execute(_VIEW.format(bucket=bucket, wall=_WALL if is_postgresql() else "1 = 1"))
        grant(f"sensor_{bucket}s", rights="SELECT")
    if is_postgresql():  # each batch changes its rows: room on their own pages keeps the indexes out of it
        for table in ("sensor_series", "lane_cursors", "gateways"):
            op.execute(f"ALTER TABLE {table} SET (fillfactor = 50)")


def downgrade() -> None:
    """Take them away."""
    for bucket in _BUCKETS:
        op.execute(f"DROP VIEW sensor_{bucket}s")
        op.drop_table(f"reading_{bucket}s")
        for name in ("begins_ms", "count", "total", "minimum", "maximum"):
            op.drop_column("sensor_series", f"{bucket}_{name}")
    for name in ("cadence_ms", "heard_at_ms", "zone"):
        op.drop_column("sensor_series", name)
    op.drop_index("ix_ingest_dead_letters_gateway_id_sequence", "ingest_dead_letters")
    op.drop_column("ingest_dead_letters", "sequence")
    op.drop_column("gateways", "batches")
    if is_postgresql():
        for table in ("sensor_series", "lane_cursors", "gateways"):
            op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
        _unite_readings()


def _divide_readings() -> None:
    """Move what is there into months."""
    _set_aside()
    op.execute(f"CREATE TABLE readings ({_NARROW}) PARTITION BY RANGE (recorded_at_ms)")
    op.execute(
        "CREATE INDEX ix_readings_series_recorded_at_ms ON readings (series, recorded_at_ms)"
        " WITH (deduplicate_items = off)"
    )
    # who owns the database has it already; a copy of it may be somebody else's
    op.execute("GRANT CREATE ON SCHEMA public TO CURRENT_USER")
    op.execute(_MAKE_MONTH)
    op.execute("REVOKE ALL ON FUNCTION make_readings_month FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION make_readings_month TO {APP_ROLE}")
    op.execute(
        "SELECT make_readings_month(min(recorded_at_ms)) FROM readings_before"
        " GROUP BY date_trunc('month', to_timestamp(recorded_at_ms / 1000) AT TIME ZONE 'UTC')"
    )
    _bring_back()


def _unite_readings() -> None:
    """Move what is in months back into one table."""
    _set_aside()
    op.execute("DROP FUNCTION make_readings_month")
    op.execute(f"CREATE TABLE readings ({_COLUMNS})")
    _bring_back()


def _set_aside() -> None:
    op.execute("DROP VIEW sensor_readings")
    op.execute("ALTER TABLE readings RENAME TO readings_before")
    op.execute("ALTER INDEX IF EXISTS pk_readings RENAME TO pk_readings_before")


def _bring_back() -> None:
    columns = "series, recorded_at_ms, sequence, value, quality"
    op.execute(f"INSERT INTO readings ({columns}) SELECT {columns} FROM readings_before")  # noqa: S608 - our own names
    op.execute("DROP TABLE readings_before")
    op.execute(_READINGS.format(wall=_WALL))
    grant("sensor_readings", rights="SELECT")
    grant("readings", rights="INSERT", role=INGEST_ROLE)
