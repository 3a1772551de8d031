"""Saved views: each person's own, by page and name."""

import uuid

from cloud_api.identity.saved_views import service
from cloud_api.identity.saved_views.models import SavedView
from cloud_api.kernel import clock
from tests.factories.farms import make_person
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform

VIEWS = "/api/v1/auth/me/saved-views"


def view(name: str = "Open", page: str = "/console/orders", query: str = "status=open") -> dict[str, object]:
    return {"page": page, "name": name, "query": query}


async def test_a_view_is_kept_under_its_name_and_replaced_under_the_same(shared_platform: Platform) -> None:
    somebody = await make_person(shared_platform, shared_platform.tenant, "viewer")
    first = await somebody.put(VIEWS, view())
    again = await somebody.put(VIEWS, view(query="status=packed"))
    assert (again["id"], again["query"]) == (first["id"], "status=packed")
    await somebody.put(VIEWS, view(page="/console/stock"))
    assert [one["page"] for one in await somebody.get(VIEWS)] == ["/console/orders", "/console/stock"]
    assert [one["id"] for one in await somebody.get(VIEWS, page="/console/orders")] == [first["id"]]
    assert (await somebody.client.delete(f"{VIEWS}/{first['id']}")).status_code == 204
    assert await somebody.get(VIEWS, page="/console/orders") == []


async def test_nobody_sees_or_deletes_the_views_of_a_colleague(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    one, other = [await make_person(shared_platform, tenant, "viewer") for _ in range(2)]
    kept = await one.put(VIEWS, view())
    assert await other.get(VIEWS) == []
    assert (await other.client.delete(f"{VIEWS}/{kept['id']}")).status_code == 404
    assert [each["id"] for each in await one.get(VIEWS)] == [kept["id"]]


async def test_what_is_no_page_or_no_query_is_refused(shared_platform: Platform) -> None:
    for wrong in (
        view(page="https://elsewhere.example"),
        view(page="/console?x=1"),
        view(query="a b"),
        view(query="x" * 2_001),
        view(name=" "),
    ):
        refused = await shared_platform.tenant.client.put(VIEWS, json=wrong)
        assert refused.status_code == 422, wrong


async def test_there_is_an_end_to_them(shared_platform: Platform) -> None:
    somebody = await make_person(shared_platform, shared_platform.tenant, "viewer")
    user_id = await id_of(somebody)
    async with shared_platform.database.unit_of_work(somebody.organization) as db:
        for number in range(service.MOST):
            db.add(
                SavedView(
                    user_id=uuid.UUID(user_id),
                    page="/console/lots",
                    name=str(number),
                    query="",
                    saved_at=clock.now(),
                )
            )
    refused = await somebody.client.put(VIEWS, json=view())
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "TOO_MANY_VIEWS")
    assert (await somebody.client.put(VIEWS, json=view(page="/console/lots", name="7"))).status_code == 200
