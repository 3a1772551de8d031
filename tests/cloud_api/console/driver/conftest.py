"""The driver's phone."""

from collections.abc import AsyncIterator

import pytest

from tests.cloud_api.console.driver.days import make_day
from tests.cloud_api.console.screens import Screen, screen_of, served
from tests.cloud_api.logistics.deliveries.rounds import Round
from tests.platform_under_test import Platform

#: a small one
SMALL_PHONE = {"width": 360, "height": 740}


@pytest.fixture
async def day(sqlite_platform: Platform) -> Round:
    """A planned route of three stops that its driver's phone may hear of."""
    return await make_day(sqlite_platform)


@pytest.fixture
async def phone(browser_url: str, sqlite_platform: Platform, day: Round) -> AsyncIterator[Screen]:
    """The driver's phone, with the app's address in its hand."""
    here = {"geolocation": {"latitude": 12.93, "longitude": 77.61}, "permissions": ["geolocation", "camera"]}
    async with (
        served(sqlite_platform) as address,
        screen_of(browser_url, address, viewport=SMALL_PHONE, has_touch=True, **here) as opened,
    ):
        await opened.come_in(day.driver)
        yield opened
