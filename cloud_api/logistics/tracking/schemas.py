"""Where vans are, as it travels over HTTP."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.logistics.deliveries.schemas import Latitude, Longitude, RouteDetailRead


class PositionReport(RequestModel):
    """Where the van was. The same instant twice is one position."""

    recorded_at: AwareDatetime
    latitude: Latitude
    longitude: Longitude
    speed_kmh: Annotated[float, Field(ge=0, le=250, allow_inf_nan=False)] | None = None


class TrackRead(ResponseModel):
    """Where a route is."""

    route: RouteDetailRead
    latitude: float | None
    longitude: float | None
    recorded_at: datetime | None
