"""A cold store of many gateways for the cloud's benchmarks: its database, its rules, and what its gateways send.

Readings are what sensors of cold rooms say: a temperature with two decimals that swings with the compressor, one every
five seconds a sensor. Each sensor has a place and a limit, so that each reading is judged.
"""

import asyncio
import gzip
import math
import random
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from sqlalchemy import select

from cloud_api.cold_chain.rules import service as rules
from cloud_api.cold_chain.rules.schemas import RuleCreate
from cloud_api.devices.provisioning import service as provisioning
from cloud_api.devices.sensors import service as sensors
from cloud_api.devices.sensors.schemas import SensorCreate
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.migrations.migrate import upgrade
from cloud_api.places import service as places
from cloud_api.places.schemas import LocationCreate, WarehouseCreate
from cloud_api.telemetry.models import LaneCursor
from coldfleet.bench import cloud
from coldfleet.bench.private_postgres import PrivatePostgres, private_postgres
from gateway.contract import WIRE_VERSION, Batch, ReadingColumns, bearer

ROLES = Path(__file__).parents[2] / "deploy" / "postgres" / "roles.sql"
SCHEME = "postgresql+asyncpg"
#: what reaches the disk reaches it: only sizes differ from what PostgreSQL does by itself
POSTGRES: dict[str, str] = {
    "shared_buffers": "2GB",
    "max_wal_size": "4GB",
    "max_connections": "100",
    # when it begins to tidy up is chance, and would be counted
    "autovacuum": "off",
    "jit": "off",
}
INTERVAL_MS = 5_000
LIMIT_C = 8.0


@dataclass(frozen=True)
class FarmDatabase:
    """A migrated PostgreSQL of the benchmark's own."""

    server: PrivatePostgres
    #: as the application signs in
    url: str


@contextmanager
def farm_database() -> Iterator[FarmDatabase]:
    """A private PostgreSQL with Coldfleet's roles and tables."""
    with private_postgres(POSTGRES) as server:
        password = secrets.token_hex(16)
        statements = "\n".join(line for line in ROLES.read_text().splitlines() if not line.startswith("--"))
        for name in ("owner_password", "app_password"):
            statements = statements.replace(f":{name}", f"'{password}'")

        async def prepare() -> None:
            await server.execute(statements)
            await server.create_database("coldfleet")
            await server.execute("ALTER DATABASE coldfleet OWNER TO coldfleet_owner")

        asyncio.run(prepare())
        upgrade(server.url("coldfleet", user="coldfleet_owner", password=password, scheme=SCHEME))
        yield FarmDatabase(server, server.url("coldfleet", user="coldfleet_app", password=password, scheme=SCHEME))


@dataclass(frozen=True)
class FarmGateway:
    """One gateway and what it has sent so far."""

    id: str
    secret: str
    number: int
    epoch: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def authorization(self) -> str:
        """The value of the header."""
        return bearer(self.id, self.secret)

    def sensor(self, number: int) -> str:
        """What its sensor is called."""
        return f"z2m:room-{self.number}-{number}"


@dataclass(frozen=True)
class Farm:
    """An organisation with gateways whose sensors have places and limits."""

    organization: OrganizationScope
    gateways: list[FarmGateway]
    sensors_per_gateway: int


async def found_farm(database_url: str, *, gateways: int, sensors_per_gateway: int) -> Farm:
    """Found it: a room a gateway, a high limit a room."""
    database = Database(database_url)
    try:
        scope = await cloud.found_organization(database)
        async with database.unit_of_work(scope) as db:
            warehouse = await places.create_warehouse(db, new=WarehouseCreate(code="BENCH", name="Bench"))
            warehouse_id = warehouse.id
        made = [
            await _add_gateway(database, scope, warehouse_id, number, sensors_per_gateway) for number in range(gateways)
        ]
        return Farm(scope, made, sensors_per_gateway)
    finally:
        await database.close()


async def _add_gateway(
    database: Database, scope: OrganizationScope, warehouse_id: uuid.UUID, number: int, count: int
) -> FarmGateway:
    secret = secrets.token_hex(32)
    async with database.unit_of_work(scope) as db:
        gateway, claim_code = await provisioning.register_gateway(db, name=f"Gateway {number}")
        gateway_id = gateway.id
        location = await places.create_location(
            db,
            new=LocationCreate(
                warehouse_id=warehouse_id,
                code=f"ROOM-{number}",
                name=f"Room {number}",
                location_type="room",
                storage_type="cold_storage",
            ),
        )
        made = FarmGateway(str(gateway_id), secret, number)
        for sensor in range(count):
            new = SensorCreate(
                gateway_id=gateway_id,
                location_id=location.id,
                code=made.sensor(sensor),
                quantity="temperature",
                unit="Cel",
            )
            await sensors.register_sensor(db, new=new)
        limit = RuleCreate(
            name=f"Room {number}", location_id=location.id, kind="high", set_at=LIMIT_C, clear_at=LIMIT_C - 0.5
        )
        await rules.create_rule(db, new=limit)
    async with database.unit_of_work(SystemScope("benchmark")) as db:
        await provisioning.claim_gateway(db, claim_code=claim_code, secret=secret, software_version="bench")
    return made


def wave(sensor: int, at_ms: int, noise: random.Random) -> float:
    """Degrees Celsius of one sensor at a time, two decimals."""
    return round(4.0 + 0.8 * math.sin(at_ms / 900_000 + sensor) + noise.uniform(-0.2, 0.2), 2)


def columns(farm: Farm, gateway: FarmGateway, *, batch: int, rows: int, began_ms: int) -> ReadingColumns:
    """The columns of a gateway's batch, numbered from 0: so many readings of each sensor, one after the other in time.

    Args:
        rows: of the batch; a multiple of the sensors of a gateway.
    """
    noise = random.Random(f"{gateway.number} {batch}")  # noqa: S311 - readings, not secrets
    count, each = farm.sensors_per_gateway, rows // farm.sensors_per_gateway
    times_ms, values, which, before_ms = [], [], [], 0
    for turn in range(each):
        for sensor in range(count):
            at_ms = began_ms + (batch * each + turn) * INTERVAL_MS + sensor * (INTERVAL_MS // count)
            times_ms.append(at_ms - before_ms)
            before_ms = at_ms
            values.append(wave(sensor, at_ms, noise))
            which.append(sensor)
    series = [(gateway.sensor(sensor), "temperature", "Cel") for sensor in range(count)]
    return ReadingColumns(series, which, [(1 + batch * rows, rows)], times_ms, values)


def body(gateway: FarmGateway, sent: ReadingColumns) -> bytes:
    """The batch as it goes over the wire, compressed as gateways do."""
    batch = Batch(WIRE_VERSION, gateway.epoch, "readings", columns=sent)
    return gzip.compress(msgspec.json.encode(batch), 6)


async def stored(database_url: str, scope: OrganizationScope) -> int:
    """How many readings of the organisation are kept, by the lanes' own count."""
    database = Database(database_url)
    try:
        async with database.unit_of_work(scope, read_only=True) as db:
            return sum(await db.scalars(select(LaneCursor.accepted).where(LaneCursor.lane == "readings")))
    finally:
        await database.close()
