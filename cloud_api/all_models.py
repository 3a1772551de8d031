"""Every table there is, for migrations and tests: importing this fills `metadata`."""

from cloud_api.analytics.load import models as request_history
from cloud_api.audit import models as audit
from cloud_api.catalog.categories import models as categories
from cloud_api.catalog.products import image_models as product_images
from cloud_api.catalog.products import models as products
from cloud_api.cold_chain.alerts import models as cold_chain_alerts
from cloud_api.cold_chain.evidence import models as cold_chain_evidence
from cloud_api.cold_chain.excursions import models as cold_chain_excursions
from cloud_api.cold_chain.exposure import models as cold_chain_exposure
from cloud_api.cold_chain.judging import models as cold_chain_judging
from cloud_api.cold_chain.rules import models as cold_chain_rules
from cloud_api.configuration import models as configuration
from cloud_api.customers import models as customers
from cloud_api.devices import models as devices
from cloud_api.devices.alarms import models as gateway_alarms
from cloud_api.devices.commands import models as gateway_commands
from cloud_api.devices.configuration import models as gateway_configuration
from cloud_api.devices.heartbeats import models as gateway_heartbeats
from cloud_api.devices.logs import models as gateway_logs
from cloud_api.devices.readers import models as readers
from cloud_api.devices.scales import models as scales
from cloud_api.exchange import models as exchange
from cloud_api.identity.allowlist import models as allowlist
from cloud_api.identity.federation import models as federation
from cloud_api.identity.invitations import models as invitations
from cloud_api.identity.machines import models as machines
from cloud_api.identity.organizations import models as organizations
from cloud_api.identity.people import models as people
from cloud_api.identity.privacy import models as privacy
from cloud_api.identity.roles import models as roles
from cloud_api.identity.saved_views import models as saved_views
from cloud_api.identity.sessions import models as sessions
from cloud_api.identity.teams import models as teams
from cloud_api.inventory.assets import models as items
from cloud_api.inventory.holds import models as holds
from cloud_api.inventory.ledger import models as ledger
from cloud_api.inventory.lots import models as lots
from cloud_api.inventory.replenishment import models as replenishment
from cloud_api.inventory.sightings import models as sightings
from cloud_api.inventory.sightings.portals import models as portals
from cloud_api.inventory.sightings.tags import models as rfid_tags
from cloud_api.inventory.sightings.weighing import models as weighing
from cloud_api.inventory.takes import models as stock_takes
from cloud_api.inventory.transfers import models as transfers
from cloud_api.kernel import idempotency, numbers, outbox
from cloud_api.kernel.db import Base
from cloud_api.logistics.deliveries import models as deliveries
from cloud_api.logistics.dispatch import models as dispatch
from cloud_api.logistics.fleet import models as fleet
from cloud_api.logistics.sync import models as phone_log
from cloud_api.logistics.tracking import models as tracking
from cloud_api.media import models as media
from cloud_api.notifications import models as notifications
from cloud_api.orders.book import models as orders
from cloud_api.orders.payments import models as payments
from cloud_api.orders.picking import models as picking
from cloud_api.orders.slots import models as delivery_slots
from cloud_api.places import models as places
from cloud_api.recalls import models as recalls
from cloud_api.returns import models as returns
from cloud_api.search import models as search
from cloud_api.telemetry import models as telemetry
from cloud_api.telemetry.retention import models as retention

MODULES = (
    organizations,
    roles,
    people,
    sessions,
    saved_views,
    teams,
    invitations,
    privacy,
    federation,
    machines,
    allowlist,
    idempotency,
    numbers,
    outbox,
    audit,
    configuration,
    places,
    categories,
    products,
    product_images,
    customers,
    devices,
    gateway_alarms,
    gateway_commands,
    gateway_configuration,
    gateway_heartbeats,
    gateway_logs,
    readers,
    scales,
    telemetry,
    retention,
    ledger,
    holds,
    replenishment,
    lots,
    items,
    sightings,
    transfers,
    stock_takes,
    rfid_tags,
    portals,
    weighing,
    notifications,
    media,
    search,
    cold_chain_alerts,
    cold_chain_evidence,
    cold_chain_excursions,
    cold_chain_exposure,
    cold_chain_judging,
    cold_chain_rules,
    delivery_slots,
    orders,
    payments,
    returns,
    picking,
    exchange,
    fleet,
    dispatch,
    deliveries,
    tracking,
    phone_log,
    recalls,
    request_history,
)

metadata = Base.metadata
