"""The platform, put together: the one place that knows every room."""

import functools
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline

from cloud_api import api
from cloud_api.cold_chain.judge import judge as judge_cold_chain
from cloud_api.cold_chain.reactions import REACTIONS as COLD_CHAIN_REACTIONS
from cloud_api.devices.authenticate import gateways
from cloud_api.identity.authenticate import people
from cloud_api.inventory.judge import judge as judge_inventory
from cloud_api.kernel import clock, http, logs, wire
from cloud_api.kernel.db import Database
from cloud_api.kernel.metrics import RequestMetrics
from cloud_api.kernel.outbox import Dispatcher, Subscription, effect
from cloud_api.kernel.settings import Settings
from cloud_api.logistics.events import PlanningRequested, RouteMoved
from cloud_api.logistics.planner import Planner
from cloud_api.logistics.reactions import REACTIONS as LOGISTICS_REACTIONS
from cloud_api.notifications.events import NotificationWritten
from cloud_api.notifications.push import FcmPush, push_notification
from cloud_api.realtime.hub import Hub, topic_of
from cloud_api.worker import connected, running

#: shown every stored batch, in this order, in the transaction that stores it
JUDGES = (judge_cold_chain, judge_inventory)


def subscriptions(push: FcmPush | None, planner: Planner, hub: Hub) -> list[Subscription]:
    """Who hears which event."""

    async def wake_planner(_database: Database, _organization_id: uuid.UUID, _event: PlanningRequested) -> None:
        planner.wake()

    async def wake_watchers(_database: Database, organization_id: uuid.UUID, event: RouteMoved) -> None:
        hub.announce(topic_of("route", organization_id, event.route_id))

    return [
        *COLD_CHAIN_REACTIONS,
        *LOGISTICS_REACTIONS,
        effect(NotificationWritten, "notifications.push", functools.partial(push_notification, push)),
        effect(PlanningRequested, "logistics.wake_planner", wake_planner),
        effect(RouteMoved, "realtime.wake_watchers", wake_watchers),
    ]


def prepare(settings: Settings) -> None:
    """Process-wide matters: the clock and the logs."""
    if settings.clock_origin is not None:
        clock.use(clock.scaled(origin=settings.clock_origin, speed=settings.clock_speed))
    logs.configure(level=settings.log_level, for_people=settings.environment == "development")


@asynccontextmanager
async def open_dispatcher(
    settings: Settings, database: Database, planner: Planner, hub: Hub
) -> AsyncIterator[Dispatcher]:
    """The outbox's dispatcher with everything that its effects need."""
    async with AsyncExitStack() as stack:
        push = None
        if settings.fcm_service_account is not None:
            push = FcmPush(settings.fcm_service_account, url=settings.fcm_url)
            stack.push_async_callback(push.close)
        yield Dispatcher(database, subscriptions(push, planner, hub))


@asynccontextmanager
async def background(settings: Settings, database: Database, hub: Hub, *, work_here: bool) -> AsyncIterator[None]:
    """What goes on beside the requests; with `work_here` this process delivers events and plans routes."""
    planner = Planner(database)
    async with AsyncExitStack() as stack:
        dispatcher = await stack.enter_async_context(open_dispatcher(settings, database, planner, hub))
        await stack.enter_async_context(connected(database, dispatcher, hub))
        if work_here:
            await stack.enter_async_context(running(dispatcher=dispatcher.run(), planner=planner.run()))
        yield


def create_app(settings: Settings) -> FastAPI:
    """The web application. Embedded (SQLite) it delivers its own events; otherwise workers do."""
    database, hub = Database(settings.database_url), Hub()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            await stack.enter_async_context(background(settings, database, hub, work_here=database.is_sqlite))
            yield

    app = FastAPIOffline(
        title="Coldfleet",
        version="1",
        description="From a sensor's reading to the proof of delivery.",
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        docs_url="/docs",
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.database = database
    app.state.hub = hub
    app.state.judges = JUDGES
    app.state.authenticators = (gateways, people(settings.secret_key.get_secret_value()))
    app.add_middleware(RequestMetrics)
    http.install(app)
    app.include_router(api.routes())
    app.include_router(api.websockets())
    app.openapi = functools.cache(functools.partial(_openapi, app))  # type: ignore[method-assign]
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document, with the machines' wire types and the websocket paths."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    document["components"]["schemas"].update(wire.schemas())
    document["x-websockets"] = api.WEBSOCKETS
    return document
