"""Every route of the platform, mounted in one place. Static paths stand before their `{id}` siblings."""

from typing import Any

from fastapi import FastAPI

from cloud_api.analytics.business.routes import router as business_figures
from cloud_api.analytics.load.routes import router as platform_figures
from cloud_api.analytics.operations.routes import router as operation_figures
from cloud_api.audit.activity_routes import router as activity
from cloud_api.audit.routes import router as audit
from cloud_api.catalog.categories.routes import router as categories
from cloud_api.catalog.products.image_routes import router as product_images
from cloud_api.catalog.products.part_routes import router as product_parts
from cloud_api.catalog.products.part_routes import words as product_tags
from cloud_api.catalog.products.routes import router as products
from cloud_api.catalog.products.routes import shelves
from cloud_api.cold_chain.alerts.routes import router as alerts
from cloud_api.cold_chain.evidence.routes import router as evidence
from cloud_api.cold_chain.evidence.temperature_routes import router as temperature_log
from cloud_api.cold_chain.excursions.routes import router as excursions
from cloud_api.cold_chain.exposure.routes import router as lot_exposure
from cloud_api.cold_chain.judging.routes import router as judging
from cloud_api.cold_chain.live import live as live_alerts
from cloud_api.cold_chain.rules.routes import router as alert_rules
from cloud_api.configuration.routes import router as configuration
from cloud_api.console.doors import ROOMS as CONSOLE
from cloud_api.customers.routes import geocoding
from cloud_api.customers.routes import own as own_addresses
from cloud_api.customers.routes import router as customers
from cloud_api.devices.alarms.routes import router as gateway_alarms
from cloud_api.devices.commands.routes import router as gateway_commands
from cloud_api.devices.configuration.routes import router as gateway_configuration
from cloud_api.devices.gateways.routes import router as gateways
from cloud_api.devices.heartbeats.routes import router as gateway_heartbeats
from cloud_api.devices.live import live as live_gateways
from cloud_api.devices.logs.routes import router as gateway_logs
from cloud_api.devices.provisioning.routes import router as gateway_provisioning
from cloud_api.devices.readers.routes import router as readers
from cloud_api.devices.scales.routes import router as scales
from cloud_api.devices.sensors.history_routes import router as sensor_histories
from cloud_api.devices.sensors.routes import router as sensors
from cloud_api.exchange.routes import exports, imports
from cloud_api.exchange.routes import products as product_exchange
from cloud_api.identity.administration.organization_routes import router as organizations
from cloud_api.identity.administration.role_routes import router as roles
from cloud_api.identity.administration.routes import router as people
from cloud_api.identity.allowlist.routes import router as allowlist
from cloud_api.identity.federation.admin_routes import router as identity_providers
from cloud_api.identity.federation.routes import router as federation
from cloud_api.identity.invitations.routes import router as invitations
from cloud_api.identity.machines.routes import router as machines
from cloud_api.identity.machines.token_routes import router as client_tokens
from cloud_api.identity.privacy.routes import router as privacy
from cloud_api.identity.saved_views.routes import router as saved_views
from cloud_api.identity.sessions.recovery_routes import router as recovery
from cloud_api.identity.sessions.routes import router as sessions
from cloud_api.identity.sessions.second_factor_routes import router as second_factor
from cloud_api.identity.teams.routes import router as teams
from cloud_api.inventory.assets.routes import router as items
from cloud_api.inventory.holds.routes import router as holds
from cloud_api.inventory.labels.routes import router as labels
from cloud_api.inventory.labels.scan_routes import router as scans
from cloud_api.inventory.live import live as live_stock
from cloud_api.inventory.lots.routes import router as lots
from cloud_api.inventory.occupancy.routes import router as occupancy
from cloud_api.inventory.replenishment.routes import router as replenishment
from cloud_api.inventory.reservations.routes import router as reservations
from cloud_api.inventory.sightings.live import live as live_sightings
from cloud_api.inventory.sightings.portals.routes import router as portals
from cloud_api.inventory.sightings.routes import router as sightings
from cloud_api.inventory.sightings.tags.routes import router as rfid_tags
from cloud_api.inventory.sightings.weighing.routes import router as weighing
from cloud_api.inventory.stock.product_routes import router as stocked_products
from cloud_api.inventory.stock.routes import router as stock
from cloud_api.inventory.takes.routes import router as stock_takes
from cloud_api.inventory.transfers.routes import router as transfers
from cloud_api.kernel.doorway import Doorway
from cloud_api.kernel.health import router as monitoring
from cloud_api.kernel.http import ErrorEnvelope
from cloud_api.kernel.inspection import router as inspection
from cloud_api.logistics.deliveries.routes import router as deliveries
from cloud_api.logistics.dispatch.live import live as live_jobs
from cloud_api.logistics.dispatch.routes import router as dispatch
from cloud_api.logistics.fleet.routes import router as fleet
from cloud_api.logistics.tracking.live import live as live_routes
from cloud_api.logistics.tracking.page_routes import pages as tracking_pages
from cloud_api.logistics.tracking.routes import router as tracking
from cloud_api.media.avatar_routes import router as avatars
from cloud_api.media.logo_routes import router as logos
from cloud_api.media.routes import router as media
from cloud_api.media.upload_routes import router as uploads
from cloud_api.mobile.position_routes import router as mobile_positions
from cloud_api.mobile.routes import router as mobile
from cloud_api.mobile.sign_in_routes import router as mobile_sign_in
from cloud_api.mobile.sync_routes import router as mobile_sync
from cloud_api.notifications.contact_routes import router as contact_messages
from cloud_api.notifications.live import live as live_notifications
from cloud_api.notifications.phone_routes import router as phones
from cloud_api.notifications.routes import router as notifications
from cloud_api.orders.book.routes import of_customers as orders_of_customers
from cloud_api.orders.book.routes import router as orders
from cloud_api.orders.book.shop_routes import router as shop
from cloud_api.orders.live import live as live_orders
from cloud_api.orders.payments.routes import provider as payment_provider
from cloud_api.orders.payments.routes import router as payments
from cloud_api.orders.picking.routes import router as picking
from cloud_api.orders.slots.routes import router as delivery_slots
from cloud_api.places.routes import members as warehouse_members
from cloud_api.places.routes import router as places
from cloud_api.realtime.routes import live as security_events
from cloud_api.recalls.routes import router as recalls
from cloud_api.returns.picture_routes import router as return_pictures
from cloud_api.returns.routes import of_orders as returns_of_orders
from cloud_api.returns.routes import router as returns
from cloud_api.search.routes import products as product_search
from cloud_api.search.routes import router as search
from cloud_api.telemetry.gaps.routes import router as gap_report
from cloud_api.telemetry.intake.routes import router as telemetry_ingest
from cloud_api.telemetry.retention.routes import router as retention
from cloud_api.telemetry.series.live import live as live_readings
from cloud_api.telemetry.series.routes import router as telemetry

