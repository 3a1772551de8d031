"""Phones that take pushes, and words for messages, for the tables of operations."""

from collections.abc import Awaitable, Callable, Mapping

from tests.architecture.worlds import World

Body = object | Callable[[World], Awaitable[object]]


async def a_phone(world: World) -> str:
    body = {"registration": f"phone-{world.tenant.slug}-{world.number()}"}
    return str((await world.tenant.post("/api/v1/mobile/devices", body))["id"])


async def a_kind(_world: World) -> str:
    """The same for everybody; each has words of their own."""
    return "order.packed"


OWN_WORDS = {"locale": "en", "channel": "sms", "body": "{{ company }}: {{ order }} is packed"}

#: operation -> how to come by its id, what to send, and what another organisation hears
MESSAGE_CASES: Mapping[str, tuple[Callable[[World], Awaitable[str]], Body, int]] = {
    "get_phone": (a_phone, None, 404),
    "update_phone": (a_phone, {"app_version": "2.4.0", "locale": "hi-IN"}, 404),
    "test_phone": (a_phone, None, 404),
    "unregister_phone": (a_phone, None, 404),
    "put_template": (a_kind, OWN_WORDS, 200),
    "preview_template": (a_kind, {"channel": "sms", "body": "{{ order }} is packed"}, 200),
}
