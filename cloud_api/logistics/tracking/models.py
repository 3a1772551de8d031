"""Where the vans were and are, what they crossed, and what customers were told of them."""

import uuid
from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.tenancy import OrganizationOwned, same_organization
from cloud_api.kernel.vault import Sealed
from cloud_api.kernel.versions import Versioned

FENCE_KINDS = ("depot", "customer", "restricted")
SHAPES = ("circle", "polygon")
CROSSINGS = ("enter", "exit")
_PRESENT = "removed_at IS NULL"
_UNJUDGED = "NOT is_judged"


class VehiclePosition(OrganizationOwned, Base):
    """Where a van was; append-only, until its time is over (`expiry`)."""

    __tablename__ = "vehicle_positions"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("vehicle_id", "recorded_at"),
        Index("ix_vehicle_positions_route", "route_id", "recorded_at"),
        same_organization("vehicle_id", "vehicles"),
        same_organization("route_id", "delivery_routes"),
    )

    vehicle_id: Mapped[uuid.UUID]
    #: None: on no route
    route_id: Mapped[uuid.UUID | None]
    #: by the phone's clock
    recorded_at: Mapped[datetime]
    #: degrees, WGS 84
    latitude: Mapped[float]
    longitude: Mapped[float]
    speed_kmh: Mapped[float | None]
    #: degrees from north, clockwise
    heading_deg: Mapped[float | None]
    #: how far off it may be; None: the phone did not say
    accuracy_m: Mapped[float | None]


class VehicleLastPosition(OrganizationOwned, Base):
    """The newest position of a van, and how far its positions have been looked at."""

    __tablename__ = "vehicle_last_positions"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("vehicle_id"),
        Index(
            "ix_vehicle_last_positions_unjudged",
            "organization_id",
            sqlite_where=text(_UNJUDGED),
            postgresql_where=text(_UNJUDGED),
        ),
        same_organization("vehicle_id", "vehicles"),
        same_organization("route_id", "delivery_routes"),
    )

    vehicle_id: Mapped[uuid.UUID]
    route_id: Mapped[uuid.UUID | None]
    recorded_at: Mapped[datetime]
    latitude: Mapped[float]
    longitude: Mapped[float]
    speed_kmh: Mapped[float | None]
    heading_deg: Mapped[float | None]
    accuracy_m: Mapped[float | None]
    #: when its phone last sent any position, however old
    heard_at: Mapped[datetime]
    #: positions up to here were held against the fences; None: none was
    judged_until: Mapped[datetime | None]
    is_judged: Mapped[bool] = mapped_column(default=False)


class Geofence(Versioned, OrganizationOwned, Base):
    """A circle or a polygon on the map: who comes in and goes out is written down."""

    __tablename__ = "geofences"
    __table_args__ = (
        # a name is free again when its fence is gone
        Index(
            "uq_geofences_organization_id_name",
            "organization_id",
            "name",
            unique=True,
            sqlite_where=text(_PRESENT),
            postgresql_where=text(_PRESENT),
        ),
        CheckConstraint(f"kind IN {FENCE_KINDS}", name="kind"),
        CheckConstraint(f"shape IN {SHAPES}", name="shape"),
        CheckConstraint(
            "(shape = 'circle' AND latitude IS NOT NULL AND longitude IS NOT NULL AND radius_m IS NOT NULL)"
            " OR (shape = 'polygon' AND radius_m IS NULL)",
            name="drawn",
        ),
        same_organization("warehouse_id", "warehouses"),
        same_organization("customer_id", "customers"),
    )

    name: Mapped[str]
    kind: Mapped[str]
    shape: Mapped[str]
    #: of a circle: its centre
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    radius_m: Mapped[int | None]
    #: of a polygon: its corners, [latitude, longitude], the last one joined to the first; empty for a circle
    corners: Mapped[list[list[float]]] = mapped_column(JSON, default=list)
    #: what it lies within, degrees: most positions are ruled out by these
    south: Mapped[float]
    west: Mapped[float]
    north: Mapped[float]
    east: Mapped[float]
    #: whose it is; None: everybody's
    warehouse_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    customer_id: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class GeofencePresence(OrganizationOwned, Base):
    """A van that is inside a fence."""

    __tablename__ = "geofence_presences"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("vehicle_id", "geofence_id"),
        same_organization("geofence_id", "geofences"),
        same_organization("vehicle_id", "vehicles"),
    )

    geofence_id: Mapped[uuid.UUID]
    vehicle_id: Mapped[uuid.UUID]
    entered_at: Mapped[datetime]


