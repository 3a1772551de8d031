from collections.abc import AsyncIterator

import pytest

from tests.factories.farms import make_farm
from tests.factories.grounds import farm, ground, store
from tests.factories.grounds import mostly_embedded_url as ground_url
from tests.platform_under_test import Platform, application, settings_for_tests

__all__ = ["farm", "ground", "ground_url", "platform_alone", "store"]


@pytest.fixture
async def platform_alone(database_url: str) -> AsyncIterator[Platform]:
    """The platform with a database and a gate of its own: a switch that is thrown here stops nobody else."""
    settings = settings_for_tests(database_url=database_url)
    app = application(settings)
    platform = Platform(app, app.state.database, settings)
    await make_farm(platform)
    yield platform
    for tenant in platform.tenants:
        await tenant.client.aclose()
    await platform.database.close()
