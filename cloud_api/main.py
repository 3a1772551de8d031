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
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api import api
from cloud_api.analytics.business.currency import guard_currency
from cloud_api.analytics.load.expiry import RequestExpiry
from cloud_api.analytics.load.recording import RequestHistory
from cloud_api.audit import recording  # noqa: F401 - lets each flushed change write its entry
from cloud_api.audit.events import SecurityEventRaised
from cloud_api.audit.sealer import Sealer
from cloud_api.catalog.categories.service import everything as all_categories
from cloud_api.catalog.products.finding import everything as all_products
from cloud_api.cold_chain.alerts.escalation import Escalator
from cloud_api.cold_chain.judging.judge import judge as judge_cold_chain
from cloud_api.cold_chain.judging.watchdog import Watchdog
from cloud_api.cold_chain.reactions import reactions as cold_chain_reactions
from cloud_api.configuration.maintenance import MaintenanceGate
from cloud_api.customers.finding import AddressFinder
from cloud_api.customers.personal_data import PERSONAL_DATA as CUSTOMERS_PERSONAL_DATA
from cloud_api.customers.searchable import everything as all_customers
from cloud_api.devices.provisioning.authenticate import gateways
from cloud_api.devices.sensors.calibrations import CalibrationReminder
from cloud_api.devices.sensors.searchable import everything as all_sensors
from cloud_api.exchange.runner import Exchanger
from cloud_api.identity.allowlist.gate import AllowlistGate
from cloud_api.identity.events import MailDue, SmsCodeDue
from cloud_api.identity.federation.providers import guard_setting as guard_single_sign_on
from cloud_api.identity.machines.authenticate import api_keys, clients_tokens, signing_secret
from cloud_api.identity.privacy.holders import IDENTITY as IDENTITY_PERSONAL_DATA
from cloud_api.identity.privacy.reactions import reactions as privacy_reactions
from cloud_api.identity.refusals import Refusals
from cloud_api.identity.sessions.authenticate import people, visit
from cloud_api.identity.sessions.keyring import Keyring
from cloud_api.inventory.assets.lending import OverdueReminder
from cloud_api.inventory.assets.searchable import everything as all_assets
from cloud_api.inventory.ledger.searchable import everything as all_lots
from cloud_api.inventory.reactions import REACTIONS as INVENTORY_REACTIONS
from cloud_api.inventory.replenishment.watching import StockKeeper
from cloud_api.inventory.reservations.expiry import ReservationExpiry
from cloud_api.inventory.reservations.grouping import ReservationDoor
from cloud_api.inventory.sightings.judge import judge as judge_inventory
from cloud_api.inventory.sightings.portals.settling import PortalWatch
from cloud_api.kernel import clock, http, logs, region_map, vault, wire
from cloud_api.kernel.db import Database
from cloud_api.kernel.outbox import Dispatcher, Subscription, effect
from cloud_api.kernel.permissions import Principal
from cloud_api.kernel.rate_limits import RateLimits
from cloud_api.kernel.settings import Settings
from cloud_api.kernel.vault import Vault
from cloud_api.logistics.deliveries.attempts import last_attempts
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.retiring import refuse_while_on_route
from cloud_api.logistics.deliveries.states import DeliveryStatus
from cloud_api.logistics.dispatch.planner import Planner
from cloud_api.logistics.dispatch.roads import RoadMap
from cloud_api.logistics.events import PlanningRequested
from cloud_api.logistics.fleet.maintenance import FleetReminder
from cloud_api.logistics.reactions import REACTIONS as LOGISTICS_REACTIONS
from cloud_api.logistics.tracking import links as tracking_links
from cloud_api.logistics.tracking.door import PositionDoor
from cloud_api.logistics.tracking.expiry import PositionExpiry
from cloud_api.logistics.tracking.watching import RoadWatch
from cloud_api.media.events import ObjectsUnneeded
from cloud_api.media.service import remove_unneeded
from cloud_api.media.storage import Files
from cloud_api.media.sweeper import UploadSweeper
from cloud_api.migrations import migrate
from cloud_api.notifications.contact_sending import ContactExpiry, send_contact_message
from cloud_api.notifications.deliveries import mail_notification, text_notification
from cloud_api.notifications.events import (
    ContactMessageDue,
    NotificationMailDue,
    NotificationSmsDue,
    NotificationWritten,
)
from cloud_api.notifications.held import QuietHoursWatch
from cloud_api.notifications.mail import PostOffice, open_post_office, send_mail
from cloud_api.notifications.personal_data import PERSONAL_DATA as NOTIFICATIONS_PERSONAL_DATA
from cloud_api.notifications.push import FcmPush, push_notification
from cloud_api.notifications.sms import TwilioSms, open_sms, send_sms_code
from cloud_api.orders.book.searchable import everything as all_orders
from cloud_api.orders.payments.events import CaptureDue, RefundDue
from cloud_api.orders.payments.online import capture as capture_payment
from cloud_api.orders.payments.provider import Razorpay, open_razorpay
from cloud_api.orders.payments.reactions import REACTIONS as PAYMENT_REACTIONS
from cloud_api.orders.payments.refunding import send_refund
from cloud_api.orders.payments.watching import PaymentWatch
from cloud_api.places import service as places
from cloud_api.realtime.hub import Hub, topic_of
from cloud_api.returns.reactions import REACTIONS as RETURN_REACTIONS
from cloud_api.search.events import ReindexRequested
from cloud_api.search.rebuilding import Everything, reindexer
from cloud_api.telemetry.intake.door import Intake
from cloud_api.telemetry.intake.ingest import Means
from cloud_api.telemetry.retention.expiry import ReadingExpiry
from cloud_api.telemetry.stores.opening import open_store
from cloud_api.telemetry.stores.port import ReadingStore
from cloud_api.telemetry.stores.sealing import ReadingSealer
from cloud_api.worker import connected, running

