"""An application with an edge and nothing behind it: its callers are known by tokens such as `user.asha`."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from fastapi import APIRouter, FastAPI, Request

from cloud_api.kernel import http
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Forbidden
from cloud_api.kernel.health import router as monitoring
from cloud_api.kernel.http import ApiRoute, RequestModel
from cloud_api.kernel.permissions import Credential, CurrentPrincipal, Principal, require
from cloud_api.kernel.rate_limits import RateLimits, budget, unlimited
from cloud_api.kernel.settings import Settings

FARM = uuid.UUID(int=1)
edge = APIRouter(prefix="/edge", route_class=ApiRoute)
auth = APIRouter(prefix="/auth", route_class=ApiRoute)


class Words(RequestModel):
    """Something to carry."""

    words: str


@edge.get("/mine", response_model=str)
async def get_mine(principal: CurrentPrincipal) -> str:
    """For whoever is known."""
    return principal.name


@edge.post("/mine", response_model=int)
async def post_mine(principal: CurrentPrincipal, body: Words) -> int:
    """How long the words are."""
    return len(body.words)


@edge.get("/refused", response_model=str, dependencies=[require("stock:write")])
async def get_refused() -> str:
    """For nobody here."""
    raise Forbidden("never reached")


@edge.post("/positions/{id}", response_model=str)
@budget("driver")
async def post_position(principal: CurrentPrincipal, id: str) -> str:
    """Of a van."""
    return id


@edge.get("/free", response_model=str)
@unlimited
async def get_free(principal: CurrentPrincipal) -> str:
    """Never counted."""
    return principal.name


@edge.get("/broken", response_model=str)
async def get_broken(principal: CurrentPrincipal) -> str:
    """A mistake of ours."""
    raise ZeroDivisionError("secret=recipe")


@edge.post("/blind", response_model=int)
async def post_blind(request: Request, principal: CurrentPrincipal) -> int:
    """Reads what it did not ask for."""
    return len(await request.body())


@auth.post("/login", response_model=str)
async def login(body: Words) -> str:
    """Asks nobody who they are."""
    return "in"


@auth.post("/refresh", response_model=str)
@budget("anonymous")
async def refresh() -> str:
    """Nor does this, but it costs no guess."""
    return "in"


@auth.get("/providers", response_model=str)
async def get_providers() -> str:
    """To be read by anybody."""
    return "none"


async def by_name(_database: Database, credential: Credential) -> Principal | None:
    """`gateway.cellar` is the gateway of that name."""
    kind, _, name = credential.token.partition(".")
    if kind not in {"user", "gateway", "api_key"}:
        return None
    return Principal(
        kind=kind,  # type: ignore[arg-type]  # checked a line above
        id=uuid.uuid5(FARM, name),
        organization_id=FARM,
        permissions=frozenset({"stock:read"}),
        name=name,
    )


def edge_app(*more: APIRouter, **changed: Any) -> FastAPI:
    """The application, by these settings."""
    settings = Settings(_env_file=None, **changed)
    app = FastAPI()
    app.state.settings = settings
    app.state.database = None
    app.state.authenticators = (by_name,)
    app.state.rate_limits = RateLimits(settings)
    http.install(app, settings)
    api = APIRouter(prefix="/api/v1")
    for router in (edge, auth, monitoring, *more):
        api.include_router(router)
    app.include_router(api)
    return app


@asynccontextmanager
async def calling(
    app: FastAPI, token: str = "", *, address: str = "203.0.113.7", scheme: str = "http"
) -> AsyncIterator[httpx2.AsyncClient]:
    """A caller at that address."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 40_000))
    async with httpx2.AsyncClient(
        transport=transport, base_url=f"{scheme}://edge.test/api/v1", headers=headers
    ) as client:
        yield client
