"""How soon somebody knows, however many watch and however much comes: `coldfleet bench alerts`.

The platform's processes have one processor for themselves (PostgreSQL goes where it likes); gateways, screens, phones
and we share another. `push`: readings above a limit, each the first of its room, while others flow; how long until the
phone's push was handed to a double of FCM. `fanout`: 1,000 screens on one room; how long until the last has seen a
reading, beside two plain broadcasts without rights or database. `overload`: gateways offer ten times what the API
takes; its memory, what it refuses, and whether what it acknowledged is there. `crash`: three APIs and a worker under
load, one of each killed and started again; what was acknowledged and is lost, and what was told twice.

Times begin when a reading is sent, so that taking it in is part of them, and once more when it is answered, somewhat
behind its commit: a push may even come before the answer.
"""

import asyncio
import socket
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cloud_api.kernel import logs
from coldfleet.bench.alerts_site import Engine, Site, excursions_of, lost_rows, running_site
from coldfleet.bench.gateway import Figure, at_most
from coldfleet.bench.processes import BenchProblem, Measured, cores, free_port
from device_sims.own_process import Answer, OwnProcess

COOL_C, WARM_C = 4.0, 12.5
_SETTLE_S = 60.0


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    folder: Path
    engine: Engine
    #: excursions, each in a room of its own
    excursions: int
    #: that flow beside them, all gateways together
    readings_per_s: int
    screens: int
    rounds: int
    minutes: float


