"""Where things are: warehouses, and the tree of places in them. A vehicle is a place with wheels."""

import uuid
from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.versions import Versioned

LOCATION_TYPES = (
    "warehouse",
    "building",
    "room",
    "zone",
    "rack",
    "bin",
    "office",
    "job_site",
    "storage_unit",
    "vehicle",
    "transit",
)
STORAGE_TYPES = ("cold_storage", "freezer", "ambient", "dry_storage")
#: goods that must be kept in the one may lie in these; goods of which nobody said may lie anywhere
FITS = {
    "cold_storage": frozenset({"cold_storage"}),
    "freezer": frozenset({"freezer"}),
    "ambient": frozenset({"ambient", "dry_storage"}),
    "dry_storage": frozenset({"ambient", "dry_storage"}),
}
LOCATION_STATUSES = ("active", "maintenance", "inactive")


class Warehouse(Versioned, OrganizationOwned, Base):
    """A site that keeps stock."""

    __tablename__ = "warehouses"
    __table_args__ = (
        UniqueConstraint("organization_id", "code"),
        CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="coordinates"),
        CheckConstraint("capacity_limit_kg > 0", name="capacity"),
        same_organization("manager_id", "users"),
    )

    code: Mapped[str]
    name: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    #: degrees, WGS 84; routes start and end here
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    #: IANA: by this calendar goods expire here; None: by the organisation's
    timezone: Mapped[str | None]
    #: what it is built for; its utilisation is measured by it
    capacity_limit_kg: Mapped[float | None]
    manager_id: Mapped[uuid.UUID | None]
    #: an inactive one takes nothing in
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class Location(Versioned, OrganizationOwned, Base):
    """A place that holds stock: a room, a rack in it, a van. Children lie within their parent."""

    __tablename__ = "locations"
    __table_args__ = (
        # a code is free again when its place is gone
        Index(
            "uq_locations_organization_id_code",
            "organization_id",
            "code",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
        UniqueConstraint("organization_id", "transit_to_id"),
        CheckConstraint(f"location_type IN {LOCATION_TYPES}", name="location_type"),
        CheckConstraint(f"storage_type IN {STORAGE_TYPES}", name="storage_type"),
        CheckConstraint(f"status IN {LOCATION_STATUSES}", name="status"),
        CheckConstraint("capacity_kg > 0", name="capacity"),
        CheckConstraint("humidity_min_pct < humidity_max_pct", name="humidity"),
        same_organization("warehouse_id", "warehouses"),
        same_organization("parent_id", "locations"),
        same_organization("transit_to_id", "warehouses"),
    )

    #: None for a vehicle, and for what is on its way
    warehouse_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    parent_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    code: Mapped[str]
    name: Mapped[str]
    location_type: Mapped[str]
    storage_type: Mapped[str]
    #: what this place is kept at; None where it does not matter
    temperature_min_c: Mapped[float | None]
    temperature_max_c: Mapped[float | None]
    humidity_min_pct: Mapped[float | None]
    humidity_max_pct: Mapped[float | None]
    #: what may lie in it and in everything inside it; None: nobody counts
    capacity_kg: Mapped[float | None]
    #: where it is on the floor plan: `schemas.FloorArea`
    map: Mapped[dict[str, float] | None] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(default="active")
    #: the warehouse that what lies here is on its way to
    transit_to_id: Mapped[uuid.UUID | None]
    #: since when it is gone; what happened in it still names it
    removed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class WarehouseMember(OrganizationOwned, Base):
    """A warehouse that a person is confined to, among others. Who has no row sees them all."""

    __tablename__ = "warehouse_members"
    __table_args__ = (
        UniqueConstraint("user_id", "warehouse_id"),
        same_organization("user_id", "users", ondelete="CASCADE"),
        # never with the warehouse: whoever lost the last row would see everything
        same_organization("warehouse_id", "warehouses"),
    )

    user_id: Mapped[uuid.UUID]
    warehouse_id: Mapped[uuid.UUID]
