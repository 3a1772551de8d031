"""Alerts and escalation policies, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, JsonValue, model_validator

from cloud_api.cold_chain.alerts.tellings import Channel, Severity, Step, Target, TargetKind
from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.versions import Edit

Comment = Annotated[str, Field(max_length=2000)]
Words = Annotated[str, Field(min_length=1, max_length=2000)]
Name = Annotated[str, Field(min_length=1, max_length=120)]
#: a week
DelayS = Annotated[int, Field(ge=0, le=604_800)]


class AlertAcknowledge(RequestModel):
    """Somebody is on it; of a critical alert they say what they do."""

    comment: Comment = ""


class AlertSnooze(RequestModel):
    """Not now; at most a week ahead."""

    until: AwareDatetime
    comment: Comment = ""


class AlertEscalate(RequestModel):
    """Somebody else is needed, now, and why."""

    note: Words


class AlertResolve(RequestModel):
    """It is over because somebody says so."""

    note: Words


class AlertNote(RequestModel):
    """A line for the timeline."""

    note: Words


class AlertRead(ResponseModel):
    """An alert."""

    id: uuid.UUID
    alert_type: str
    severity: str
    status: str
    title: str
    message: str
    subject: str
    location_id: uuid.UUID | None
    rule_id: uuid.UUID | None
    count: int
    returns: int
    first_at: datetime
    last_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: uuid.UUID | None
    snoozed_until: datetime | None
    resolved_at: datetime | None
    resolved_by: uuid.UUID | None
    resolution: str | None
    #: when the next people are told, or the snooze ends
    due_at: datetime | None
    #: by the one who asks
    is_read: bool = False


class AlertMemberRead(ResponseModel):
    """One thing that raised it."""

    subject: str
    since: datetime
    until: datetime | None


class AlertEventRead(ResponseModel):
    """One line of its timeline."""

    at: datetime
    kind: str
    user_id: uuid.UUID | None
    note: str
    detail: dict[str, JsonValue]


class TellingRead(ResponseModel):
    """One telling that its policy came to when it was raised."""

    step: int
    to: dict[str, JsonValue]
    channels: list[str]
    after_s: int
    until_answered: bool = False


class AlertWhole(AlertRead):
    """An alert with everything that is known of it, oldest first."""

    members: list[AlertMemberRead]
    timeline: list[AlertEventRead]
    tellings: list[TellingRead]
    next_telling: int


class TargetEntry(RequestModel):
    """Whom a step tells."""

    kind: TargetKind
    user_id: uuid.UUID | None = None
    #: its name
    role: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    #: of an on-call list; without one the organisation's first
    list_id: uuid.UUID | None = None
    #: 0 is who is on call now, 1 the next; without one everybody who is on call
    position: Annotated[int, Field(ge=0, le=99)] | None = None

    @model_validator(mode="after")
    def _say_what_the_kind_needs(self) -> "TargetEntry":
        given = {name for name in ("user_id", "role", "list_id", "position") if getattr(self, name) is not None}
        needed, allowed = {
            "user": ({"user_id"}, {"user_id"}),
            "role": ({"role"}, {"role"}),
            "on_call_list": (set[str](), {"list_id", "position"}),
            "everyone": (set[str](), set[str]()),
        }[self.kind]
        if missing := sorted(needed - given):
            raise ValueError(f"a step to {self.kind} needs {missing[0]}")
        if beyond := sorted(given - allowed):
            raise ValueError(f"a step to {self.kind} has no {beyond[0]}")
        return self


class StepEntry(RequestModel):
    """One step: told once, and again every `repeat_every_s` for `repeats` times."""

    to: TargetEntry
    channels: Annotated[list[Channel], Field(min_length=1, max_length=4)]
    #: since the last telling of the step before; of the first since the alert
    after_s: DelayS = 0
    repeat_every_s: Annotated[int, Field(ge=60, le=604_800)] | None = None
    #: null, of the last step only: until somebody acknowledges
    repeats: Annotated[int, Field(ge=0, le=100)] | None = 0

    @model_validator(mode="after")
    def _repeat_in_an_interval(self) -> "StepEntry":
        if self.repeats != 0 and self.repeat_every_s is None:
            raise ValueError("repeats need repeat_every_s, at least 60")
        if len(set(self.channels)) < len(self.channels):
            raise ValueError("a channel is named twice in channels")
        return self

    def as_step(self) -> Step:
        """The same as the policy keeps it."""
        to = self.to
        named = to.user_id or to.list_id
        target = Target(to.kind, id=str(named) if named else "", role=to.role or "", position=to.position)
        return Step(target, tuple(self.channels), self.after_s, self.repeat_every_s, self.repeats)


def _only_the_last_goes_on(steps: list[StepEntry]) -> list[StepEntry]:
    for number, step in enumerate(steps[:-1]):
        if step.repeats is None:
            raise ValueError(f"step {number} never ends: only the last may have repeats null")
    return steps


Steps = Annotated[list[StepEntry], Field(min_length=1, max_length=20), AfterValidator(_only_the_last_goes_on)]


class PolicyCreate(RequestModel):
    """Who is told, in which order."""

    name: Name
    #: alerts of this severity whose rule names no policy follow this one
    default_for: Severity | None = None
    steps: Steps


class PolicyUpdate(Edit):
    """What is not sent stays. Alerts that were raised before keep what was said then."""

    name: Name = ""
    default_for: Severity | None = None
    steps: Steps = Field(default_factory=list)


class TargetRead(ResponseModel):
    """Whom a step tells."""

    kind: TargetKind
    user_id: uuid.UUID | None
    role: str | None
    list_id: uuid.UUID | None
    position: int | None


class StepRead(ResponseModel):
    """One step."""

    to: TargetRead
    channels: list[Channel]
    after_s: int
    repeat_every_s: int | None
    repeats: int | None

    @classmethod
    def of(cls, step: Step) -> "StepRead":
        """As the policy keeps it."""
        to, named = step.to, uuid.UUID(step.to.id) if step.to.id else None
        return cls(
            to=TargetRead(
                kind=to.kind,
                user_id=named if to.kind == "user" else None,
                role=to.role or None,
                list_id=named if to.kind == "on_call_list" else None,
                position=to.position,
            ),
            channels=list(step.channels),
            after_s=step.after_s,
            repeat_every_s=step.repeat_every_s,
            repeats=step.repeats,
        )


class PolicyRead(ResponseModel):
    """A policy."""

    id: uuid.UUID
    name: str
    default_for: Literal["info", "warning", "critical"] | None
    steps: list[StepRead]
    version: int
    created_at: datetime
