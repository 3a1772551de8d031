"""Trying a rule, as it travels over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from cloud_api.cold_chain.rules.schemas import DurationS, Value
from cloud_api.kernel.http import RequestModel, ResponseModel


class RuleTest(RequestModel):
    """The rule as it would be, over [since, until); what is not sent is as it is."""

    set_at: Value | None = None
    clear_at: Value | None = None
    duration_s: DurationS | None = None
    change: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] | None = None
    since: AwareDatetime
    until: AwareDatetime | None = None


class TriedBreach(ResponseModel):
    """What would have been raised, or was."""

    sensor_id: uuid.UUID
    started_at: datetime
    raised_at: datetime
    ended_at: datetime | None
    peak_value: float


class RuleTestRead(ResponseModel):
    """What the rule would have raised, and what it did."""

    would_be: list[TriedBreach]
    were: list[TriedBreach]
