"""A request finds its operation as it would without doorways, and asks few on its way."""

from typing import ClassVar

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from cloud_api.kernel.doorway import Doorway


class Counting(APIRoute):
    """Notes that it was asked whether it is the one."""

    asked: ClassVar[list[str]] = []

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        self.asked.append(self.path)
        return super().matches(scope)


def room(prefix: str, *paths: str) -> APIRouter:
    """A router whose operations answer with their own path."""
    router = APIRouter(prefix=prefix, route_class=Counting)
    for path in paths:

        def answer(said: str = prefix + path) -> str:
            return said

        router.get(path, name=prefix + path)(answer)
    return router


def platform(*rooms: APIRouter) -> FastAPI:
    app = FastAPI()
    for each in rooms:
        app.include_router(Doorway.to(each, under="/api/v1"), prefix="/api/v1")
    return app


async def get(app: FastAPI, path: str, method: str = "GET") -> httpx2.Response:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as client:
        return await client.request(method, path)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/orders", "/orders"),
        ("/orders/7", "/orders/{id}"),
        ("/orders/7/lines", "/orders/{id}/lines"),
        ("/warehouse/routes/optimize", "/warehouse/routes/optimize"),
        ("/warehouse/routes/7", "/warehouse/routes/{id}"),
        ("/7/anything", "/{which}/anything"),
    ],
)
async def test_everything_is_found_where_it_stands(path: str, found: str) -> None:
    app = platform(
        room("/orders", "", "/{id}", "/{id}/lines"),
        room("/warehouse/routes", "/optimize"),
        room("/warehouse/routes", "/{id}"),
        room("", "/{which}/anything"),
    )
    answer = await get(app, f"/api/v1{path}")
    assert (answer.status_code, answer.json()) == (200, found)


async def test_what_is_nowhere_is_nowhere_and_what_is_asked_wrongly_is_said_to_be() -> None:
    app = platform(room("/orders", "", "/{id}"), room("/customers", ""))
    assert (await get(app, "/api/v1/order")).status_code == 404
    assert (await get(app, "/api/v1/orders/7/lines")).status_code == 404
    assert (await get(app, "/api/v1/customers", "DELETE")).status_code == 405


async def test_a_room_that_cannot_have_it_is_not_asked() -> None:
    app = platform(*(room(f"/other-{number}", "", "/{id}") for number in range(3)), room("/orders", "/{id}"))
    Counting.asked.clear()
    await get(app, "/api/v1/orders/7")
    assert set(Counting.asked) == {"/orders/{id}"}


async def test_the_document_says_the_same_as_without_doorways() -> None:
    rooms = (room("/orders", "", "/{id}"), room("/customers", ""))
    plain = FastAPI()
    api = APIRouter(prefix="/api/v1")
    for each in rooms:
        api.include_router(each)
    plain.include_router(api)
    assert platform(*rooms).openapi() == plain.openapi()
