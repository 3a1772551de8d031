"""How long a dispatcher waits for the board after a stop was dropped on another van: by HTTP, and in Chromium."""

import asyncio
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2

from coldfleet.bench.chromium import Browser, a_page
from coldfleet.bench.delivery_site import Day

_WARM = 3
#: nobody drags faster; meanwhile workers tell others of the last one
_BETWEEN_S = 1.0
_VIEW = (1600, 1000)
#: where a stop stands that can be dragged, and the middle of another van's lane beside it
_PLACES = """(() => {
  const seen = document.getElementById('timeline').getBoundingClientRect();
  const boxOf = (one) => one.getBoundingClientRect();
  const middle = (one) => boxOf(one).top + boxOf(one).height / 2;
  const inside = (lane) => middle(lane) > seen.top + 40 && middle(lane) < seen.bottom - 20;
  const lanes = [...document.querySelectorAll('.lane:not(.is-fixed)')].filter(inside);
  const at = (stop) => [boxOf(stop).left + 8, middle(stop)];
  const reachable = (stop) => boxOf(stop).left > seen.left + 230 && boxOf(stop).right < seen.right - 60
    && document.elementFromPoint(...at(stop))?.closest('.stop') === stop;
  const stopOf = (lane) => [...lane.querySelectorAll('.stop')].find(reachable);
  const from = lanes.find((lane) => lane.dataset.lane !== window.lastLane && stopOf(lane));
  const to = lanes.find((lane) => lane !== from && lane.dataset.lane !== window.lastLane);
  window.lastLane = to.dataset.lane;
  return [...at(stopOf(from)), boxOf(stopOf(from)).left + 40, middle(to)];
})()"""
#: milliseconds from the drop until the times that the platform has worked out are painted
_UNTIL_SHOWN = """new Promise((shown) => {
  let dropped;
  const saving = document.getElementById('saving');
  document.addEventListener('pointerup', () => { dropped = performance.now(); }, { capture: true, once: true });
  new MutationObserver((_, watching) => {
    if (dropped === undefined || saving.textContent !== '') return;
    watching.disconnect();
    document.querySelector('#breaks:not(.d-none) #put-back')?.click();
    requestAnimationFrame(() => setTimeout(() => shown(performance.now() - dropped)));
  }).observe(saving, { childList: true });
})"""


def board_of(day: Day) -> str:
    """Where a day's board is."""
    return f"/console/dispatch?warehouse_id={day.warehouse_id}&date={day.on}"


def by_http(client: httpx2.Client, day: Day, calls: int) -> Sequence[float]:
    """Milliseconds of each edit, sorted: a stop goes before another van's stop, and is kept; one a second."""
    board = client.get(board_of(day).replace("/dispatch?", "/dispatch/board.json?")).raise_for_status().json()
    versions = {route["id"]: route["version"] for route in board["made"]}
    routes, chance, took_ms = board["routes"], random.Random(1), []  # noqa: S311 - nothing is secret
    for call in range(_WARM + calls):
        one, other = chance.sample([route for route in routes if len(route["stops"]) > 1], 2)
        move = {
            "action": "assign",
            "order_id": chance.choice(one["stops"])["order_id"],
            "vehicle_id": other["vehicle_id"],
            "before": chance.choice(other["stops"])["order_id"],
        }
        body = {
            "warehouse_id": str(day.warehouse_id),
            "delivery_date": str(day.on),
            "route_versions": versions,
            "moves": [move],
            "force": True,
        }
        time.sleep(_BETWEEN_S)
        began_s = time.perf_counter()
        answer = client.post("/console/dispatch/edits", json=body).raise_for_status()
        if call >= _WARM:
            took_ms.append((time.perf_counter() - began_s) * 1000)
        told = answer.json()
        routes = [*(route for route in routes if route["vehicle_id"] not in told["vehicle_ids"]), *told["routes"]]
        versions = {route["route_id"]: route["version"] for route in routes}
    return sorted(took_ms)


def in_chromium(folder: Path, address: str, cookies: dict[str, str], day: Day, drags: int) -> Sequence[float] | None:
    """Milliseconds from each drop until its schedule is painted, sorted; None: there is no Chromium here."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        return None
    return asyncio.run(_dragged(program, folder, address, cookies, day, drags))


async def _dragged(
    program: str, folder: Path, address: str, cookies: dict[str, str], day: Day, drags: int
) -> Sequence[float]:
    took_ms = []
    async with a_page(program, folder, size=_VIEW) as page:
        await page.come_as(address, cookies)
        await page.open(f"{address}{board_of(day)}", until="#dispatch-board[aria-busy=false] .stop")
        for drag in range(_WARM + drags):
            await asyncio.sleep(_BETWEEN_S)
            ms = await _drag(page)
            if drag >= _WARM:
                took_ms.append(ms)
    return sorted(took_ms)


async def _drag(page: Browser) -> float:
    start_x, start_y, end_x, end_y = await page.evaluate(_PLACES)
    shown = asyncio.create_task(page.evaluate(_UNTIL_SHOWN))
    await page.evaluate("1")  # asked after it: it watches by now
    await page.mouse("mousePressed", start_x, start_y)
    for step in range(1, 6):
        x, y = start_x + (end_x - start_x) * step / 5, start_y + (end_y - start_y) * step / 5
        await page.mouse("mouseMoved", x, y)
    await page.mouse("mouseReleased", end_x, end_y)
    took: Any = await shown
    return float(took)