class GeofenceEvent(OrganizationOwned, Base):
    """A van came into a fence, or left it; append-only."""

    __tablename__ = "geofence_events"
    __audited__ = False
    __table_args__ = (
        CheckConstraint(f"event IN {CROSSINGS}", name="event"),
        Index("ix_geofence_events_route", "route_id", "at"),
        same_organization("geofence_id", "geofences"),
        same_organization("vehicle_id", "vehicles"),
        same_organization("route_id", "delivery_routes"),
    )

    geofence_id: Mapped[uuid.UUID] = mapped_column(index=True)
    vehicle_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: that it was driving; None: none
    route_id: Mapped[uuid.UUID | None]
    event: Mapped[str]
    #: by the phone's clock
    at: Mapped[datetime]
    latitude: Mapped[float]
    longitude: Mapped[float]


class DeliveryTrack(OrganizationOwned, Base):
    """What is known of a van's coming to one door, and what its customer was last told."""

    __tablename__ = "delivery_tracks"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("delivery_id"),
        same_organization("delivery_id", "deliveries"),
    )

    delivery_id: Mapped[uuid.UUID]
    #: since when the van is near the door; None: it is not
    near_since: Mapped[datetime | None]
    #: when it stopped there, by its positions; that it has arrived, the driver says
    arrived_by_fence_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    told_p50_at: Mapped[datetime | None]
    told_p90_at: Mapped[datetime | None]


class EtaPromise(OrganizationOwned, Base):
    """What a customer was told about an arrival, and what came of it."""

    __tablename__ = "eta_promises"
    __audited__ = False
    __table_args__ = (
        Index("ix_eta_promises_arrived", "organization_id", "arrived_at"),
        same_organization("delivery_id", "deliveries"),
    )

    delivery_id: Mapped[uuid.UUID] = mapped_column(index=True)
    told_at: Mapped[datetime]
    #: half of the arrivals come before it
    p50_at: Mapped[datetime]
    #: nine of ten arrivals come so much later than `p50_at`, or earlier
    band_s: Mapped[int]
    #: how many doors lay between the van and this one, this one included
    legs: Mapped[int]
    #: None: not arrived yet, or never
    arrived_at: Mapped[datetime | None]
    #: how much later than `p50_at` that was; negative: earlier
    error_s: Mapped[int | None]


class RouteWatch(OrganizationOwned, Base):
    """When a route under way was last looked at, and whether its phone is silent."""

    __tablename__ = "route_watches"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("route_id"),
        same_organization("route_id", "delivery_routes"),
    )

    route_id: Mapped[uuid.UUID]
    looked_at: Mapped[datetime | None]
    #: when the phone was last heard before it fell silent; None: it speaks
    silent_since: Mapped[datetime | None]


class TrackingLink(OrganizationOwned, Base):
    """The address by which whoever waits for an order sees it come. Only its hash is looked for."""

    __tablename__ = "tracking_links"
    __audited__ = False
    __table_args__ = (
        UniqueConstraint("order_id"),
        UniqueConstraint("token_sha256"),
        same_organization("order_id", "customer_orders"),
    )

    order_id: Mapped[uuid.UUID]
    token_sha256: Mapped[str]
    #: to tell the same address again
    token: Mapped[str] = mapped_column(Sealed)
    created_at: Mapped[datetime]
