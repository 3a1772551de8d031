"""Three days of commands that a phone kept while it had no signal, for `coldfleet bench delivery --only sync`.

Three routes of sixty stops: each is started, at each stop the driver arrives and proves the delivery with a photo, and
is completed; every five seconds of nine hours a day the phone notes where it is. The photos have arrived before: what
is timed is the log, from the first request to the last answer, in parts as the reference client sends them.
"""

import asyncio
import hashlib
import random
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2

from coldfleet.bench.alerts_site import Engine
from coldfleet.bench.delivery_site import Drive, Site, running_day
from coldfleet.bench.gateway import Figure, at_most
from coldfleet.bench.processes import BenchProblem
from device_sims.phone.logbook import Entry, Logbook, Photo
from device_sims.phone.road import photograph

ROUTES, STOPS = 3, 60
_DRIVES = timedelta(hours=9)
_EVERY_S = 5
_BATCH = 500
_PART = 200
GOAL_S = 5.0


def measure(folder: Path, engine: Engine) -> Iterator[Figure]:
    """How long the platform takes for the whole log, and for the same log once more."""
    with running_day(folder, drivers=1, stops=STOPS, dispatchers=1, engine=engine, routes=ROUTES) as site:
        book = Logbook(":memory:", durable=False)
        _fill(book, site.day.drives)
        first_s, again_s, busy_s = asyncio.run(_replay(site, book))
        entries = book.entries()
    positions = ROUTES * int(_DRIVES.total_seconds()) // _EVERY_S
    name = f"sync: 72 h offline, {len(entries):,} commands with {positions:,} positions"
    yield at_most(name, "s", [first_s], GOAL_S)
    yield Figure(f"{name}, the processor of API and worker until the last answer", "s", [busy_s])
    yield Figure(f"{name}, all of it once more", "s", [again_s])


def _fill(book: Logbook, drives: Sequence[Drive]) -> None:
    """Seal what a driver did in three days, the last of which is today."""
    dice = random.Random(72)  # noqa: S311 - a simulator's
    began = datetime.now(UTC) - timedelta(hours=72)
    before: int | None = None
    for day, drive in enumerate(drives):
        leaves = began + timedelta(days=day)
        route = str(drive.route_id)
        start = _tell(book, "start_route", route, leaves, {}, [before] if before else [])
        lasts = [start]
        for place, delivery_id in enumerate(drive.delivery_ids):
            stands = leaves + _DRIVES * (place + 1) / (STOPS + 1)
            _positions(book, route, leaves, place)
            stop = str(delivery_id)
            arrived = _tell(book, "arrive", stop, stands, {}, [start])
            content = photograph(dice)
            photo = Photo(hashlib.sha256(content).hexdigest(), stop, "photo", content)
            proof = {
                "photo_sha256": photo.sha256,
                "recipient_name": "At the door",
                "cargo_temperature_c": 3.5,
                "latitude": 12.93,
                "longitude": 77.61,
                "delivered_at": (stands + timedelta(minutes=4)).isoformat(),
            }
            lasts.append(_tell(book, "deliver", stop, stands + timedelta(minutes=4), proof, [arrived], photo=photo))
        before = _tell(book, "complete_route", route, leaves + _DRIVES, {}, lasts)


def _tell(
    book: Logbook,
    kind: str,
    target: str,
    at: datetime,
    payload: dict[str, object],
    after: Sequence[int],
    *,
    photo: Photo | None = None,
) -> int:
    told = at.isoformat()
    return book.append(kind, id=str(uuid.uuid4()), target=target, at=told, payload=payload, after=after, photo=photo)


def _positions(book: Logbook, route: str, leaves: datetime, place: int) -> None:
    """What was noted on the way to a stop."""
    count = int(_DRIVES.total_seconds()) // _EVERY_S
    first, last = count * place // STOPS, count * (place + 1) // STOPS
    for begin in range(first, last, _BATCH):
        noted = [
            {
                "recorded_at": (leaves + timedelta(seconds=_EVERY_S * number)).isoformat(),
                "latitude": 12.93 + number / 1e6,
                "longitude": 77.61,
                "speed_kmh": 25.0,
            }
            for number in range(begin, min(last, begin + _BATCH))
        ]
        _tell(book, "position_batch", route, leaves, {"positions": noted}, [])


async def _replay(site: Site, book: Logbook) -> tuple[float, float, float]:
    """Seconds that the log takes, and that it takes again; and of the processor, the first time.

    Raises:
        BenchProblem: a command was not taken.
    """
    driver = site.day.drives[0].driver
    headers = {"Authorization": driver.authorization}
    async with httpx2.AsyncClient(base_url=site.url, timeout=120, headers=headers) as client:
        device_id = f"bench-{uuid.uuid4().hex[:8]}"
        proof = book.key.possession(device_id, str(driver.id))
        body = {"device_id": device_id, "public_key": book.key.public_key, "proof": proof}
        registered = await client.post("/mobile/keys", json=body)
        registered.raise_for_status()
        key_id = registered.json()["data"]["id"]
        for photo in book.photos_to_send():
            sent = {"Content-Type": "image/png", "X-Content-SHA256": photo.sha256}
            (await client.post("/mobile/sync/photos", content=photo.content, headers=sent)).raise_for_status()
        entries = book.entries()
        idle_s = _busy_s(site)
        first_s = await _send(client, key_id, entries, {"applied"})
        busy_s = _busy_s(site) - idle_s
        return first_s, await _send(client, key_id, entries, {"applied", "duplicate"}), busy_s


def _busy_s(site: Site) -> float:
    """What the platform's processes have used of the processor."""
    return sum(process.running.cpu_s() for process in (site.server, site.worker) if process is not None)


async def _send(client: httpx2.AsyncClient, key_id: str, entries: Sequence[Entry], fine: set[str]) -> float:
    began_s = time.monotonic()
    for begin in range(0, len(entries), _PART):
        sealed = [entry.sealed() for entry in entries[begin : begin + _PART]]
        body = {"key_id": key_id, "sent_at": datetime.now(UTC).isoformat(), "entries": sealed}
        answer = await client.post("/mobile/sync", json=body)
        answer.raise_for_status()
        wrong = [one for one in answer.json()["data"]["results"] if one["result"] not in fine]
        if wrong:
            raise BenchProblem(f"{len(wrong)} commands were not taken; the first: {wrong[0]}")
    return time.monotonic() - began_s
