"""A Chromium that is driven from here, by the little of its protocol that a measurement needs."""

import asyncio
import itertools
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from coldfleet.bench.processes import BenchProblem

_SWITCHES = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0")
_COMES_UP_S, _ANSWERS_S = 60, 60
_MOST_BYTES = 64 * 1024 * 1024


class Browser:
    """One page of a Chromium."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._session = ""

    async def listen(self) -> None:
        """Hand answers to who waits for them, until the browser is gone."""
        with suppress(ConnectionClosed):
            async for message in self._socket:
                said = json.loads(message)
                waiting = self._waiting.pop(said.get("id", 0), None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(said)

    async def begin_page(self, width: int, height: int) -> None:
        """Open an empty page of this size."""
        made = await self._ask("Target.createTarget", url="about:blank")
        joined = await self._ask("Target.attachToTarget", targetId=made["targetId"], flatten=True)
        self._session = joined["sessionId"]
        await self._ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    async def come_as(self, address: str, cookies: dict[str, str]) -> None:
        """Bring these cookies to a site."""
        host = urlsplit(address).hostname
        for name, value in cookies.items():
            await self._ask("Network.setCookie", name=name, value=value, domain=host, path="/", httpOnly=True)

    async def open(self, address: str, *, until: str) -> None:
        """Go there, and wait until there is such an element."""
        await self._ask("Page.navigate", url=address)
        found = f"document.querySelector({json.dumps(until)}) !== null"
        async with asyncio.timeout(_ANSWERS_S):
            while True:
                if await self.evaluate(found):
                    return
                await asyncio.sleep(0.1)

    async def evaluate(self, script: str) -> Any:
        """What a script comes to, on the page; a promise is waited for."""
        said = await self._ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in said:
            raise BenchProblem(f"the page says: {said['exceptionDetails']['text']} {said['result'].get('description')}")
        return said["result"].get("value")

    async def mouse(self, kind: str, x: float, y: float) -> None:
        """Move the mouse, press or release its left button."""
        clicks = 0 if kind == "mouseMoved" else 1
        await self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=clicks)

    async def _ask(self, method: str, **params: object) -> Any:
        number = next(self._numbers)
        wanted: dict[str, object] = {"id": number, "method": method, "params": params}
        if self._session:
            wanted["sessionId"] = self._session
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps(wanted))
        async with asyncio.timeout(_ANSWERS_S):
            said = await waiting
        if "error" in said:
            raise BenchProblem(f"Chromium would not {method}: {said['error']['message']}")
        return said["result"]


@asynccontextmanager
async def a_page(program: str, folder: Path, *, size: tuple[int, int]) -> AsyncIterator[Browser]:
    """A new Chromium with one page, until it is left.

    Raises:
        BenchProblem: when it does not come up.
    """
    home = Path(tempfile.mkdtemp(prefix="chromium-", dir=folder))
    with (home / "said.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program, *_SWITCHES, f"--user-data-dir={home}", stdout=log, stderr=log
        )
        try:
            address = await _address(home)
            # it answers no ping while it draws
            async with connect(address, max_size=_MOST_BYTES, ping_interval=None) as socket:
                browser = Browser(socket)
                listening = asyncio.create_task(browser.listen())
                await browser.begin_page(*size)
                yield browser
            await listening
        finally:
            process.terminate()
            await process.wait()


async def _address(home: Path) -> str:
    told = home / "DevToolsActivePort"
    try:
        async with asyncio.timeout(_COMES_UP_S):
            while True:
                lines = told.read_text().splitlines() if told.exists() else []
                if len(lines) > 1:
                    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise BenchProblem(f"Chromium did not come up within {_COMES_UP_S} s; see {home / 'said.log'}") from None
