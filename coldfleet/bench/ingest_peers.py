"""Others that take in readings, beside `coldfleet bench ingest`: on the same processor, fed by the same clients.

- raw COPY: what PostgreSQL takes when nothing is asked of it (`peers/raw_copy.py`);
- a plain service: FastAPI, pydantic, SQLAlchemy, as most would write it (`peers/plain_ingest.py`);
- InfluxDB 1.6.7 and VictoriaMetrics 1.79.5 as Debian packages them, line protocol over HTTP. They are unpacked into a
  folder, not installed.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from coldfleet.bench.cloud_farm import Farm, FarmDatabase, columns
from coldfleet.bench.processes import BenchProblem, Measured, cores, free_port
from device_sims.posting import http_request

#: how a batch of a client is written for a peer: (farm, client, number of the batch, rows, first moment) -> request
Writing = Callable[[Farm, int, int, int, int], bytes]
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PACKAGES = {"influxdb": "usr/bin/influxd", "victoria-metrics": "usr/bin/victoria-metrics"}


def server_cpu_s(postmaster: int) -> float:
    """Processor time of a PostgreSQL so far: the server, its present processes, and those that have ended."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text(encoding="ascii", errors="replace").rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        fields = rest.split()
        is_server = int(name.split()[0]) == postmaster
        if is_server or int(fields[1]) == postmaster:
            ticks += int(fields[11]) + int(fields[12])
        if is_server:
            ticks += int(fields[13]) + int(fields[14])
    return ticks / _TICKS_PER_S


def raw_copy(database: FarmDatabase, folder: Path, *, batches: int, rows: int) -> float:
    """Readings a second of processor time, client and server."""
    script = Path(__file__).parent / "peers" / "raw_copy.py"
    dsn = database.server.url("postgres")
    command = [sys.executable, str(script), "--dsn", dsn, "--batches", str(batches), "--rows", str(rows)]
    server_before_s, own_before_s = server_cpu_s(database.server.pid), os.times()
    limited = ["taskset", "--cpu-list", str(cores()[0]), *command]
    done = subprocess.run(limited, capture_output=True, text=True, check=False, cwd=folder)  # noqa: S603 - ours
    if done.returncode:
        raise BenchProblem(f"raw COPY failed:\n{done.stderr[-2000:]}")
    own_s = os.times()
    client_s = own_s.children_user + own_s.children_system - own_before_s.children_user - own_before_s.children_system
    # Python's own start is no part of it
    start_s = _start_cpu_s()
    return batches * rows / (client_s - start_s + server_cpu_s(database.server.pid) - server_before_s)


def _start_cpu_s() -> float:
    """What it costs to start Python with the same imports."""
    before = os.times()
    subprocess.run([sys.executable, "-c", "import argparse, asyncio, asyncpg, numpy"], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


@contextmanager
def plain_service(database: FarmDatabase, folder: Path) -> Iterator[tuple[Measured, int]]:
    """The plain service on the same PostgreSQL, and its port."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "coldfleet.bench.peers.plain_ingest:app", "--port", str(port)]
    log = folder / "plain.log"
    url = database.server.url("postgres", scheme="postgresql+asyncpg")
    with Measured(
        [*command, "--no-access-log"], core=cores()[0], log=log, environment={"DATABASE_URL": url}
    ) as service:
        service.wait_for(log, "startup complete")
        yield service, port


def plain_request(farm: Farm, client: int, batch: int, rows: int, began_ms: int) -> bytes:
    """A batch of JSON objects."""
    readings = [
        {"sensor_id": sensor, "recorded_at": _iso(at_ms), "value": value, "unit": "Cel"}
        for sensor, at_ms, value in _rows(farm, client, batch, rows, began_ms)
    ]
    body = json.dumps({"readings": readings}).encode()
    return http_request("/readings", body, Content_Type="application/json")


def line_request(path: str) -> Writing:
    """A batch in InfluxDB's line protocol."""

    def write(farm: Farm, client: int, batch: int, rows: int, began_ms: int) -> bytes:
        lines = [
            f"readings,sensor={sensor} value={value} {at_ms}"
            for sensor, at_ms, value in _rows(farm, client, batch, rows, began_ms)
        ]
        return http_request(path, "\n".join(lines).encode(), Content_Type="text/plain")

    return write


@contextmanager
def influxdb(packages: Path, folder: Path) -> Iterator[tuple[Measured, int]]:
    """InfluxDB with a database `bench`, and its port."""
    port, rpc_port = free_port(), free_port()
    home = folder / "influxdb"
    home.mkdir(parents=True, exist_ok=True)
    config = home / "influxdb.conf"
    config.write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{rpc_port}"\n'
        f'[meta]\n  dir = "{home}/meta"\n[data]\n  dir = "{home}/data"\n  wal-dir = "{home}/wal"\n'
        f'  query-log-enabled = false\n[http]\n  bind-address = "127.0.0.1:{port}"\n  log-enabled = false\n'
        "[monitor]\n  store-enabled = false\n",
        encoding="utf-8",
    )
    command = [str(unpacked(packages, "influxdb")), "-config", str(config)]
    log = home / "log"
    with Measured(command, core=cores()[0], log=log) as server:
        server.wait_for(log, "Listening for signals")
        _create_database(port)
        yield server, port


@contextmanager
def victoria_metrics(packages: Path, folder: Path) -> Iterator[tuple[Measured, int]]:
    """VictoriaMetrics, and its port."""
    port = free_port()
    home = folder / "victoria"
    home.mkdir(parents=True, exist_ok=True)
    command = [str(unpacked(packages, "victoria-metrics")), f"-storageDataPath={home}/data"]
    command += [f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=10y"]
    log = home / "log"
    with Measured(command, core=cores()[0], log=log) as server:
        server.wait_for(log, "started VictoriaMetrics")
        yield server, port


def unpacked(packages: Path, name: str) -> Path:
    """The program of a Debian package, fetched and unpacked into `packages` when it is not there yet.

    Raises:
        BenchProblem: it cannot be had.
    """
    home = packages / name
    program = home / _PACKAGES[name]
    if not program.exists():
        home.mkdir(parents=True, exist_ok=True)
        for command in (["apt-get", "download", name], ["sh", "-c", f"dpkg-deb --extract {name}_*.deb {home}"]):
            done = subprocess.run(command, cwd=packages, capture_output=True, text=True, check=False)  # noqa: S603
            if done.returncode:
                raise BenchProblem(f"Debian's {name} cannot be had:\n{done.stderr[-2000:]}")
    return program


def _create_database(port: int) -> None:
    url = f"http://127.0.0.1:{port}/query"
    deadline_s = time.monotonic() + 10
    while True:
        try:
            httpx2.post(url, data={"q": "CREATE DATABASE bench"}).raise_for_status()
            return
        except httpx2.HTTPError as problem:
            if time.monotonic() > deadline_s:
                raise BenchProblem(f"{url} does not answer: {problem}") from None
            time.sleep(0.1)


def _rows(farm: Farm, client: int, batch: int, rows: int, began_ms: int) -> Iterator[tuple[str, int, float]]:
    """(sensor, time in milliseconds, value) of what a gateway's batch has."""
    sent = columns(farm, farm.gateways[client], batch=batch, rows=rows, began_ms=began_ms)
    at_ms = 0
    for which, delta_ms, value in zip(sent.rows, sent.times_ms, sent.values, strict=True):
        at_ms += delta_ms
        yield re.sub(r"[^\w-]", "_", sent.series[which][0]), at_ms, value


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