PREFIX = "/api/v1"
#: who works here, and what the platform says of itself
_PEOPLE = (
    monitoring,
    inspection,
    audit,
    activity,
    business_figures,
    platform_figures,
    configuration,
    sessions,
    second_factor,
    saved_views,
    recovery,
    people,
    roles,
    organizations,
    teams,
    invitations,
    privacy,
    federation,
    identity_providers,
    client_tokens,
    machines,
    allowlist,
)
#: places, and what is kept in them
_GOODS = (
    warehouse_members,
    places,
    occupancy,
    shelves,
    categories,
    replenishment,
    product_tags,
    product_search,
    scans,
    labels,
    product_exchange,
    products,
    product_images,
    product_parts,
)
#: what stands in the stores, and what it says
_EDGE = (
    gateway_provisioning,
    gateways,
    gateway_heartbeats,
    gateway_configuration,
    gateway_commands,
    gateway_alarms,
    gateway_logs,
    gap_report,
    sensors,
    sensor_histories,
    readers,
    scales,
    retention,
    telemetry,
)
#: what lies where; `products/{id}` comes after every other `products/...`
_STOCK = (
    stock,
    stocked_products,
    reservations,
    holds,
    transfers,
    stock_takes,
    lots,
    lot_exposure,
    sightings,
    rfid_tags,
    portals,
    weighing,
    items,
)
#: who is told, what is ordered, and how it gets there
_CHAIN = (
    contact_messages,
    notifications,
    phones,
    search,
    imports,
    exports,
    alert_rules,
    alerts,
    evidence,
    temperature_log,
    excursions,
    judging,
    customers,
    own_addresses,
    orders_of_customers,
    geocoding,
    shop,
    delivery_slots,
    payments,
    payment_provider,
    operation_figures,
    returns_of_orders,
    returns,
    return_pictures,
    picking,
    orders,
    fleet,
    dispatch,
    tracking,
    deliveries,
    recalls,
    avatars,
    logos,
    uploads,
    media,
    mobile_sign_in,
    mobile_sync,
    mobile_positions,
    mobile,
)

#: websocket paths, for the OpenAPI document, which has no word for them
WEBSOCKETS = [
    "/ws/tracking/{route_id}",
    "/ws/admin/security-events",
    "/ws/telemetry/{location_id}",
    "/ws/alerts",
    "/ws/quality/alerts",
    "/ws/edge/status",
    "/ws/inventory/stock",
    "/ws/warehouse/sightings",
    "/ws/dispatch/jobs/{id}",
    "/ws/notifications/{user_id}",
    "/ws/orders",
]


#: each below `/ws`
_LIVE = (
    live_routes,
    security_events,
    live_readings,
    live_alerts,
    live_gateways,
    live_stock,
    live_sightings,
    live_jobs,
    live_notifications,
    live_orders,
)
#: what an operation answers that is not done, for the document
_REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorEnvelope, "description": "Not done, and why"},
    "503": {"model": ErrorEnvelope, "description": "Not possible now: try again after `Retry-After` seconds"},
}


def install(app: FastAPI) -> None:
    """Give the application every room's routes: under `/api/v1`, under `/ws`, and what people open in a browser."""
    # what gateways send is, of all there is, the most: it is asked first for a request's route
    for router in (telemetry_ingest, *_PEOPLE, *_GOODS, *_EDGE, *_STOCK, *_CHAIN):
        app.include_router(Doorway.to(router, under=PREFIX), prefix=PREFIX, responses=_REFUSALS)
    for router in (*_LIVE, tracking_pages, *CONSOLE):
        app.include_router(Doorway.to(router, under=""))
