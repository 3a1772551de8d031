"""What the cloud takes in, and what that costs: `coldfleet bench ingest`.

A real `coldfleet cloud serve` on a PostgreSQL of its own, both on one processor; the clients that feed it run on
another. 32 gateways of one organisation, each with 50 sensors that have a place and a limit, send batches of 1,000
readings as gateways send them: columns, gzip, one batch after the other; every fiftieth is sent twice. Counted is what
the product does for a reading: authenticated, decoded, checked, told from duplicates, stored, added to its hour and
day, judged, committed, answered.

The figure is readings a second of processor time, of the application and the database together: what a neighbour on the
machine takes away does not count.
"""

import asyncio
import json
import os
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from coldfleet.bench import cloud, ingest_peers
from coldfleet.bench.cloud_farm import Farm, FarmDatabase, body, columns, farm_database, found_farm, stored
from coldfleet.bench.gateway import Figure, at_least, at_most
from coldfleet.bench.processes import BenchProblem, Measured, cores, median
from device_sims.own_process import Answer, OwnProcess
from device_sims.posting import frame, http_request

GATEWAYS = 32
SENSORS = 50
ROWS = 1_000
_PATH = "/api/v1/telemetry/readings"
#: every so many batches one is sent twice
_AGAIN = 50
_RAW, _PLAIN, _INFLUX, _VICTORIA = "raw COPY, nothing else", "plain service", "InfluxDB 1.6.7", "VictoriaMetrics 1.79.5"
_OURS = "the whole product"
_UNIT = "readings/CPU-s"


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    folder: Path
    repeat: int
    #: batches of each gateway and run
    batches: int
    #: None: without InfluxDB and VictoriaMetrics
    peers: Path | None


@dataclass
class Bench:
    """What all runs share."""

    wanted: Wanted
    database: FarmDatabase
    farm: Farm
    posting: OwnProcess
    #: of the next batch of each gateway
    next_batch: int = 0

    def write(self, writing: ingest_peers.Writing) -> tuple[list[str], int]:
        """The next batches of every client as files, and how many readings they hold."""
        first, self.next_batch = self.next_batch, self.next_batch + self.wanted.batches
        files = []
        for client in range(GATEWAYS):
            numbers = range(first, self.next_batch)
            requests = [writing(self.farm, client, batch, ROWS, self.began_ms) for batch in numbers]
            for at in range(client % _AGAIN, len(requests), _AGAIN):
                requests[at:at] = [requests[at]]
            path = self.wanted.folder / f"client-{client}"
            path.write_bytes(frame(requests))
            files.append(str(path))
        return files, GATEWAYS * self.wanted.batches * ROWS

    @property
    def began_ms(self) -> int:
        """The moment of the first reading: some days ago."""
        return (int(time.time()) - 5 * 86_400) // 86_400 * 86_400_000

    def run(self, server: Callable[[], float], port: int, writing: ingest_peers.Writing) -> tuple[float, Answer]:
        """Send the next batches; readings a second of processor time, and what was answered."""
        files, readings = self.write(writing)
        self.posting.ask("load", files=files)
        before_s = server()
        told = self.posting.ask("go", host="127.0.0.1", port=port, timeout_s=600)
        spent_s = server() - before_s
        if set(told["statuses"]) - {"200", "204", "429"}:
            raise BenchProblem(f"not all was taken: {told['statuses']}")
        return readings / spent_s, told


def measure(wanted: Wanted) -> Iterator[Figure]:
    """The figures, as they come: the peers first, so that ours can be told as multiples of them."""
    wanted.folder.mkdir(parents=True, exist_ok=True)
    with farm_database() as database, OwnProcess("device_sims.posting", cores={cores()[1]}) as posting:
        _pin(database.server.pid)
        farm = asyncio.run(found_farm(database.url, gateways=GATEWAYS, sensors_per_gateway=SENSORS))
        bench = Bench(wanted, database, farm, posting)
        peers: dict[str, Figure] = {}
        for figure in _peers(bench):
            peers[figure.name] = figure
            yield figure
        yield from _ours(bench, peers)


def _pin(pid: int) -> None:
    """The server and what it starts, on the processor that is measured."""
    os.sched_setaffinity(pid, {cores()[0]})


