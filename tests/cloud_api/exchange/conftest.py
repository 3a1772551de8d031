from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from cloud_api.kernel.db import Database
from tests.factories.farms import open_farm
from tests.factories.grounds import ground
from tests.factories.grounds import mostly_embedded_url as ground_url
from tests.platform_under_test import Platform

__all__ = ["ground", "ground_url"]


@pytest_asyncio.fixture(loop_scope="session")
async def farm(ground: Database, tmp_path: Path) -> AsyncIterator[Platform]:
    """The platform with an organisation and a folder for files of this test's own."""
    async with open_farm(ground) as opened:
        before = opened.app.state.settings
        opened.settings = opened.app.state.settings = before.model_copy(update={"media_folder": tmp_path})
        try:
            yield opened
        finally:
            opened.app.state.settings = before
