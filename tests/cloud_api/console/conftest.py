"""Screens on a platform that other tests use too: each works for an organisation of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.cloud_api.console.screens import Screen, at_console, chromium, screen_of, served
from tests.platform_under_test import Platform


@pytest.fixture(scope="session")
def browser_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the browser keeps its things."""
    return tmp_path_factory.mktemp("chromium")


@pytest.fixture(scope="session")
def browser_url(browser_folder: Path) -> Iterator[str]:
    """A Chromium for all tests of a process; each has a profile of its own in it."""
    with chromium(browser_folder) as url:
        yield url


@pytest.fixture
async def screen(browser_url: str, sqlite_platform: Platform) -> AsyncIterator[Screen]:
    """A screen at which the organisation's administrator is signed in."""
    async with served(sqlite_platform) as address, screen_of(browser_url, address) as opened:
        await opened.come_in(sqlite_platform.tenant)
        yield opened


@pytest.fixture
async def console(sqlite_platform: Platform) -> AsyncIterator[httpx2.AsyncClient]:
    """The console without a browser, for the organisation's administrator."""
    async with at_console(sqlite_platform, sqlite_platform.tenant) as client:
        yield client
