"""Gaps to the best known costs of public instances, beside the peers, all in one run.

Every search is a process of its own: ours is `coldfleet plan`, started as anybody starts it. It is pinned to as many
processors as its class of instances may use. What comes back is a list of stops for each route; whether it keeps every
rule, and what it costs, is computed here, alike for all of them.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from coldfleet.bench import routes_rules
from coldfleet.bench.gateway import Figure, at_most
from coldfleet.bench.processes import BenchProblem
from route_optimizer.formats.instance import Instance
from route_optimizer.formats.read import read
from route_optimizer.schedule import order_of, route

SAMPLE = Path(__file__).parent / "instances"
OURS = "coldfleet"
PEERS = ("pyvrp", "vroom", "ortools")
ENGINES = (OURS, *PEERS)

#: how often memory is looked at
_LOOK_S = 0.25
#: what a process may take beyond its time to start, read, write and end
_GRACE_S = 180.0


@dataclass(frozen=True)
class Class:
    """Instances that are measured alike."""

    name: str
    #: seconds of search
    budgets_s: tuple[float, ...]
    #: percent above the best known: the mean of the class, for each budget
    goals_pct: tuple[float, ...]
    belongs: Callable[[str], bool]
    #: percent, for the worst instance; None says nothing of it
    worst_pct: float | None = None
    cores: int = 1
    #: what is left to others, for want of memory or time
    peers: tuple[str, ...] = PEERS
    most_mb: float | None = None


CLASSES = (
    Class("Homberger-200", (30,), (0.5,), lambda name: "_2_" in name, worst_pct=1.2),
    Class("Homberger-1000", (60,), (2.0,), lambda name: "_10_" in name),
    Class("X-n1001", (60,), (1.3,), lambda name: name.startswith("X-n1001")),
    Class("Ghent1", (32, 97), (5.0, 2.0), lambda name: name == "Ghent1", cores=2, peers=("pyvrp",), most_mb=500),
)


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    folder: Path
    #: instances, each with its .sol beside it
    instances: Path
    engines: Sequence[str]
    seeds: int
    #: in place of the classes' own; None keeps those
    budget_s: float | None = None
    #: with the folders in the folder
    deep: bool = False


@dataclass
class Run:
    """One search of one instance."""

    #: percent above the best known; None when the answer is no plan
    gap_pct: float | None
    elapsed_s: float
    #: of all its processes together, shared pages counted once
    peak_mb: float


@dataclass
class Told:
    """The runs of one engine on one class with one budget, by instance."""

    runs: dict[str, list[Run]] = field(default_factory=dict)

    def gaps(self) -> list[float]:
        """The median of each instance's seeds; an answer that is no plan counts as 100 %."""
        return [_middle([100.0 if run.gap_pct is None else run.gap_pct for run in runs]) for runs in self.runs.values()]


def measure(wanted: Wanted, parts: Sequence[str]) -> Iterator[Figure]:
    """Each part that is asked for.

    Raises:
        BenchProblem: when the folder has no instance.
    """
    for part in parts:
        yield from PARTS[part](wanted)


def _gaps(wanted: Wanted) -> Iterator[Figure]:
    """Each class of the folder that has instances; an instance of no class is measured with 30 s on one core."""
    found = wanted.instances.rglob("*") if wanted.deep else wanted.instances.iterdir()
    files = sorted(path for path in found if path.suffix in {".txt", ".vrp"})
    if not files:
        raise BenchProblem(f"{wanted.instances} has no .txt or .vrp: name a folder of instances")
    others = [path for path in files if not any(each.belongs(path.stem) for each in CLASSES)]
    for each in CLASSES:
        yield from _class(wanted, each, [path for path in files if each.belongs(path.stem)])
    yield from _class(wanted, Class("others", (30,), (2.0,), lambda _: True), others)


def _class(wanted: Wanted, of: Class, files: Sequence[Path]) -> Iterator[Figure]:
    if not files:
        return
    instances = {path: read(path) for path in files}
    for budget_s, goal_pct in zip(of.budgets_s, of.goals_pct, strict=True):
        seconds = wanted.budget_s or budget_s
        told = {engine: Told() for engine in wanted.engines if engine == OURS or engine in of.peers}
        for path, instance in instances.items():
            for engine, each in told.items():
                seeds = range(1, 1 + wanted.seeds)
                each.runs[path.stem] = [_run(wanted, of, path, instance, engine, seconds, seed) for seed in seeds]
        yield from _figures(of, seconds, goal_pct, told)


