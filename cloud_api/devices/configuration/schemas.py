"""What people set of a gateway's configuration, and its versions.

The limits among it are not set here: they are those of the cold chain's rules.
"""

import re
import uuid
from collections import Counter
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cloud_api.kernel.http import RequestModel, ResponseModel

_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
_WEEK_S = 7 * 24 * 3600
#: the last moment that every calendar has
_LATEST_MS = 253_402_300_799_999

DeviceName = Annotated[str, Field(min_length=1, max_length=200, examples=["z2m:cold-room-1"])]
QuantityName = Annotated[str, Field(min_length=1, max_length=64, examples=["temperature"])]
WatchName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._:-]{0,63}$", examples=["cold-room-1-silent"])]
RuleNames = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=100)]
PeriodS = Annotated[float, Field(ge=1, le=_WEEK_S, allow_inf_nan=False)]
Amount = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


class WatchWrite(RequestModel):
    """What a series must keep doing: be heard, and not change too quickly."""

    rule: WatchName
    sensor: DeviceName
    quantity: QuantityName
    kind: Literal["silent", "rising", "falling"]
    #: `silent`: how long without a reading; otherwise over how long the change is measured
    duration_s: PeriodS
    #: how large a change is too large; of `rising` and `falling`
    change: Amount | None = None
    #: once raised the alarm stays until somebody resets it
    latched: bool = False

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "WatchWrite":
        if (self.kind == "silent") != (self.change is None):
            raise ValueError(f"watch {self.rule}: rising and falling need a change, and silent has none")
        if _UUID.fullmatch(self.rule):
            raise ValueError(f"watch {self.rule}: rules of the cold chain are called so: give it another name")
        return self


class PauseWrite(RequestModel):
    """When a series is not judged, or by a wider limit: a defrost, a planned shutdown."""

    sensor: DeviceName
    quantity: QuantityName
    #: limits and watches; empty: all of the series
    rules: RuleNames = Field(default_factory=list)
    starts_at_ms: Annotated[int, Field(ge=0, le=_LATEST_MS)]
    duration_s: PeriodS
    #: how long after each start the next begins; none: once
    every_s: Annotated[float, Field(gt=0, le=366 * 24 * 3600, allow_inf_nan=False)] | None = None
    #: how much wider the limits are meanwhile; none: not judged at all
    relax_by: Amount | None = None

    @model_validator(mode="after")
    def _ends(self) -> "PauseWrite":
        if self.every_s is not None and round(self.every_s * 1000) <= round(self.duration_s * 1000):
            raise ValueError(f"pause of {self.sensor}: the next begins before it ends, so that nothing is ever judged")
        return self


class OutputWrite(RequestModel):
    """What the gateway does while alarms are active."""

    kind: Literal["gpio", "mqtt"]
    #: a pin, or a topic
    target: Annotated[str, Field(min_length=1, max_length=200, examples=["GPIO17"])]
    rules: RuleNames = Field(default_factory=list)
    #: also when the cloud has not been heard for this long
    cloud_silent_s: PeriodS | None = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> "OutputWrite":
        number = self.target.removeprefix("GPIO")
        is_pin = self.target != number and number.isdecimal() and number.isascii() and int(number) <= 53
        if self.kind == "gpio" and not is_pin:
            raise ValueError(f"output {self.target}: name the pin, as GPIO17")
        if self.kind == "mqtt" and {"+", "#"} & {*self.target}:
            raise ValueError(f"output {self.target}: a topic to publish on has no + and no #")
        return self


class ConfigUpdate(RequestModel):
    """All that people set of a gateway's configuration: what is not sent is taken away."""

    watches: Annotated[list[WatchWrite], Field(max_length=1000)] = Field(default_factory=list)
    pauses: Annotated[list[PauseWrite], Field(max_length=1000)] = Field(default_factory=list)
    outputs: Annotated[list[OutputWrite], Field(max_length=50)] = Field(default_factory=list)
    heartbeat_interval_s: Annotated[int, Field(ge=10, le=3600)] = 60

    @model_validator(mode="after")
    def _tells_watches_apart(self) -> "ConfigUpdate":
        twice = [name for name, count in Counter(watch.rule for watch in self.watches).items() if count > 1]
        if twice:
            raise ValueError(f"two watches are called {twice[0]!r}")
        return self


class RollbackRequest(RequestModel):
    """Which version's own part is wanted back."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class ConfigVersionRead(ResponseModel):
    """One version of a gateway's configuration, and what became of it."""

    id: uuid.UUID
    gateway_id: uuid.UUID
    version: int
    #: `GatewayConfig` of the wire
    config: dict[str, object]
    created_by: uuid.UUID | None
    created_at: datetime
    state: str
    acknowledged_at: datetime | None
    reason: str
