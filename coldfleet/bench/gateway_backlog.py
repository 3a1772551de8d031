"""Days without a cloud: what a long backlog costs while it waits, and how fast it goes when the cloud is back."""

import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from coldfleet.bench.gateway_site import ALARM_TOPIC, PASSWORD, SENSORS, USER, VALUES, Site, running_site
from coldfleet.bench.processes import BenchProblem, Measured, cores, percentile
from device_sims.alarm_probe import AlarmProbe
from device_sims.own_process import Answer

#: what the backlog's own times say: three days, as long as 13 million rows take at 50 rows a second
_DAYS = 3
_LIVE_PER_S = 50.0
_ALARM_EVERY_S = 0.2
_LOOK_S = 0.5
#: the courier may wait up to a minute after a long outage, so that a fleet does not start at once
_START_S = 120.0
#: of the backlog, what is measured: the start and the end are not
_FROM, _TO = 0.05, 0.9
_SLOWEST_ROWS_PER_S = 5_000


@dataclass(frozen=True)
class Backlog:
    """What was seen."""

    rows: int
    memory_mb: float
    most_memory_mb: float
    disk_bytes_a_row: float
    restarted_memory_mb: float
    rows_per_s: float
    cpu_pct: float
    wire_bytes_a_row: float
    replay_memory_mb: float
    live_p99_ms: float
    alarm_p99_ms: float


def measure(folder: Path, *, rows: int) -> Backlog:
    """Fill, look, restart, look, replay.

    Raises:
        BenchProblem: the backlog did not go, or was not right.
    """
    with running_site(folder, max_mb=16_384) as site:
        site.cloud.ask("go")
        _fill(site, rows)
        memory_mb, most_mb = site.gateway.memory_mb()
        size = sum(path.stat().st_size for path in (folder / "data").glob("spool.sqlite3*"))
        _restart(site)
        restarted_mb = site.gateway.memory_mb()[0]
        try:
            replayed = _replay(site, rows)
        finally:
            site.gateway.kill()
        site.check()
        return Backlog(rows, memory_mb, most_mb, size / rows, restarted_mb, *replayed)


def _fill(site: Site, rows: int) -> None:
    messages = rows // VALUES // SENSORS * SENSORS
    interval_ms = max(1, _DAYS * 86_400_000 * SENSORS // messages)
    start_ms = time.time_ns() // 1_000_000 - messages // SENSORS * interval_ms
    site.send(limit=messages, world_start_ms=start_ms, world_interval_ms=interval_ms)
    while site.load.ask("mark")["acknowledged"] < messages:
        time.sleep(_LOOK_S)
    site.stop_sending()
    time.sleep(2.0)


def _restart(site: Site) -> None:
    """As after a power cut."""
    site.gateway.kill()
    ready = site.folder / "ready.json"
    ready.unlink()
    site.gateway = Measured(
        [sys.executable, "-m", "gateway", "--config", str(site.folder / "gateway.toml"), "--ready-file", str(ready)],
        core=cores()[0],
        log=site.folder / "gateway.log",
    )
    site.gateway.wait_for(ready, "mqtt_port")
    time.sleep(5.0)


def _replay(site: Site, rows: int) -> tuple[float, float, float, float, float, float]:
    """(rows/s, processor %, bytes a row on the wire, most memory, live p99, alarm p99)."""
    site.send(rate=_LIVE_PER_S)
    site.cloud.ask("come")
    first = _wait_for(site, _FROM * rows, _START_S + rows / _SLOWEST_ROWS_PER_S)
    cpu_s, ended = site.gateway.cpu_s(), threading.Event()
    probing = threading.Thread(target=_probe, args=(site, ended))
    probing.start()
    last = _wait_for(site, _TO * rows, rows / _SLOWEST_ROWS_PER_S)
    cpu_s = site.gateway.cpu_s() - cpu_s
    memory_mb = site.gateway.memory_mb()[1]
    ended.set()
    probing.join()
    seconds = last["at_s"] - first["at_s"]
    old_rows = last["lanes"]["backlog"]["rows"] - first["lanes"]["backlog"]["rows"]
    old_bytes = last["lanes"]["backlog"]["body_bytes"] - first["lanes"]["backlog"]["body_bytes"]
    alarms_ms = sorted(last["alarm_latencies_ms"])
    if not alarms_ms or not last["latencies_ms"]:
        raise BenchProblem("nothing live came while the backlog went")
    return (
        (last["rows"] - first["rows"]) / seconds,
        cpu_s / seconds * 100,
        old_bytes / old_rows,
        memory_mb,
        percentile(last["latencies_ms"], 0.99),
        alarms_ms[int(len(alarms_ms) * 0.99)],
    )


def _wait_for(site: Site, rows: float, within_s: float) -> Answer:
    """The cloud's report once it has so many rows of the backlog; latencies are those since the report before."""
    deadline_s = time.monotonic() + within_s
    latencies: dict[str, int] = {}
    alarms: list[int] = []
    while True:
        seen = site.cloud.ask("report")
        for latency, count in seen["latencies_ms"].items():
            latencies[latency] = latencies.get(latency, 0) + count
        alarms += seen["alarm_latencies_ms"]
        if seen["lanes"].get("backlog", {"rows": 0})["rows"] >= rows:
            return {**seen, "latencies_ms": latencies, "alarm_latencies_ms": alarms}
        if time.monotonic() > deadline_s:
            raise BenchProblem(f"{rows:.0f} rows did not come in {within_s:.0f} s:\n{site.gateway.tail()}")
        time.sleep(_LOOK_S)


def _probe(site: Site, ended: threading.Event) -> None:
    probe = AlarmProbe(site.port, USER, PASSWORD, topic=ALARM_TOPIC)
    try:
        while not ended.wait(_ALARM_EVERY_S):
            probe.change()
    finally:
        probe.close()