def _figures(of: Class, seconds: float, goal_pct: float, told: Mapping[str, Told]) -> Iterator[Figure]:
    for name in next(iter(told.values())).runs:
        for engine, each in told.items():
            gaps = [100.0 if run.gap_pct is None else run.gap_pct for run in each.runs[name]]
            yield Figure(f"{name}, {seconds:g} s: {engine}", "% above", gaps)
    for engine, each in told.items():
        gaps, title = each.gaps(), f"{of.name}, {seconds:g} s on {of.cores}: {engine}"
        mean = [sum(gaps) / len(gaps)]
        runs = [run for runs in each.runs.values() for run in runs]
        if engine != OURS:
            yield Figure(f"{title}, mean", "% above", mean)
            continue
        yield at_most(f"{title}, mean", "% above", mean, goal_pct)
        if of.worst_pct is not None:
            yield at_most(f"{title}, worst", "% above", [max(gaps)], of.worst_pct)
        yield Figure(f"{title}, from start to end", "s", [run.elapsed_s for run in runs])
        if of.most_mb is not None:
            yield at_most(f"{title}, memory", "MB", [run.peak_mb for run in runs], of.most_mb)


def _run(wanted: Wanted, of: Class, path: Path, instance: Instance, engine: str, seconds: float, seed: int) -> Run:
    output = wanted.folder / "answer.json"
    output.unlink(missing_ok=True)
    if engine == OURS:
        command = [str(Path(sys.executable).with_name("coldfleet")), "plan", str(path), "-o", str(output)]
        command += ["--time-limit", str(seconds), "--seed", str(seed), "--cores", str(of.cores)]
    else:
        module = f"coldfleet.bench.peers.plain_{engine}"
        command = [sys.executable, "-m", module, str(path), str(seconds), str(seed), str(output)]
    began = time.monotonic()
    peak_mb = _watch(command, of.cores, 2 * seconds + _GRACE_S, wanted.folder / "output.txt")
    elapsed_s = time.monotonic() - began
    return Run(_gap_pct(instance, output), elapsed_s, peak_mb)


def _watch(command: Sequence[str], cores: int, patience_s: float, log: Path) -> float:
    """Run it to its end. Returns the most memory that it and its children held at once, MB."""
    usable = sorted(os.sched_getaffinity(0))[-cores:]
    peak, until = 0, time.monotonic() + patience_s
    with log.open("wb") as output:
        process = psutil.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        process.cpu_affinity(usable)
        while process.poll() is None:
            peak = max(peak, _held(process))
            if time.monotonic() > until:
                for each in (*process.children(recursive=True), process):
                    each.kill()
            time.sleep(_LOOK_S)
    return peak / 2**20


def _held(process: psutil.Process) -> int:
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += each.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError):
            continue
    return total


def _gap_pct(instance: Instance, output: Path) -> float | None:
    """Of a plan that serves every stop and keeps every rule; None of anything else."""
    if not output.exists() or not instance.best_known:
        return None
    routes = json.loads(output.read_text(encoding="utf-8"))["routes"]
    problem, cost = instance.problem, 0
    served: list[str] = []
    if len(routes) > len(problem.vehicles):
        return None
    for vehicle, each in zip(problem.vehicles, routes, strict=False):
        names = tuple(str(number) for number in each["stops"])
        found = route(problem, vehicle, order_of(problem, names))
        if found is None:
            return None
        served += names
        cost += found.cost
    if sorted(served) != sorted(problem.stop_by_id):
        return None
    return 100 * (instance.in_file_units(cost) / instance.best_known - 1)


def _middle(samples: Sequence[float]) -> float:
    return sorted(samples)[len(samples) // 2]


def _rules(wanted: Wanted) -> Iterator[Figure]:
    routes_rules.pinned()
    files = sorted(path for path in wanted.instances.iterdir() if path.suffix == ".txt" and "_2_" in path.stem)
    yield from routes_rules.rules(files, seconds=wanted.budget_s or 30, seeds=wanted.seeds)
    yield from routes_rules.first(seeds=wanted.seeds)


def _late(wanted: Wanted) -> Iterator[Figure]:
    routes_rules.pinned()
    yield from routes_rules.late()


PARTS: Mapping[str, Callable[[Wanted], Iterator[Figure]]] = {"gaps": _gaps, "rules": _rules, "late": _late}