def _peers(bench: Bench) -> Iterator[Figure]:
    wanted, folder = bench.wanted, bench.wanted.folder
    batches = GATEWAYS * wanted.batches
    runs = range(wanted.repeat)
    yield Figure(_RAW, _UNIT, [ingest_peers.raw_copy(bench.database, folder, batches=batches, rows=ROWS) for _ in runs])
    with ingest_peers.plain_service(bench.database, folder) as (service, port):
        postmaster = bench.database.server.pid

        def plain_cpu_s() -> float:
            return service.cpu_s() + ingest_peers.server_cpu_s(postmaster)

        yield Figure(_PLAIN, _UNIT, [bench.run(plain_cpu_s, port, ingest_peers.plain_request)[0] for _ in runs])
    if wanted.peers is None:
        return
    wanted.peers.mkdir(parents=True, exist_ok=True)
    for name, start, path in (
        (_INFLUX, ingest_peers.influxdb, "/write?db=bench&precision=ms"),
        (_VICTORIA, ingest_peers.victoria_metrics, "/write?precision=ms"),
    ):
        with start(wanted.peers, folder) as (server, port):
            writing = ingest_peers.line_request(path)
            yield Figure(name, _UNIT, [bench.run(server.cpu_s, port, writing)[0] for _ in runs])


def _ours(bench: Bench, peers: Mapping[str, Figure]) -> Iterator[Figure]:
    rates, walls, p95s, shares, writing = [], [], [], [], _request
    with _serving(bench) as (api, port):
        postmaster = bench.database.server.pid

        def cpu_s() -> float:
            return api.cpu_s() + ingest_peers.server_cpu_s(postmaster)

        bench.run(cpu_s, port, writing)  # once around: statements are prepared, caches filled
        accepted = await_stored(bench)
        for _ in range(bench.wanted.repeat):
            before_s = api.cpu_s()
            rate, told = bench.run(cpu_s, port, writing)
            rates.append(rate)
            shares.append((api.cpu_s() - before_s) / (bench.wanted.batches * GATEWAYS * ROWS / rate) * 100)
            walls.append(told["counted"]["accepted"] / told["seconds"])
            p95s.append(told["p95_ms"])
        accepted = await_stored(bench) - accepted
        sent = bench.wanted.repeat * bench.wanted.batches * GATEWAYS * ROWS
        if accepted != sent:
            raise BenchProblem(f"{sent} readings were sent and {accepted} are stored")
        memory_mb = api.memory_mb()[1]
    ours = Figure(_OURS, _UNIT, rates, ratios={name: median(rates) / peer.median for name, peer in peers.items()})
    yield ours
    yield Figure(f"{_OURS}: by the clock", "readings/s", walls)
    yield Figure(f"{_OURS}: a batch's answer, p95, 32 at once", "ms", p95s)
    yield Figure(f"{_OURS}: the application's share", "% of the processor time", shares)
    yield Figure(f"{_OURS}: the application's memory, the most", "MB", [memory_mb])
    yield at_least(f"{_OURS}, of raw COPY", "%", [rate / peers[_RAW].median * 100 for rate in rates], 60)
    yield at_least(f"{_OURS}, of the plain service", "times", [rate / peers[_PLAIN].median for rate in rates], 8)
    if _INFLUX in peers:
        yield at_least(f"{_OURS}, of InfluxDB", "times", [rate / peers[_INFLUX].median for rate in rates], 1.0)
    yield at_most("on disk, a reading with its index", "bytes", [asyncio.run(_bytes_a_reading(bench))], 103)


def await_stored(bench: Bench) -> int:
    """How many readings the farm has stored."""
    return asyncio.run(stored(bench.database.url, bench.farm.organization))


@contextmanager
def _serving(bench: Bench) -> Iterator[tuple[Measured, int]]:
    folder = bench.wanted.folder
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    environment = cloud.environment(bench.database.url, folder)
    command = [sys.executable, "-m", "coldfleet", "cloud", "serve", "--port", "0", "--ready-file", str(ready)]
    with Measured(command, core=cores()[0], log=folder / "cloud.log", environment=environment) as api:
        api.wait_for(ready, "url")
        yield api, urllib.parse.urlsplit(json.loads(ready.read_text())["url"]).port or 0


def _request(farm: Farm, client: int, batch: int, rows: int, began_ms: int) -> bytes:
    gateway = farm.gateways[client]
    return http_request(
        _PATH,
        body(gateway, columns(farm, gateway, batch=batch, rows=rows, began_ms=began_ms)),
        Authorization=gateway.authorization,
        Content_Encoding="gzip",
        Content_Type="application/json",
    )


async def _bytes_a_reading(bench: Bench) -> float:
    connection = await asyncpg.connect(bench.database.server.url("coldfleet"))
    try:
        size, rows = await connection.fetchrow(
            "SELECT sum(pg_total_relation_size(relid)), (SELECT count(*) FROM readings)"
            " FROM pg_partition_tree('readings')"
        )
    finally:
        await connection.close()
    return float(size) / float(rows)
