"""Evidence, as it travels over HTTP."""

import uuid
from datetime import datetime

from cloud_api.kernel.http import ResponseModel


class PublicKeyRead(ResponseModel):
    """The key that evidence is signed with."""

    algorithm: str
    #: 32 bytes in hexadecimal digits
    public_key: str


class SensorMinutes(ResponseModel):
    """How long a sensor was in excursion."""

    sensor_id: uuid.UUID
    minutes: float
    excursions: int


class MinutesRead(ResponseModel):
    """How long each sensor was in excursion in a period; one that is missing was not."""

    since: datetime
    until: datetime
    sensors: list[SensorMinutes]
