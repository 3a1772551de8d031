"""People who see less than their organisation has, and what is counted while they look."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection

from cloud_api.kernel.db import Database
from tests.factories.farms import make_person
from tests.factories.orders import make_customer
from tests.platform_under_test import Platform, Tenant


async def make_keeper(platform: Platform, *warehouse_ids: str, role: str = "warehouse_manager") -> Tenant:
    """A person of the platform's organisation who is confined to these warehouses."""
    keeper = await make_person(platform, platform.tenant, role)
    await confine(platform.tenant, keeper, *warehouse_ids)
    return keeper


async def confine(administrator: Tenant, person: Tenant, *warehouse_ids: str) -> None:
    """Confine a person to these warehouses."""
    path = f"/api/v1/admin/users/{await id_of(person)}/warehouses"
    await administrator.put(path, {"warehouse_ids": list(warehouse_ids)})


async def make_buyer(platform: Platform, *, customer_id: str | None = None) -> tuple[str, Tenant]:
    """A customer with one door, and the person who signs in as it."""
    customer_id = customer_id or await make_customer(platform.tenant)
    buyer = await make_person(platform, platform.tenant, "customer")
    await platform.tenant.put(f"/api/v1/customers/{customer_id}/account", {"user_id": await id_of(buyer)})
    return customer_id, buyer


async def id_of(person: Tenant) -> str:
    """The key of the signed-in person."""
    return str((await person.get("/api/v1/auth/me"))["id"])


#: read, and believed for seconds or a minute: which request it falls to is chance
NOW_AND_THEN = ("signing_keys", "ip_allowlist", "FROM maintenance")
_OPENS = ("BEGIN", "SELECT set_config")
#: where statements are counted that are sent from here
_COUNTED: ContextVar[list[str] | None] = ContextVar("counted", default=None)


async def heard_by(person: Tenant, method: str, path: str, body: object = None, **query: Any) -> tuple[int, str]:
    """(status, error code) of what a person hears."""
    answer = await person.client.request(method, path, json=body, params=query)
    return answer.status_code, "" if answer.is_success else answer.json()["error"]["code"]


async def asked(platform: Platform, person: Tenant, path: str, **query: Any) -> int:
    """How many statements a list takes, of a person who has been heard of before."""
    await person.get(path, **query)
    with statements_on(platform.database) as sent:
        await person.get(path, **query)
    return len(sent)


@contextmanager
def statements_on(database: Database) -> Iterator[list[str]]:
    """The statements that are sent to the database from here, but for those that open a transaction.

    What goes on beside us, on a platform that others use too, is not counted; nor is what is read now and then.
    """
    sent: list[str] = []
    ours = _COUNTED.set(sent)

    def note(_connection: Connection, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        told = f"{statement} {parameters}"
        if _COUNTED.get() is sent and not told.startswith(_OPENS) and not any(words in told for words in NOW_AND_THEN):
            sent.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        _COUNTED.reset(ours)
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
