"""Imports, exports and questions, for the tables of operations."""

import io
import zipfile
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cloud_api.exchange.runner import Exchanger
from cloud_api.media.storage import Files
from tests.architecture.worlds import World

CSV = {"Content-Type": "text/csv"}


def a_file(world: World) -> bytes:
    """One new product."""
    return f"sku,name,unit\nNEW-{world.tenant.slug}-{world.number()},Chard,kg\n".encode()


def a_zip() -> bytes:
    """No picture in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w"):
        pass
    return file.getvalue()


async def an_import(world: World) -> str:
    answer = await world.tenant.client.post(
        "/api/v1/imports", content=a_file(world), params={"entity": "products"}, headers=CSV
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["data"]["id"])


async def an_export(world: World) -> str:
    return str((await world.tenant.post("/api/v1/exports", {"entity": "products"}))["id"])


async def a_written_export(world: World) -> str:
    export_id = await an_export(world)
    worker = Exchanger(world.platform.database, Files.of(world.platform.app.state.settings))
    while await worker.run_next():
        pass
    return export_id


async def an_entity(_world: World) -> str:
    return "products"


#: operation -> how to come by its id, and what another organisation hears when that is not 404
EXCHANGE_CASES: Mapping[str, tuple[Callable[[World], Awaitable[str]], int]] = {
    "get_import": (an_import, 404),
    # the same for everybody
    "get_import_template": (an_entity, 200),
    "get_export": (an_export, 404),
    "download_export": (a_written_export, 404),
}

#: operation -> what it is asked
SEARCH_GOOD: Mapping[str, Mapping[str, Any]] = {
    "search_everything": {"q": "spinach"},
    "search_products": {"q": "spinach"},
    "suggest": {"q": "spin"},
}