def push(wanted: Wanted) -> Iterator[Figure]:
    """From a reading above the limit to its push, one after the other, each in a room of its own."""
    flowing, warming_up = 4, 2
    boxes = wanted.excursions + flowing + warming_up
    with (
        running_site(wanted.folder / "push", gateways=boxes, sensors=1, engine=wanted.engine) as site,
        _senders() as load,
    ):
        rows = max(1, wanted.readings_per_s // flowing)
        flow, breaking = site.senders(site.farm.gateways[:flowing]), site.farm.gateways[flowing:]
        load.ask("start", servers=site.addresses, gateways=flow, rows=rows, every_s=1.0)
        began = load.ask("report")
        sent_ms, answered_ms = {}, {}
        for box in breaking:
            site.say(box, 1, COOL_C)
            offset_ms = time.time() * 1000 - time.monotonic_ns() / 1e6
            sent_ns, answered_ns = site.say(box, 2, WARM_C)
            sent_ms[box.number] = sent_ns / 1e6 + offset_ms
            answered_ms[box.number] = answered_ns / 1e6 + offset_ms
            time.sleep(0.1)
            if box in breaking[:warming_up]:
                _pushes(site, {box.number})
        pushed_ms = _pushes(site, set(sent_ms))
        ended = load.ask("report")
        flowed = (ended["acked_rows"] - began["acked_rows"]) / (ended["at_s"] - began["at_s"])
    yield Figure("push: readings that flowed meanwhile", "readings/s", [flowed])
    counted = [box.number for box in breaking[warming_up:]]
    yield from _spread("push: reading sent → handed over", [pushed_ms[n] - sent_ms[n] for n in counted], 1000, 3000)
    yield from _spread("push: reading answered → handed over", [pushed_ms[n] - answered_ms[n] for n in counted])


def _pushes(site: Site, numbers: set[int]) -> dict[int, int]:
    """When the push of each gateway's excursion was handed over, in ms since 1970.

    Raises:
        BenchProblem: one never was.
    """
    deadline_s, pushed = time.monotonic() + _SETTLE_S, dict[int, int]()
    while time.monotonic() < deadline_s:
        known = asyncio.run(excursions_of(site.database_url, site.farm))
        for delivery in reversed(site.phones.deliveries()):
            number = known.get(_subject(delivery.message))
            if number is not None:
                pushed[number] = delivery.received_at_ms
        if numbers <= set(pushed):
            return pushed
        time.sleep(0.5)
    raise BenchProblem(f"{len(numbers - set(pushed))} of {len(numbers)} excursions were pushed to nobody")


def _subject(message: Mapping[str, object]) -> str:
    data = message.get("data")
    return str(data.get("subject", "")) if isinstance(data, dict) else ""


def fanout(wanted: Wanted) -> Iterator[Figure]:
    """From a reading to the last of so many screens, and the same of a broadcast that reads nothing."""
    name = f"{wanted.screens:,} screens"
    with (
        running_site(wanted.folder / "fanout", gateways=1, sensors=10, engine=wanted.engine) as site,
        _screens() as seen,
    ):
        [box] = site.farm.gateways
        server = site.servers[0].running
        idle_mb = server.memory_mb()[0]
        path, (host, port) = f"/ws/telemetry/{site.rooms[box.number]}", site.addresses[0]
        opened = _connect(seen, host, port, path, site.token, wanted.screens)
        site.say(box, 1, -1.0)  # what is done for the first time takes longer
        time.sleep(2.0)
        held_mb, cpu_s = server.memory_mb()[0], server.cpu_s()
        sent_ns, answered_ns = {}, {}
        for turn in range(wanted.rounds):
            sent_ns[turn], answered_ns[turn] = site.say(box, turn + 2, turn / 100)
            time.sleep(0.2)
        spent_s = server.cpu_s() - cpu_s
        last_ns = _last_seen(seen, wanted, {turn / 100: turn for turn in sent_ns})
    yield from _spread(f"{name}: reading sent → last screen", _apart_ms(sent_ns, last_ns))
    yield from _spread(f"{name}: reading answered → last screen", _apart_ms(answered_ns, last_ns), 50)
    yield Figure(
        f"{name}: the server's processor, taking in and showing", "ms/reading", [spent_s / wanted.rounds * 1e3]
    )
    yield Figure(f"{name}: memory of the server, each", "kB", [(held_mb - idle_mb) * 1024 / wanted.screens])
    yield Figure(f"{name}: opened", "a second", [wanted.screens / opened["seconds"]])
    for how in ("library", "fastapi"):
        yield from _plain(wanted, how, name)


def _connect(seen: OwnProcess, host: str, port: int, path: str, token: str, count: int) -> Answer:
    return seen.ask("connect", host=host, port=port, path=path, token=token, count=count, timeout_s=300)


def _last_seen(seen: OwnProcess, wanted: Wanted, turns: Mapping[float, int]) -> dict[int, int]:
    """When the last screen had seen each turn, by its value; whatever else was seen does not count.

    Raises:
        BenchProblem: some screen has missed one.
    """
    deadline_s, heard, last_ns = time.monotonic() + _SETTLE_S, Counter[int](), dict[int, int]()
    while time.monotonic() < deadline_s:
        told = seen.ask("report")
        for value, (sockets, _first_ns, at_ns) in told["seen"].items():
            turn = turns.get(float(value), -1)
            heard[turn] += sockets
            last_ns[turn] = at_ns
        if all(heard[turn] >= wanted.screens for turn in turns.values()):
            return last_ns
        time.sleep(0.2)
    late = sum(heard[turn] < wanted.screens for turn in turns.values())
    raise BenchProblem(
        f"{late} of {len(turns)} readings were not seen by all {wanted.screens} screens: {told['ended']}"
    )


def _plain(wanted: Wanted, how: str, name: str) -> Iterator[Figure]:
    """The same number of screens on a server that only broadcasts."""
    port, folder = free_port(), wanted.folder / f"plain-{how}"
    folder.mkdir()
    command = [sys.executable, "-m", "coldfleet.bench.peers.plain_broadcast", str(port), str(folder / "ready"), how]
    with Measured(command, core=cores()[0], log=folder / "log") as server, _screens() as seen:
        server.wait_for(folder / "ready", "ready")
        _connect(seen, "127.0.0.1", port, "/", "nobody", wanted.screens)
        sent_ns, cpu_s = {}, server.cpu_s()
        with socket.create_connection(("127.0.0.1", port + 1)) as feed:
            for turn in range(wanted.rounds):
                sent_ns[turn] = time.monotonic_ns()
                item = f'{{"id":"{turn:036}","code":"z2m:room-0-0","value":{turn / 100},"quality":"good"}}'
                feed.sendall(f'{{"type":"change","items":[{item}],"gone":[]}}\n'.encode())
                time.sleep(0.2)
            spent_s = server.cpu_s() - cpu_s
            last_ns = _last_seen(seen, wanted, {turn / 100: turn for turn in sent_ns})
    yield from _spread(f"{name}, plain {how}: sent → last screen", _apart_ms(sent_ns, last_ns))
    yield Figure(f"{name}, plain {how}: its processor", "ms/message", [spent_s / wanted.rounds * 1e3])


def overload(wanted: Wanted) -> Iterator[Figure]:
    """Gateways that offer ten times what is taken, and are not patient when they are refused.

    The room for what waits is an eighth of what it is by default, so that 200 gateways are enough to fill it.
    """
    rows, boxes, room = 2_000, 200, {"ingest_waiting_bytes": "8000000"}
    site_of = running_site(wanted.folder / "overload", gateways=boxes, sensors=4, engine=wanted.engine, settings=room)
    with site_of as site:
        with _senders() as load:
            capacity = _capacity(site, load, rows)
            gateways = [replace(box, epoch=uuid.uuid4().hex) for box in site.farm.gateways]
            every_s = boxes * rows / (10 * capacity)
            sending = site.senders(gateways)
            load.ask("start", servers=site.addresses, gateways=sending, rows=rows, every_s=every_s, again_s=0.25)
            began, memory_mb = time.monotonic(), []
            while time.monotonic() - began < wanted.minutes * 60:
                time.sleep(1.0)
                memory_mb.append(site.servers[0].running.memory_mb()[0])
            seconds = time.monotonic() - began
            told = load.ask("stop", timeout_s=300)
        lost = asyncio.run(lost_rows(site.database_url, replace(site.farm, gateways=gateways), told["ledger"]))
    answers = Counter[str](told["statuses"])
    half = len(memory_mb) // 2
    yield Figure("overload: taken without it", "readings/s", [capacity])
    yield Figure("overload: offered", "times as much", [told["offered"] * rows / seconds / capacity])
    yield Figure("overload: taken", "readings/s", [told["acked_rows"] / seconds])
    yield Figure(
        "overload: refused for now", "% of answers", [100 * (answers["429"] + answers["503"]) / max(1, answers.total())]
    )
    yield Figure("overload: without an answer", "requests", [answers["no answer"]])
    yield Figure("overload: memory, the most", "MB", [max(memory_mb)])
    grown_mb = max(memory_mb[half:]) - max(memory_mb[:half])
    yield at_most("overload: memory that the second half added", "MB", [grown_mb], 10)
    yield at_most("overload: acknowledged and lost", "readings", [lost], 0)


def _capacity(site: Site, load: OwnProcess, rows: int) -> float:
    """Readings a second that are taken when eight gateways send one batch after the other."""
    load.ask("start", servers=site.addresses, gateways=site.senders(site.farm.gateways[:8]), rows=rows)
    time.sleep(2.0)
    began = load.ask("report")
    time.sleep(5.0)
    ended = load.ask("report")
    load.ask("stop", timeout_s=120)
    taken: float = (ended["acked_rows"] - began["acked_rows"]) / (ended["at_s"] - began["at_s"])
    if not taken:
        raise BenchProblem(f"nothing is taken: {ended['statuses']}")
    return taken


def crash(wanted: Wanted) -> Iterator[Figure]:
    """Three APIs and a worker; one API and then the worker end as by a power cut, and are started again."""
    engine = "postgres" if wanted.engine == "sqlite" else wanted.engine
    loading, alarms = 12, 60
    site_of = running_site(wanted.folder / "crash", gateways=loading + alarms, sensors=4, engine=engine, servers=3)
    with site_of as site, _senders() as load:
        assert site.worker is not None  # noqa: S101 - on PostgreSQL there is one
        gateways, breaking = site.farm.gateways[:loading], site.farm.gateways[loading:]
        load.ask("start", servers=site.addresses, gateways=site.senders(gateways), rows=200, every_s=0.2)
        events = {
            alarms // 4: site.servers[0].kill,
            alarms // 2: site.servers[0].start,
            alarms * 5 // 8: site.worker.kill,
            alarms * 6 // 8: site.worker.start,
        }
        for turn, box in enumerate(breaking):
            events.get(turn, lambda: None)()
            site.say(box, 1, COOL_C)
            site.say(box, 2, WARM_C)
        told = load.ask("stop", timeout_s=120)
        _pushes(site, {box.number for box in breaking})
        known = asyncio.run(excursions_of(site.database_url, site.farm))
        messages = [delivery.message for delivery in site.phones.deliveries()]
        lost = asyncio.run(lost_rows(site.database_url, site.farm, told["ledger"] | {box.epoch: 2 for box in breaking}))
    alarmed = Counter(known[_subject(message)] for message in messages if _subject(message) in known)
    excursions = Counter(known.values())
    yield Figure("crash: acknowledged", "readings", [told["acked_rows"]])
    yield Figure("crash: requests without an answer", "requests", [told["statuses"].get("no answer", 0)])
    yield at_most("crash: acknowledged and lost", "readings", [lost], 0)
    yield at_most("crash: excursions beyond one a breach", "excursions", [sum(excursions.values()) - alarms], 0)
    yield at_most("crash: pushes beyond one a breach", "pushes", [sum(alarmed.values()) - len(alarmed)], 0)


PARTS: Mapping[str, Callable[[Wanted], Iterator[Figure]]] = {
    "push": push,
    "fanout": fanout,
    "overload": overload,
    "crash": crash,
}


def measure(wanted: Wanted, parts: Sequence[str]) -> Iterator[Figure]:
    """The figures of the parts named, as they come."""
    logs.configure(level="warning", for_people=True)
    for part in parts:
        yield from PARTS[part](wanted)


def _senders() -> OwnProcess:
    return OwnProcess("device_sims.senders", cores={cores()[1]})


def _screens() -> OwnProcess:
    return OwnProcess("device_sims.watchers", cores={cores()[1]})


def _apart_ms(begins_ns: Mapping[int, int], ends_ns: Mapping[int, int]) -> list[float]:
    return [(ends_ns[turn] - begins_ns[turn]) / 1e6 for turn in begins_ns]


def _spread(
    name: str, took_ms: Sequence[float], p95_ms: float | None = None, p99_ms: float | None = None
) -> Iterator[Figure]:
    """p50, p95 and p99, the latter two beside a goal where there is one."""
    for share, goal_ms in ((50, None), (95, p95_ms), (99, p99_ms)):
        figure, unit, value = (
            f"{name} p{share}",
            "ms",
            sorted(took_ms)[min(len(took_ms) - 1, len(took_ms) * share // 100)],
        )
        yield Figure(figure, unit, [value]) if goal_ms is None else at_most(figure, unit, [value], goal_ms)
