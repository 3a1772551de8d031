"""How much a gateway takes, how little it costs, and how that compares: `coldfleet bench gateway`.

The gateway is a process like in the field (`python -m gateway`), alone on one processor; what feeds it and what it
feeds run on another one, so that nothing else is in its figures. 40 sensors, each a connection of its own with 20
messages in flight, say what a Zigbee2MQTT climate sensor says: 123 bytes of JSON, five values with a sensor's noise.
Each message is decoded, judged by a limit, committed with `synchronous=FULL`, and acknowledged then.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from rich.table import Table

from coldfleet.bench import gateway_backlog, gateway_peers
from coldfleet.bench.gateway_site import ALARM_TOPIC, PASSWORD, USER, VALUES, WARM_UP_S, Site, running_site
from coldfleet.bench.processes import median, percentile
from device_sims.alarm_probe import AlarmProbe

_ALARMS = 100
_BETWEEN_ALARMS_S = 0.05


@dataclass(frozen=True)
class Figure:
    """One line of the report."""

    name: str
    unit: str
    #: one a run
    samples: Sequence[float]
    #: in words; empty for a peer
    goal: str = ""
    #: whether the median reaches it; None: there is none
    reached: bool | None = None
    #: how many times the peer named has of it
    ratios: Mapping[str, float] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """The middle of the samples."""
        return median(self.samples)


def at_least(name: str, unit: str, samples: Sequence[float], goal: float) -> Figure:
    """A figure that should be high."""
    return Figure(name, unit, samples, f"≥ {goal:,g}", median(samples) >= goal)


def at_most(name: str, unit: str, samples: Sequence[float], goal: float) -> Figure:
    """A figure that should be low."""
    return Figure(name, unit, samples, f"≤ {goal:,g}", median(samples) <= goal)


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    folder: Path
    seconds: float
    repeat: int
    backlog_rows: int
    #: None: without peers
    peers: Path | None


def ingest(wanted: Wanted) -> Iterator[Figure]:
    """As fast as it goes, while the cloud is away."""
    rates, costs = [], []
    for run in range(wanted.repeat):
        with running_site(wanted.folder / f"ingest-{run}") as site:
            site.cloud.ask("go")
            site.send()
            time.sleep(WARM_UP_S)
            window = site.watch(wanted.seconds)
            rates.append(window.per_s)
            costs.append(window.cpu_us)
    yield at_least("durable ingest", "msg/s", rates, 30_000)
    yield at_most("durable ingest: processor", "µs/msg", costs, 15)


def forwarding(wanted: Wanted) -> Iterator[Figure]:
    """As fast as it goes, while the cloud takes everything."""
    through, taken, costs = [], [], []
    for run in range(wanted.repeat):
        with running_site(wanted.folder / f"forwarding-{run}") as site:
            site.send()
            time.sleep(3 * WARM_UP_S)
            window = site.watch(wanted.seconds)
            through.append(window.rows / VALUES / window.seconds)
            taken.append(window.per_s)
            costs.append(window.gateway_cpu_s / max(1, window.rows) * VALUES * 1e6)
            site.check()
    yield at_least("end to end, live", "msg/s", through, 15_000)
    yield Figure("end to end, live: acknowledged meanwhile", "msg/s", taken)
    yield Figure("end to end, live: processor", "µs/msg", costs)


def quiet(wanted: Wanted) -> Iterator[Figure]:
    """Ten messages a second, as in a small cold store."""
    seconds = max(20.0, wanted.seconds)
    cpu_pct, memory_mb, per_reading, per_message = [], [], [], []
    for run in range(min(2, wanted.repeat)):
        with running_site(wanted.folder / f"quiet-{run}") as site:
            site.send(rate=10.0)
            time.sleep(5.0)
            window = site.watch(seconds)
            cpu_pct.append(window.gateway_cpu_s / window.seconds * 100)
            per_message.append(window.written_bytes / max(1, window.messages))
            per_reading.append(per_message[-1] / VALUES)
            memory_mb.append(site.gateway.memory_mb()[0])
            site.check()
    yield at_most("10 msg/s: processor", "% of a core", cpu_pct, 1)
    yield at_most("10 msg/s: written to disk, a reading", "bytes", per_reading, 1000)
    yield Figure("10 msg/s: written to disk, a message of five", "bytes", per_message)
    yield Figure("10 msg/s: memory", "MB", memory_mb)


def latency(wanted: Wanted) -> Iterator[Figure]:
    """Fifty messages a second: how long a sensor waits for its PUBACK; and how long until the buzzer."""
    p50, p99, alarm_p50, alarm_p99 = [], [], [], []
    for run in range(wanted.repeat):
        with running_site(wanted.folder / f"latency-{run}") as site:
            site.send(rate=50.0)
            time.sleep(5.0)
            window = site.watch(max(10.0, wanted.seconds))
            p50.append(percentile(window.latencies_100us, 0.5) / 10)
            p99.append(percentile(window.latencies_100us, 0.99) / 10)
            alarms = sorted(probe_alarms(site))
            alarm_p50.append(alarms[len(alarms) // 2] * 1000)
            alarm_p99.append(alarms[int(len(alarms) * 0.99)] * 1000)
    yield Figure("50 msg/s: PUBACK p50", "ms", p50)
    yield Figure("50 msg/s: PUBACK p99", "ms", p99)
    yield Figure("local alarm p50", "ms", alarm_p50)
    yield at_most("local alarm p99", "ms", alarm_p99, 100)


def probe_alarms(site: Site) -> list[float]:
    """Seconds from a warm reading to the message on the alarm topic, each time."""
    probe = AlarmProbe(site.port, USER, PASSWORD, topic=ALARM_TOPIC)
    try:
        took_s = []
        for _ in range(_ALARMS):
            time.sleep(_BETWEEN_ALARMS_S)
            took_s.append(probe.change())
        return took_s
    finally:
        probe.close()


def backlog(wanted: Wanted) -> Iterator[Figure]:
    """Days without a cloud, and what happens when it is back."""
    seen = gateway_backlog.measure(wanted.folder / "backlog", rows=wanted.backlog_rows)
    rows = f"{seen.rows:,} rows wait"
    yield at_most(f"{rows}: memory", "MB", [seen.memory_mb], 45)
    yield Figure(f"{rows}: memory, the most", "MB", [seen.most_memory_mb])
    yield Figure(f"{rows}: on disk, a row", "bytes", [seen.disk_bytes_a_row])
    yield at_most(f"{rows}: memory after a restart", "MB", [seen.restarted_memory_mb], 45)
    yield at_least("replay", "rows/s", [seen.rows_per_s], 50_000)
    yield Figure("replay: the gateway's processor", "% of a core", [seen.cpu_pct])
    yield at_most("replay: on the wire, a row", "bytes", [seen.wire_bytes_a_row], 8)
    yield at_most("replay: memory, the most", "MB", [seen.replay_memory_mb], 60)
    yield at_most("replay: live readings meanwhile, p99", "ms", [seen.live_p99_ms], 2000)
    yield at_most("replay: alarms meanwhile, p99", "ms", [seen.alarm_p99_ms], 1000)


def peers(wanted: Wanted) -> Iterator[Figure]:
    """The others, on the same machine in the same hour."""
    for peer in gateway_peers.measure(wanted.folder, wanted.peers, seconds=wanted.seconds, repeat=wanted.repeat):
        yield Figure(peer.name, peer.unit, peer.samples)


PARTS: Mapping[str, Callable[[Wanted], Iterator[Figure]]] = {
    "ingest": ingest,
    "forwarding": forwarding,
    "quiet": quiet,
    "latency": latency,
    "backlog": backlog,
    "peers": peers,
}


def measure(wanted: Wanted, parts: Sequence[str]) -> Iterator[Figure]:
    """The figures of the parts named, as they come; peers last, with what we have of theirs."""
    wanted.folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        yield from PARTS[part](wanted)


def compared(figures: Sequence[Figure]) -> list[Figure]:
    """With ratios: our figure as a multiple of each peer's of the same kind."""
    theirs = {figure.name: figure for figure in figures if figure.name in gateway_peers.COMPARED}
    made = []
    for figure in figures:
        ratios = {
            name: figure.median / peer.median
            for name, peer in theirs.items()
            if gateway_peers.COMPARED[name] == figure.name and peer.median
        }
        made.append(replace(figure, ratios=ratios))
    return made


def table(figures: Sequence[Figure], machine: str) -> Table:
    """The report."""
    made = Table("", "median", "least to most", "unit", "goal", "", "times the peer", title=machine)
    marks = {True: "yes", False: "NO", None: ""}
    for figure in figures:
        ratios = ", ".join(f"{ratio:.1f} {name}" for name, ratio in figure.ratios.items())
        spread = f"{min(figure.samples):,.1f} - {max(figure.samples):,.1f}" if len(figure.samples) > 1 else ""
        made.add_row(
            figure.name, f"{figure.median:,.1f}", spread, figure.unit, figure.goal, marks[figure.reached], ratios
        )
    return made


def as_json(figures: Sequence[Figure], machine: str) -> dict[str, object]:
    """The report for machines."""
    return {"machine": machine, "figures": [{**asdict(figure), "median": figure.median} for figure in figures]}
