"""Phones' keys and sealed logs, for the operations of these."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cloud_api.kernel import clock
from tests.architecture.worlds import World
from tests.cloud_api.media.samples import picture
from tests.factories.handsets import Handset

Make = Callable[[World], Awaitable[Any]]


async def a_key_to_register(world: World) -> dict[str, object]:
    phone = Handset(world.tenant, device_id=f"phone-{world.number()}")
    me = (await world.tenant.get("/api/v1/auth/me"))["id"]
    proof = phone.book.key.possession(phone.device_id, me)
    return {"device_id": phone.device_id, "public_key": phone.book.key.public_key, "proof": proof}


async def a_phone_key(world: World) -> str:
    return str((await world.tenant.post("/api/v1/mobile/keys", await a_key_to_register(world)))["id"])


async def a_part_of_a_log(world: World) -> dict[str, object]:
    return {"key_id": await a_phone_key(world), "sent_at": clock.now().isoformat(), "entries": []}


async def a_picture(world: World) -> tuple[bytes, Mapping[str, str]]:
    """With the headers that go with it."""
    content = picture(20 + 2 * world.number())
    return content, {"Content-Type": "image/png", "X-Content-SHA256": hashlib.sha256(content).hexdigest()}


#: operation -> (what makes the id in its path, what it is sent)
PHONE_LOG_CASES: dict[str, tuple[Make, object]] = {"revoke_phone_key": (a_phone_key, None)}

#: operation without an id -> what it is sent
PHONE_LOG_GOOD: dict[str, Make] = {"register_phone_key": a_key_to_register, "upload_commands": a_part_of_a_log}
