"""Files as people send them, and the worker that takes them in."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from cloud_api.exchange.runner import Exchanger
from cloud_api.media.storage import Files
from tests.platform_under_test import Platform, Tenant

IMPORTS, EXPORTS = "/api/v1/imports", "/api/v1/exports"


def csv_of(rows: Sequence[Mapping[str, object]]) -> bytes:
    """A CSV of these rows, with every column that one of them has."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


async def send(tenant: Tenant, content: bytes, *, path: str = IMPORTS, entity: str = "products", **said: Any) -> Any:
    """The run that is queued for a file."""
    parameters = {"entity": entity, **said} if path == IMPORTS else said
    answer = await tenant.client.post(path, content=content, params=parameters)
    assert answer.status_code == 202, answer.text
    return answer.json()["data"]


def exchanger(platform: Platform) -> Exchanger:
    """A worker."""
    return Exchanger(platform.database, Files.of(platform.settings))


async def work(platform: Platform) -> None:
    """Work off all there is."""
    worker = exchanger(platform)
    while await worker.run_next():
        pass


async def taken_in(platform: Platform, content: bytes, **said: Any) -> Any:
    """The run of a file when it is over."""
    run = await send(platform.tenant, content, **said)
    await work(platform)
    return await platform.tenant.get(f"{IMPORTS}/{run['id']}")
