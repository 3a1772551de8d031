"""What an organisation has, as far as operations need it."""

from dataclasses import dataclass, field

from tests.factories.orders import Depot
from tests.factories.stores import ColdStore, make_cold_store
from tests.platform_under_test import Platform, Tenant


@dataclass
class World:
    """What an organisation has, as far as operations need it."""

    platform: Platform
    store: ColdStore
    numbers: int = 0
    depot: Depot | None = None
    operator: Tenant | None = None
    #: by what made it
    to_read: dict[object, str] = field(default_factory=dict)

    @property
    def tenant(self) -> Tenant:
        return self.store.tenant

    def number(self) -> int:
        self.numbers += 1
        return self.numbers


async def make_world(platform: Platform, tenant: Tenant) -> World:
    """A cold store; everything else as operations ask for it."""
    return World(platform, await make_cold_store(platform, tenant))
