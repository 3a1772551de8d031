"""What the rooms put into the index is found over HTTP by who may, and the index can be built again from the rooms."""

from sqlalchemy import delete, select

from cloud_api.kernel.ids import new_id
from cloud_api.main import SEARCHABLE
from cloud_api.search import service
from cloud_api.search.events import ReindexRequested
from cloud_api.search.models import SearchEntry
from cloud_api.search.rebuilding import reindexer
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.orders import make_customer
from tests.factories.scopes import confine, heard_by, make_buyer
from tests.factories.stores import ColdStore, make_product, make_warehouse, receive
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

SEARCH = "/api/v1/search"


async def kinds(person: Tenant, asked: str) -> list[str]:
    return sorted(hit["kind"] for hit in (await person.get(SEARCH, q=asked))["hits"])


async def test_everything_is_found_as_soon_as_it_is_there(farm: Platform, store: ColdStore) -> None:
    await make_product(farm.tenant, name="Zucchini", sku="ZUC-1")
    customer_id = await make_customer(farm.tenant)
    customer = await farm.tenant.get(f"/api/v1/customers/{customer_id}")
    await receive(store, lot="ZX-2026-9")
    assert await kinds(farm.tenant, "zuchini") == ["product"]
    assert await kinds(farm.tenant, "ZX-2026-9") == ["lot"]
    assert "customer" in await kinds(farm.tenant, customer["number"])
    assert "sensor" in await kinds(farm.tenant, "temperature")
    await farm.tenant.put(f"/api/v1/customers/{customer_id}", {"name": "Quince and Sons"})
    assert await kinds(farm.tenant, "quince") == ["customer"]


async def test_products_are_found_with_counts_that_narrow_them(farm: Platform) -> None:
    for number, brand in enumerate(("Hill", "Hill", "Dale")):
        await make_product(farm.tenant, name=f"Yam {number}", sku=f"YAM-{number}", brand=brand)
    found = await farm.tenant.get("/api/v1/warehouse/products/search", q="yam")
    assert len(found["hits"]) == found["facets"]["total"] == 3
    brands = next(facet for facet in found["facets"]["facets"] if facet["name"] == "brand")
    assert [(one["value"], one["count"]) for one in brands["values"]] == [("Hill", 2), ("Dale", 1)]
    narrowed = await farm.tenant.get("/api/v1/warehouse/products/search", q="yam", facet="brand:Dale")
    assert [hit["code"] for hit in narrowed["hits"]] == ["YAM-2"]
    assert (await farm.tenant.get(f"{SEARCH}/suggest", q="ya 2"))[0]["text"] == "Yam 2"
    assert (await farm.tenant.get(f"{SEARCH}/facets", kind="product"))["total"] == 3


async def test_a_lot_is_found_only_by_who_sees_a_warehouse_of_it(farm: Platform, store: ColdStore) -> None:
    await receive(store, lot="QX-77")
    keeper = await make_person(farm, farm.tenant, "warehouse_manager")
    await confine(farm.tenant, keeper, await make_warehouse(farm.tenant))
    assert await kinds(keeper, "QX-77") == []
    assert (await keeper.get(f"{SEARCH}/facets", q="QX-77"))["total"] == 0
    await confine(farm.tenant, keeper, store.warehouse_id)
    assert await kinds(keeper, "QX-77") == ["lot"]


async def test_a_buyer_and_a_driver_find_nothing_of_others(farm: Platform, store: ColdStore) -> None:
    await receive(store, lot="QX-78")
    customer_id, buyer = await make_buyer(farm)
    customer = await farm.tenant.get(f"/api/v1/customers/{customer_id}")
    for person in (buyer, await make_person(farm, farm.tenant, "delivery_personnel")):
        for asked in ("QX-78", "temperature", customer["number"], "ORD"):
            assert await kinds(person, asked) == []


async def test_a_question_in_the_wrong_form_is_refused_by_its_field(farm: Platform) -> None:
    for wrong in ({"q": "a" * 501}, {"facet": "brand"}, {"kind": "Product'"}, {"limit": "0"}):
        answer = await farm.tenant.client.get(SEARCH, params={"q": "a", **wrong})
        assert (answer.status_code, bool(answer.json()["error"]["details"])) == (422, True), wrong
    for asked in ('"', "*", "-", "' OR 1=1", "NEAR(", "a" * 500, "💧", "%", "_"):
        assert (await farm.tenant.client.get(SEARCH, params={"q": asked})).status_code == 200, asked


async def test_the_index_is_built_again_from_the_rooms(farm: Platform, store: ColdStore) -> None:
    await receive(store, lot="QX-79")
    scope = farm.tenant.organization
    async with farm.database.unit_of_work(scope) as db:
        before = {(entry.kind, entry.entity_id, entry.title) for entry in await db.scalars(select(SearchEntry))}
        await db.execute(delete(SearchEntry).where(SearchEntry.kind.in_(("lot", "sensor"))))
        await service.put(db, service.Entry("ghost", new_id(), "Ghost", "G-1", "", {}, "products:read"))
    rebuild = reindexer(SEARCHABLE)
    for _ in range(2):
        await rebuild(farm.database, scope.organization_id, ReindexRequested())
    async with farm.database.unit_of_work(scope) as db:
        after = {(entry.kind, entry.entity_id, entry.title) for entry in await db.scalars(select(SearchEntry))}
    assert {kind for kind, *_ in after} >= {"lot", "sensor", "product"}
    assert after == before
    assert await kinds(farm.tenant, "temprature") == ["sensor"]


async def test_only_the_platform_has_indexes_built_again(farm: Platform) -> None:
    assert (await heard_by(farm.tenant, "POST", f"{SEARCH}/reindex"))[0] == 403
    operator = await make_person(farm, farm.tenant, "super_admin")
    assert (await operator.post(f"{SEARCH}/reindex"))["organizations"] >= 1
