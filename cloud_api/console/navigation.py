"""What each person finds in the console's navigation: the rooms that their rights open."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cloud_api.kernel.permissions import grants


@dataclass(frozen=True)
class Door:
    """One entry.

    Args:
        needs: any of these permissions opens it; none: everybody.
        also: paths of pages that lie behind it too.
    """

    title: str
    path: str
    icon: str
    needs: Sequence[str] = ()
    also: Sequence[str] = ()

    def leads_to(self, path: str) -> bool:
        """Whether a page lies behind it."""
        return any(path == own or path.startswith(f"{own}/") for own in (self.path, *self.also))


@dataclass(frozen=True)
class Wing:
    """Entries that belong together, under one heading."""

    title: str
    doors: Sequence[Door]


WINGS: Sequence[Wing] = (
    Wing(
        "Cold chain",
        (
            Door("Cold rooms", "/console/cold-rooms", "temperature", ("telemetry:read",)),
            Door("Excursions", "/console/excursions", "alert-triangle", ("alerts:read",)),
            Door("Rules and on-call", "/console/rules", "adjustments-alt", ("alerts:read",)),
            Door("Gateways", "/console/gateways", "router", ("devices:read",)),
        ),
    ),
    Wing(
        "Goods",
        (
            Door("Stock", "/console/stock", "packages", ("stock:read",)),
            Door("Lots", "/console/lots", "barcode", ("stock:read",)),
            Door("Warehouses", "/console/warehouses", "building-warehouse", ("stock:read",), ("/console/places",)),
            Door("Receiving", "/console/receiving", "package-import", ("stock:write",)),
            Door("Transfers", "/console/transfers", "transfer", ("stock:read",)),
            Door("Counting", "/console/counts", "clipboard-check", ("stock:read",)),
            Door("Movements", "/console/movements", "arrows-exchange", ("stock:read",)),
            Door("Portals, tags and scales", "/console/sightings", "antenna", ("stock:read",)),
            Door("Assets", "/console/assets", "tool", ("items:read",)),
            Door("Labels and codes", "/console/labels", "printer", ("products:read",)),
            Door("Products", "/console/products", "leaf", ("products:read",)),
        ),
    ),
    Wing(
        "Deliveries",
        (
            Door("Orders", "/console/orders", "shopping-cart", ("orders:read",)),
            Door("Customers", "/console/customers", "address-book", ("customers:read",)),
            Door("Dispatch", "/console/dispatch", "route", ("dispatch:read",)),
            Door("Picking", "/console/picking", "basket", ("orders:fulfill",)),
            Door("On the road", "/console/deliveries", "truck-delivery", ("deliveries:read",)),
            Door("Fleet", "/console/fleet", "truck", ("fleet:read",)),
            Door("Geofences", "/console/geofences", "map-2", ("routes:read",)),
            Door("Returns", "/console/returns", "truck-return", ("returns:read",)),
            Door("My route", "/console/driver", "steering-wheel", ("deliveries:update_status",)),
        ),
    ),
    Wing(
        "Administration",
        (
            Door("Performance", "/console/performance", "chart-dots", ("analytics:warehouse", "analytics:logistics")),
            Door("Figures", "/console/management", "chart-bar", ("analytics:business", "analytics:system")),
            Door("People", "/console/people", "users", ("users:read",), ("/console/roles", "/console/teams")),
            Door("Security", "/console/security", "shield-lock", ("security:read", "audit:read"), ("/console/audit",)),
            Door(
                "Files in and out",
                "/console/imports",
                "database-import",
                ("imports:run",),
                ("/console/exports",),
            ),
            Door("Organisations", "/console/organizations", "building", ("platform:manage",)),
            Door("Settings", "/console/settings", "settings", ("settings:read",)),
        ),
    ),
)


def open_to(permissions: Collection[str]) -> list[Wing]:
    """What of it somebody with these permissions may enter."""
    wings = []
    for wing in WINGS:
        doors = [
            door for door in wing.doors if not door.needs or any(grants(permissions, needed) for needed in door.needs)
        ]
        if doors:
            wings.append(Wing(wing.title, doors))
    return wings
