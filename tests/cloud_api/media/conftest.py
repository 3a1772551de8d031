"""Files in a folder of the test's own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest_asyncio

from tests.factories.grounds import farm, ground, store
from tests.factories.grounds import mostly_embedded_url as ground_url
from tests.platform_under_test import Platform

__all__ = ["archive", "farm", "ground", "ground_url", "store"]


@contextmanager
def with_settings(platform: Platform, **given: object) -> Iterator[Platform]:
    """The platform under other settings, for a while."""
    before = platform.app.state.settings
    platform.app.state.settings = platform.settings = before.model_copy(update=given)
    try:
        yield platform
    finally:
        platform.app.state.settings = platform.settings = before


@pytest_asyncio.fixture(loop_scope="session")
async def archive(farm: Platform, tmp_path: Path) -> AsyncIterator[Platform]:
    """The platform, its files in a folder of this test's own; at most 1 MB at once."""
    with with_settings(farm, media_folder=tmp_path, media_max_mb=1, media_parts_max_mb=40) as platform:
        yield platform
