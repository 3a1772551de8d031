"""Where things are: warehouses, and the tree of places in them. A vehicle is a place with wheels."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization

LOCATION_TYPES = ("building", "room", "zone", "rack", "bin", "vehicle")
STORAGE_TYPES = ("cold_storage", "freezer", "ambient", "dry_storage")


class Warehouse(OrganizationOwned, Base):
    """A site that keeps stock."""

    __tablename__ = "warehouses"
    __table_args__ = (
        UniqueConstraint("organization_id", "code"),
        CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="coordinates"),
    )

    code: Mapped[str]
    name: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    #: degrees, WGS 84; routes start and end here
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    created_at: Mapped[datetime]


class Location(OrganizationOwned, Base):
    """A place that holds stock: a room, a rack in it, a van. Children lie within their parent."""

    __tablename__ = "locations"
    __table_args__ = (
        UniqueConstraint("organization_id", "code"),
        CheckConstraint(f"location_type IN {LOCATION_TYPES}", name="location_type"),
        CheckConstraint(f"storage_type IN {STORAGE_TYPES}", name="storage_type"),
        same_organization("warehouse_id", "warehouses"),
        same_organization("parent_id", "locations"),
    )

    #: None for a vehicle
    warehouse_id: Mapped[uuid.UUID | None]
    parent_id: Mapped[uuid.UUID | None]
    code: Mapped[str]
    name: Mapped[str]
    location_type: Mapped[str]
    storage_type: Mapped[str]
    #: what this place is kept at; None where it does not matter
    temperature_min_c: Mapped[float | None]
    temperature_max_c: Mapped[float | None]
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
