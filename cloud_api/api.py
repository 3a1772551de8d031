"""Every route of the platform, mounted in one place. Static paths stand before their `{id}` siblings."""

from fastapi import APIRouter

from cloud_api.catalog.routes import categories as catalog_categories
from cloud_api.catalog.routes import router as catalog
from cloud_api.cold_chain.routes import router as cold_chain
from cloud_api.customers.routes import router as customers
from cloud_api.devices.routes import router as devices
from cloud_api.identity.routes import router as identity
from cloud_api.identity.routes import users
from cloud_api.inventory.routes import router as inventory
from cloud_api.inventory.routes import sightings
from cloud_api.kernel.health import router as monitoring
from cloud_api.kernel.http import ErrorEnvelope
from cloud_api.logistics.routes import live as tracking
from cloud_api.logistics.routes import router as logistics
from cloud_api.mobile.routes import router as mobile
from cloud_api.notifications.routes import router as notifications
from cloud_api.orders.routes import router as orders
from cloud_api.places.routes import router as places
from cloud_api.telemetry.routes import router as telemetry

#: websocket paths, for the OpenAPI document, which has no word for them
WEBSOCKETS = ["/ws/tracking/{route_id}"]


def routes() -> APIRouter:
    """Everything under `/api/v1`."""
    api = APIRouter(prefix="/api/v1", responses={"4XX": {"model": ErrorEnvelope, "description": "Not done, and why"}})
    for router in (
        monitoring,
        identity,
        users,
        places,
        catalog_categories,
        catalog,
        devices,
        telemetry,
        inventory,
        sightings,
        notifications,
        cold_chain,
        customers,
        orders,
        logistics,
        mobile,
    ):
        api.include_router(router)
    return api


def websockets() -> APIRouter:
    """Everything under `/ws`."""
    return tracking
