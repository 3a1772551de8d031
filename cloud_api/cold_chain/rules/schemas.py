"""Rules, as they travel over HTTP."""

import uuid
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel

Value = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
DurationS = Annotated[int, Field(ge=0, le=86_400)]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Severity = Literal["info", "warning", "critical"]
RuleKind = Literal["high", "low", "rising", "falling", "silent", "cumulative_high", "cumulative_low"]


class RuleCreate(RequestModel):
    """What a place and everything inside it must keep to."""

    name: Name
    location_id: uuid.UUID
    #: `any` for a silent rule about every sensor there
    quantity: Annotated[str, Field(min_length=1, max_length=64)] = "temperature"
    kind: RuleKind
    #: high, low and cumulative rules need it; not sent, `clear_at` is the same
    set_at: Value | None = None
    clear_at: Value | None = None
    #: high, low: how long it must be broken; rising, falling: over how long the change is measured; cumulative: how
    #: long a local day the limit may be passed; silent: how long without a word, 0 for each sensor's own period and ten
    #: seconds
    duration_s: DurationS | None = None
    #: rising and falling rules need it
    change: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] | None = None
    latched: bool = False
    severity: Severity = "critical"
    escalation_policy_id: uuid.UUID | None = None


class RuleUpdate(RequestModel):
    """What is not sent stays. Excursions that go on keep the limit they were opened with."""

    name: Name = ""
    set_at: Value = 0.0
    clear_at: Value = 0.0
    duration_s: DurationS = 0
    change: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = 1.0
    latched: bool = False
    severity: Severity = "critical"
    escalation_policy_id: uuid.UUID | None = None
    enabled: bool = True
    #: as it was read: refused when somebody else has changed the rule since; not sent: whatever it is now
    version: Annotated[int, Field(ge=1)] | None = None


class RuleRead(ResponseModel):
    """A rule."""

    id: uuid.UUID
    name: str
    location_id: uuid.UUID
    quantity: str
    kind: str
    set_at: float
    clear_at: float
    duration_s: int
    change: float
    latched: bool
    severity: str
    escalation_policy_id: uuid.UUID | None
    enabled: bool
    version: int
