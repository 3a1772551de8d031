"""Somebody at a screen: Debian's Chromium on the console, which is served on a port of its own.

What the browser complains of (errors of scripts, what the page's own policy forbids, answers of 500) fails the test.
"""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from playwright.async_api import Browser, ConsoleMessage, Page, Response, async_playwright

from cloud_api.cli import server_config
from cloud_api.console.browser_parts import STATIC
from tests.platform_under_test import Platform, Tenant
from tests.services.waiting import until, wait_until

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
    "--use-fake-ui-for-media-stream",  # a camera is allowed without a question that nobody can answer here
    "--use-fake-device-for-media-stream",
)
PATIENCE_MS = 45_000
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1360, "height": 900}


def film_in(folder: Path) -> Path:
    """What a browser's camera sees: a film in YUV4MPEG2, looked at when a page opens the camera."""
    return folder / "camera.y4m"


@contextmanager
def chromium(folder: Path) -> Iterator[str]:
    """A browser while open: the address at which it is driven."""
    program = shutil.which("chromium") or "/usr/bin/chromium"
    with (folder / "chromium.log").open("w") as log:
        camera = f"--use-file-for-fake-video-capture={film_in(folder)}"
        running = subprocess.Popen([program, *_FLAGS, camera, f"--user-data-dir={folder}"], stdout=log, stderr=log)
    told = folder / "DevToolsActivePort"
    try:
        wait_until(lambda: told.exists() and told.read_text().count("\n") > 0, what="Chromium listens")
        yield f"http://127.0.0.1:{told.read_text().splitlines()[0]}"
    finally:
        running.terminate()
        running.wait(10)


@asynccontextmanager
async def served(platform: Platform) -> AsyncIterator[str]:
    """The platform's application on a port, with nothing that goes on beside it; its address."""
    config = server_config(platform.app, platform.settings)
    config.port, config.lifespan = 0, "off"
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started or running.done(), what="the console answers")
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@dataclass
class Screen:
    """A page of a browser that nobody else looks at."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    #: answers that a test expects to be failures: their statuses are no complaint
    expected: set[int] = field(default_factory=set)

    async def come_in(self, tenant: Tenant) -> None:
        """Be signed in, without the form."""
        cookie = {"name": "coldfleet_access", "value": token_of(tenant), "url": self.address}
        await self.page.context.add_cookies([cookie])  # type: ignore[list-item]

    async def another_page(self) -> Page:
        """The page is another one from now on, of the same browser."""
        self.page = await self.page.context.new_page()
        self.listen()
        return self.page

    def listen(self) -> None:
        """Hear what the page complains of."""
        self.page.on("console", self.heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self.answered)

    async def open(self, path: str) -> None:
        """Go to a page of the console."""
        await self.page.goto(f"{self.address}{path}")

    async def text(self) -> str:
        """All that the page says."""
        return await self.page.inner_text("body")

    async def is_accessible(self) -> None:
        """Axe finds nothing serious on the page.

        Raises:
            AssertionError: naming what it found, and where.
        """
        await self.page.evaluate((STATIC / "axe.min.js").read_text())
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
        found: dict[str, Any] = await self.page.evaluate(
            f"axe.run(document, {{runOnly: {json.dumps(tags)}, resultTypes: ['violations']}})"
        )
        grave = [
            f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        assert grave == [], "\n".join(grave)

    def heard(self, message: ConsoleMessage) -> None:
        """The browser says something."""
        expected = any(f"status of {status}" in message.text for status in self.expected)
        if message.type == "error" and not expected:
            self.complaints.append(message.text)

    def answered(self, response: Response) -> None:
        """Our side failed."""
        if response.status >= 500:
            self.complaints.append(f"{response.status} {response.request.method} {response.url}")


@asynccontextmanager
async def screen_of(browser_url: str, address: str, **options: Any) -> AsyncIterator[Screen]:
    """A screen while open; what the browser complained of fails what is done at it."""
    async with async_playwright() as playwright:
        browser: Browser = await playwright.chromium.connect_over_cdp(browser_url)
        context = await browser.new_context(**{"viewport": DESK, "timezone_id": "Asia/Kolkata", **options})
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        screen = Screen(page, address)
        screen.listen()
        try:
            yield screen
        finally:
            await context.close()
        assert screen.complaints == [], screen.complaints


def token_of(tenant: Tenant) -> str:
    """The access token that a tenant's person is signed in with."""
    return tenant.client.headers["Authorization"].removeprefix("Bearer ")


@asynccontextmanager
async def at_console(platform: Platform, tenant: Tenant) -> AsyncIterator[httpx2.AsyncClient]:
    """The console without a browser, for what needs none: pages as text, forms as they are sent."""
    async with platform.client() as client:
        client.cookies.set("coldfleet_access", token_of(tenant))
        client.headers["Sec-Fetch-Site"] = "same-origin"
        yield client
