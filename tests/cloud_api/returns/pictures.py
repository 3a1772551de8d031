"""How a test sends pictures of what comes back."""

from typing import Any

import httpx2

from tests.cloud_api.media.samples import picture
from tests.factories.returns import RETURNS
from tests.platform_under_test import Tenant


async def send_picture(
    person: Tenant, return_id: str, content: bytes, *, mime: str = "image/png", line_id: str | None = None
) -> httpx2.Response:
    """What the platform says to a picture of what comes back."""
    query = {} if line_id is None else {"line_id": line_id}
    headers = {"Content-Type": mime}
    path = f"{RETURNS}/{return_id}/pictures"
    return await person.client.post(path, params=query, content=content, headers=headers)


async def picture_of(person: Tenant, return_id: str, *, width: int = 20) -> Any:
    """One that was kept; of another width it is another one."""
    answer = await send_picture(person, return_id, picture(width))
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]
