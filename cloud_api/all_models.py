"""Every table there is, for migrations and tests: importing this fills `metadata`."""

from cloud_api.catalog import models as catalog
from cloud_api.cold_chain import models as cold_chain
from cloud_api.customers import models as customers
from cloud_api.devices import models as devices
from cloud_api.identity import models as identity
from cloud_api.inventory import models as inventory
from cloud_api.kernel import idempotency, numbers, outbox
from cloud_api.kernel.db import Base
from cloud_api.logistics import models as logistics
from cloud_api.media import models as media
from cloud_api.notifications import models as notifications
from cloud_api.orders import models as orders
from cloud_api.places import models as places
from cloud_api.telemetry import models as telemetry

MODULES = (
    identity,
    idempotency,
    numbers,
    outbox,
    places,
    catalog,
    customers,
    devices,
    telemetry,
    inventory,
    notifications,
    media,
    cold_chain,
    orders,
    logistics,
)

metadata = Base.metadata
