"""A platform under measurement: API and worker processes on one processor; gateways, phones, screens and we on another.

On SQLite one process does everything; on PostgreSQL there are API processes, and a worker beside them.
"""

import asyncio
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.cold_chain.rules.models import AlertRule
from cloud_api.devices.models import Sensor
from cloud_api.identity.passwords import new_password
from cloud_api.identity.people.models import User
from cloud_api.kernel.db import Database
from cloud_api.migrations.migrate import upgrade
from cloud_api.telemetry.intake.reading_rows import SEQUENCES
from cloud_api.telemetry.models import LaneCursor, SensorReading
from coldfleet.bench import cloud
from coldfleet.bench.cloud_farm import Farm, FarmGateway, farm_database, found_farm
from coldfleet.bench.private_postgres import PrivatePostgres
from coldfleet.bench.processes import READY_S, BenchProblem, Measured, cores, free_port
from device_sims.fcm import FcmDouble
from gateway.contract import WIRE_VERSION, Batch, Reading

#: `sqlite`, `postgres` (both the benchmark's own), or the URL of a migrated PostgreSQL
Engine = str
PASSWORD = "Bench-room-" + uuid.uuid4().hex[:8]


@dataclass
class Server:
    """One process, and how to start it again."""

    name: str
    arguments: Sequence[str]
    folder: Path
    environment: dict[str, str]
    #: None: it does not listen
    port: int | None = None
    process: Measured | None = None

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            BenchProblem: it does not.
        """
        ready = self.folder / f"{self.name}.ready"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "coldfleet", "cloud", *self.arguments]
        if self.port is not None:
            command += ["--port", str(self.port), "--ready-file", str(ready)]
        log = self.folder / f"{self.name}.log"
        self.process = Measured(command, core=cores()[0], log=log, environment=self.environment)
        if self.port is not None:
            self.process.wait_for(ready, "url")

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()

    @property
    def url(self) -> str:
        """The address of its API."""
        return f"http://127.0.0.1:{self.port}/api/v1"

    @property
    def running(self) -> Measured:
        """The process.

        Raises:
            BenchProblem: it was not started.
        """
        if self.process is None:
            raise BenchProblem(f"{self.name} does not run")
        return self.process


@dataclass
class Site:
    """What is measured, and what measures."""

    farm: Farm
    database_url: str
    servers: list[Server]
    #: None: the server is its own, on SQLite
    worker: Server | None
    phones: FcmDouble
    #: by the gateway's number, where its only room is
    rooms: dict[int, uuid.UUID]
    #: the administrator's
    token: str
    client: httpx2.Client

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """(host, port) of each server."""
        return [("127.0.0.1", server.port or 0) for server in self.servers]

    def senders(self, gateways: Sequence[FarmGateway]) -> list[tuple[str, str, list[str]]]:
        """As `device_sims.senders` takes them."""
        sensors = range(self.farm.sensors_per_gateway)
        return [(box.authorization, box.epoch, [box.sensor(number) for number in sensors]) for box in gateways]

    def say(self, gateway: FarmGateway, sequence: int, value: float) -> tuple[int, int]:
        """A gateway sends one reading of its first sensor, now, to the first server that answers.

        Returns:
            When it was sent and when it was answered, in nanoseconds of the machine's monotonic clock.

        Raises:
            BenchProblem: nobody takes it.
        """
        reading = Reading(sequence, gateway.sensor(0), "temperature", value, "Cel", time.time_ns() // 1_000_000)
        body = msgspec.json.encode(Batch(WIRE_VERSION, gateway.epoch, "readings", readings=[reading]))
        headers = {"Authorization": gateway.authorization, "Content-Type": "application/json"}
        deadline_s, told = time.monotonic() + READY_S, "no answer"
        while time.monotonic() < deadline_s:
            for server in self.servers:
                sent_ns = time.monotonic_ns()
                try:
                    answer = self.client.post(f"{server.url}/telemetry/readings", content=body, headers=headers)
                except httpx2.TransportError as error:
                    told = str(error)
                    continue
                if answer.status_code == 200:
                    return sent_ns, time.monotonic_ns()
                told = answer.text
            time.sleep(0.1)
        raise BenchProblem(f"nobody takes a reading: {told}")


@contextmanager
def running_site(
    folder: Path,
    *,
    gateways: int,
    sensors: int,
    engine: Engine,
    servers: int = 1,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Site]:
    """A platform with so many rooms, each with a gateway, whose first reading above the limit is an excursion."""
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        url = database_of(engine, folder, stack).url
        farm = asyncio.run(found_farm(url, gateways=gateways, sensors_per_gateway=sensors))
        rooms, login = asyncio.run(_prepare(url, farm))
        phones = stack.enter_context(FcmDouble())
        phones.write_service_account(folder / "fcm.json")
        environment = cloud.environment(url, folder, phones, **(settings or {}))
        started = []
        for number in range(servers):
            server = Server(f"api-{number}", ["serve"], folder, environment, port=free_port())
            stack.callback(server.kill)
            server.start()
            started.append(server)
        worker = None
        if not url.startswith("sqlite"):
            worker = Server("worker", ["worker"], folder, environment)
            stack.callback(worker.kill)
            worker.start()
        client = stack.enter_context(httpx2.Client(timeout=60))
        token = _sign_in(client, started[0], login, phones)
        yield Site(farm, url, started, worker, phones, rooms, token, client)


@dataclass(frozen=True)
class Kept:
    """Where a platform keeps everything."""

    url: str
    #: of the benchmark's own
    server: PrivatePostgres | None = None

    async def settle(self) -> None:
        """Let the database learn what it was filled with, and write it out: as one that has run for a while.

        Otherwise what is measured plans without knowing how much there is, and waits for the disk meanwhile. One that
        somebody named is left as it is.
        """
        if self.server is not None:
            await self.server.execute("VACUUM ANALYZE", database="coldfleet")
            await self.server.execute("CHECKPOINT", database="coldfleet")


def database_of(engine: Engine, folder: Path, stack: ExitStack) -> Kept:
    """A database of the benchmark's own, or the one named."""
    if engine == "sqlite":
        url = f"sqlite+aiosqlite:///{folder / 'cloud.db'}"
        upgrade(url)
        return Kept(url)
    if engine == "postgres":
        own = stack.enter_context(farm_database())
        return Kept(own.url, own.server)
    return Kept(engine)


