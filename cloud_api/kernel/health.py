"""`/api/v1/monitoring`: is it alive, can it work, and the figures."""

import secrets
from datetime import timedelta

from fastapi import APIRouter, Request, Response, Security
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Forbidden, Unavailable
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.outbox import OutboxDelivery
from cloud_api.kernel.permissions import bearer, current_principal, key_header
from cloud_api.kernel.rate_limits import unlimited
from cloud_api.kernel.tenancy import SystemScope

router = APIRouter(prefix="/monitoring", tags=["monitoring"], route_class=ApiRoute)

#: deliveries due for longer than this mean that nobody delivers
_STALLED = timedelta(minutes=1)


class Health(BaseModel):
    """The components, each with what it says."""

    status: str
    database: str
    outbox: str
    parked_deliveries: int


class Alive(BaseModel):
    """The process answers."""

    status: str


@router.get("/health/live", response_model=Alive)
@unlimited
async def get_liveness() -> Alive:
    """The process answers."""
    return Alive(status="ok")


@router.get("/health/ready", response_model=Health)
@unlimited
async def get_readiness(request: Request) -> Health:
    """Whether requests can be served; 503 when not."""
    return await _health(request.app.state.database)


@router.get("/health", response_model=Health)
@unlimited
async def get_health(request: Request) -> Health:
    """The same, for people."""
    return await _health(request.app.state.database)


@router.get(
    "/metrics",
    response_model=None,
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    dependencies=[Security(bearer)],
)
@unlimited
async def get_metrics(request: Request) -> Response:
    """Prometheus exposition: for a scraper with `COLDFLEET_METRICS_TOKEN`, or for people with `monitoring:read`."""
    token: str = request.app.state.settings.metrics_token.get_secret_value()
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not token or not secrets.compare_digest(token.encode(), given.encode()):
        principal = await current_principal(request, await bearer(request), await key_header(request))
        if not principal.may("monitoring:read"):
            raise Forbidden("this needs the permission monitoring:read, or the scraper's token")
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _health(database: Database) -> Health:
    try:
        async with database.unit_of_work(SystemScope("health"), read_only=True) as db:
            stalled = await db.scalar(
                select(func.count())
                .select_from(OutboxDelivery)
                .where(OutboxDelivery.state == "pending", OutboxDelivery.due_at < clock.machine_now() - _STALLED)
            )
            parked = await db.scalar(
                select(func.count()).select_from(OutboxDelivery).where(OutboxDelivery.state == "parked")
            )
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(f"the database does not answer: {type(error).__name__}") from error
    outbox = "stalled: is a worker running?" if stalled else "ok"
    return Health(status="ok", database="ok", outbox=outbox, parked_deliveries=parked or 0)
