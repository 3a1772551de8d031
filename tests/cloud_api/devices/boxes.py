"""What a gateway asks of the cloud, with its own credential."""

from typing import Any

import httpx2

from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform


def path_of(store: ColdStore, rest: str = "") -> str:
    """`/api/v1/edge/gateways/{id}`, and what follows."""
    return f"/api/v1/edge/gateways/{store.gateway_id}{rest}"


async def ask(farm: Platform, store: ColdStore, rest: str, *, token: str | None = None) -> httpx2.Response:
    """A GET of the store's gateway."""
    async with farm.client(token or store.gateway_token) as box:
        return await box.get(path_of(store, rest))


async def tell(farm: Platform, store: ColdStore, rest: str, body: object, *, token: str | None = None) -> Any:
    """A POST of the store's gateway."""
    async with farm.client(token or store.gateway_token) as box:
        return await box.post(path_of(store, rest), json=body)