async def _prepare(url: str, farm: Farm) -> tuple[dict[int, uuid.UUID], str]:
    """Let limits be broken at once, and the administrator sign in: where the rooms are, and their login."""
    password_hash = await new_password(PASSWORD)
    async with opened(url, farm) as db:
        await db.execute(update(AlertRule).values(duration_s=0))
        await db.execute(update(User).values(password_hash=password_hash))
        login = (await db.scalars(select(User.username))).one()
        places = dict((await db.execute(select(Sensor.gateway_id, Sensor.location_id))).tuples().all())
    return {box.number: places[uuid.UUID(box.id)] or uuid.UUID(int=0) for box in farm.gateways}, login


def _sign_in(client: httpx2.Client, server: Server, login: str, phones: FcmDouble) -> str:
    """As the farm's administrator, whose phone takes pushes from now on."""
    answer = client.post(f"{server.url}/auth/login", json={"login": login, "password": PASSWORD})
    answer.raise_for_status()
    token = str(answer.json()["data"]["access_token"])
    phone = {"platform": "fcm", "registration": phones.mint_phone().fid}
    headers = {"Authorization": f"Bearer {token}"}
    client.post(f"{server.url}/mobile/devices", json=phone, headers=headers).raise_for_status()
    return token


@asynccontextmanager
async def opened(url: str, farm: Farm) -> AsyncIterator[AsyncSession]:
    """A unit of work of the farm's organisation."""
    database = Database(url)
    try:
        async with database.unit_of_work(farm.organization) as db:
            yield db
    finally:
        await database.close()


async def lost_rows(url: str, farm: Farm, ledger: Mapping[str, int]) -> int:
    """How many rows of the ledger, epoch -> acknowledged through, are not in the database."""
    missing = 0
    async with opened(url, farm) as db:
        for box in farm.gateways:
            acked = ledger.get(box.epoch, 0)
            if not acked:
                continue
            number = await db.scalar(select(LaneCursor.number).where(LaneCursor.epoch == box.epoch))
            first = (number or 0) * SEQUENCES
            its = select(Sensor.id).where(Sensor.gateway_id == uuid.UUID(box.id))
            stored = await db.scalar(
                select(func.count())
                .select_from(SensorReading)
                .where(
                    SensorReading.sensor_id.in_(its),
                    SensorReading.sequence > first,
                    SensorReading.sequence <= first + acked,
                )
            )
            missing += acked - (stored or 0)
    return missing


async def excursions_of(url: str, farm: Farm) -> dict[str, int]:
    """Of each excursion's subject (`excursion:<id>`), the number of its gateway."""
    async with opened(url, farm) as db:
        rows = await db.execute(select(Excursion.id, Sensor.gateway_id).join(Sensor, Sensor.id == Excursion.sensor_id))
        numbers = {uuid.UUID(box.id): box.number for box in farm.gateways}
        return {f"excursion:{id}": numbers[gateway_id] for id, gateway_id in rows}
