"""Names for ids, and who asks: each is asked for once."""

from collections.abc import Sequence

import pytest
from starlette.requests import Request

from cloud_api.console.asking import Desk, Refused
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor
from tests.cloud_api.console.screens import token_of
from tests.factories.farms import make_person
from tests.factories.scopes import statements_on
from tests.factories.stores import make_cold_store, make_product, receive
from tests.platform_under_test import Platform, Tenant


async def visitor(platform: Platform, person: Tenant) -> Visitor:
    """Somebody who looks at a page."""
    desk = Desk(platform.app, token_of(person), address=("127.0.0.1", 1), request_id="names-of-things")
    return Visitor(Request({"type": "http", "headers": []}), desk, await desk.get("/auth/me"))


def tables_in(statements: Sequence[str]) -> list[str]:
    """The first table that each statement reads from."""
    return [statement.partition("FROM ")[2].split()[0] for statement in statements if "FROM " in statement]


async def test_each_kind_is_asked_for_once_however_many_rows_name_it(sqlite_platform: Platform) -> None:
    store = await make_cold_store(sqlite_platform)
    lots = [(await receive(store, lot=f"LOT-{number}"))["lot_id"] for number in range(3)]
    who = await visitor(sqlite_platform, store.tenant)
    with statements_on(sqlite_platform.database) as sent:
        names = await names_of(who, lots=[*lots, lots[0], None, ""], places=[store.room_id])
    assert [names.lot(id) for id in lots] == ["LOT-0", "LOT-1", "LOT-2"]
    assert (names.product_of(lots[0]), names.unit_of(lots[0])) == ("Spinach", "kg")
    assert names.warehouse_of(store.room_id) == names.warehouse(store.warehouse_id)
    asked = tables_in(sent)
    assert [asked.count(table) for table in ("lots", "locations", "products", "warehouses")] == [1, 1, 1, 1]


async def test_what_is_older_than_any_page_has_its_name(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    ids = [await make_product(tenant, name=f"Herb {number}") for number in range(205)]
    names = await names_of(await visitor(sqlite_platform, tenant), products=ids)
    assert [names.product(id) for id in (ids[0], ids[-1])] == ["Herb 0", "Herb 204"]


async def test_what_somebody_may_not_read_goes_by_the_end_of_its_id(sqlite_platform: Platform) -> None:
    store = await make_cold_store(sqlite_platform)
    lot_id = (await receive(store))["lot_id"]
    driver = await make_person(sqlite_platform, store.tenant, "delivery_personnel")
    names = await names_of(await visitor(sqlite_platform, driver), lots=[lot_id], people=[None])
    assert (names.lot(lot_id), names.product_of(lot_id), names.person(None)) == (f"…{lot_id[-6:]}", "–", "–")


async def test_a_page_proves_once_who_asks_until_it_writes(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    desk = (await visitor(sqlite_platform, tenant)).desk
    with statements_on(sqlite_platform.database) as sent:
        await desk.get("/warehouse/warehouses")
        await desk.get("/warehouse/products")
    assert "users" not in tables_in(sent)
    await desk.do("POST", "/auth/logout")
    with pytest.raises(Refused) as refused:
        await desk.get("/warehouse/products")
    assert refused.value.status == 401