#: shown every stored batch, in this order, in the transaction that stores it
JUDGES = (judge_cold_chain, judge_inventory)
#: who holds personal data; identity comes last, because the others find theirs by what it holds
PERSONAL_DATA = (NOTIFICATIONS_PERSONAL_DATA, CUSTOMERS_PERSONAL_DATA, *IDENTITY_PERSONAL_DATA)
#: whose things are found: each room says what it has, when the index is built again
SEARCHABLE: tuple[Everything, ...] = (
    all_categories,
    all_products,
    all_customers,
    all_sensors,
    all_lots,
    all_assets,
    all_orders,
)


async def seen_warehouses(db: AsyncSession, principal: Principal) -> frozenset[uuid.UUID] | None:
    """The warehouses that somebody is confined to, for rooms that stand below `places`."""
    return (await places.visible_to(db, principal)).warehouse_ids


async def route_of(db: AsyncSession, order_id: uuid.UUID) -> str:
    """The number of the planned route that has an order, for rooms that stand below `logistics`; empty: none has."""
    its = select(Route.number).join(Delivery, Delivery.route_id == Route.id)
    planned = its.where(Delivery.order_id == order_id, Delivery.status == DeliveryStatus.ASSIGNED)
    return await db.scalar(planned.limit(1)) or ""


def subscriptions(
    push: FcmPush | None,
    planner: Planner,
    hub: Hub,
    *,
    office: PostOffice,
    sms: TwilioSms | None,
    store: ReadingStore,
    files: Files,
    razorpay: Razorpay | None = None,
) -> list[Subscription]:
    """Who hears which event."""

    async def wake_planner(_database: Database, _organization_id: uuid.UUID, _event: PlanningRequested) -> None:
        planner.wake()

    async def wake_guards(_database: Database, organization_id: uuid.UUID, _event: SecurityEventRaised) -> None:
        hub.announce(topic_of("security", organization_id, organization_id))

    return [
        *INVENTORY_REACTIONS,
        *cold_chain_reactions(store),
        *PAYMENT_REACTIONS,
        *LOGISTICS_REACTIONS,
        *RETURN_REACTIONS,
        *privacy_reactions(PERSONAL_DATA),
        effect(NotificationWritten, "notifications.push", functools.partial(push_notification, push)),
        effect(NotificationMailDue, "notifications.notice_mail", functools.partial(mail_notification, office)),
        effect(NotificationSmsDue, "notifications.notice_sms", functools.partial(text_notification, sms)),
        effect(
            ContactMessageDue, "notifications.contact_message", functools.partial(send_contact_message, office, sms)
        ),
        effect(CaptureDue, "payments.capture", functools.partial(capture_payment, razorpay)),
        effect(RefundDue, "payments.send_refund", functools.partial(send_refund, razorpay)),
        effect(MailDue, "notifications.mail", functools.partial(send_mail, office)),
        effect(SmsCodeDue, "notifications.sms_code", functools.partial(send_sms_code, sms)),
        effect(ReindexRequested, "search.reindex", reindexer(SEARCHABLE)),
        effect(ObjectsUnneeded, "media.remove_unneeded", functools.partial(remove_unneeded, files)),
        effect(PlanningRequested, "logistics.wake_planner", wake_planner),
        effect(SecurityEventRaised, "realtime.wake_guards", wake_guards),
    ]


def prepare(settings: Settings) -> None:
    """Process-wide matters: the clock, the vault, our own address, and the logs."""
    tracking_links.use(settings.public_url)
    vault.use(Vault(settings.encryption_keys.get_secret_value().split(",")))
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
        sms = open_sms(settings)
        if sms is not None:
            stack.callback(sms.close)
        office = open_post_office(settings)
        store = open_store(settings)
        stack.push_async_callback(store.close)
        razorpay = open_razorpay(settings)
        if razorpay is not None:
            stack.callback(razorpay.close)
        files = Files.of(settings)
        heard = subscriptions(push, planner, hub, office=office, sms=sms, store=store, files=files, razorpay=razorpay)
        yield Dispatcher(database, heard)


@asynccontextmanager
async def background(settings: Settings, database: Database, hub: Hub, *, work_here: bool) -> AsyncIterator[None]:
    """What goes on beside the requests; with `work_here` this process delivers, plans and seals."""
    planner = Planner(database, roads=RoadMap.of(settings))
    async with AsyncExitStack() as stack:
        dispatcher = await stack.enter_async_context(open_dispatcher(settings, database, planner, hub))
        fanout = settings.fanout_redis_url.get_secret_value()
        await stack.enter_async_context(connected(database, dispatcher, hub, fanout_redis_url=fanout))
        if work_here:
            sealer = Sealer(database, settings.audit_key.get_secret_value())
            store = open_store(settings)
            stack.push_async_callback(store.close)
            razorpay = open_razorpay(settings)
            if razorpay is not None:
                stack.callback(razorpay.close)
            await stack.enter_async_context(
                running(
                    dispatcher=dispatcher.run(),
                    planner=planner.run(),
                    watchdog=Watchdog(database, store).run(),
                    sealer=sealer.run(),
                    reading_sealer=ReadingSealer(database, after_days=settings.seal_readings_after_days).run(),
                    reading_expiry=ReadingExpiry(database).run(),
                    escalator=Escalator(database).run(),
                    reservation_expiry=ReservationExpiry(database).run(),
                    stock_keeper=StockKeeper(database).run(),
                    quiet_hours=QuietHoursWatch(database).run(),
                    upload_sweeper=UploadSweeper(database, settings.media_folder).run(),
                    calibration_reminder=CalibrationReminder(database).run(),
                    exchanger=Exchanger(database, Files.of(settings)).run(),
                    portal_watch=PortalWatch(database).run(),
                    overdue_reminder=OverdueReminder(database).run(),
                    road_watch=RoadWatch(database).run(),
                    position_expiry=PositionExpiry(database).run(),
                    contact_expiry=ContactExpiry(database).run(),
                    fleet_reminder=FleetReminder(database).run(),
                    payment_watch=PaymentWatch(database, razorpay).run(),
                    request_expiry=RequestExpiry(database).run(),
                )
            )
        yield


def create_app(settings: Settings) -> FastAPI:
    """The web application. Embedded (SQLite) it delivers its own events; otherwise workers do."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database: Database = app.state.database
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            stack.push_async_callback(app.state.request_history.flush, database)
            stack.push_async_callback(app.state.rate_limits.close)
            stack.push_async_callback(app.state.reading_store.close)
            if app.state.razorpay is not None:
                stack.callback(app.state.razorpay.close)
            await stack.enter_async_context(background(settings, database, app.state.hub, work_here=database.is_sqlite))
            await stack.enter_async_context(running(request_history=app.state.request_history.run(database)))
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
    equip(app, settings)
    http.install(app, settings)
    api.install(app)
    app.openapi = functools.cache(functools.partial(_openapi, app))  # type: ignore[method-assign]
    return app


def equip(app: FastAPI, settings: Settings) -> None:
    """Give an application everything that its routes find in `app.state`, all of it new."""
    app.state.settings = settings
    app.state.database = Database(settings.database_url)
    app.state.request_history = RequestHistory()
    app.state.request_observers = (app.state.request_history.note,)
    app.state.hub = Hub()
    app.state.region_map = None if settings.region_map is None else region_map.read(settings.region_map)
    app.state.judges = JUDGES
    app.state.reading_store = open_store(settings)
    app.state.razorpay = open_razorpay(settings)
    app.state.intake = Intake(
        Means(app.state.judges, app.state.reading_store), waiting_bytes=settings.ingest_waiting_bytes
    )
    app.state.reservation_door = ReservationDoor()
    app.state.position_door = PositionDoor()
    app.state.address_finder = AddressFinder(settings)
    app.state.delivery_attempts = last_attempts
    app.state.personal_data = PERSONAL_DATA
    app.state.known_revisions = migrate.revisions
    app.state.maintenance = MaintenanceGate()
    app.state.write_gates = (app.state.maintenance,)
    app.state.keyring = Keyring(settings.secret_key.get_secret_value())
    refusals = Refusals()
    app.state.authenticators = (
        gateways(),
        api_keys(refusals),
        people(app.state.keyring, two_factor_for_admins=settings.two_factor_for_admins),
        clients_tokens(app.state.keyring),
    )
    app.state.signing_secret = signing_secret
    app.state.allowlist = AllowlistGate(refusals)
    app.state.admission_gates = (app.state.allowlist,)
    app.state.setting_guards = (app.state.allowlist.guard_setting, guard_single_sign_on)
    app.state.currency_guards = (guard_currency,)
    app.state.retire_guards = (refuse_while_on_route,)
    app.state.visit = visit
    app.state.seen_warehouses = seen_warehouses
    app.state.who_has_orders = (route_of,)
    app.state.rate_limits = RateLimits(settings)


def _operation_id(route: APIRoute) -> str:
    return route.name


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document, with the machines' wire types and the websocket paths."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    document["components"]["schemas"].update(wire.schemas())
    document["x-websockets"] = api.WEBSOCKETS
    return document
