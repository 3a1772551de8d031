"""Phones, notifications, preferences and on-call lists, as they travel over HTTP."""

import uuid
from datetime import datetime, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, AwareDatetime, Field, JsonValue, model_validator

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.json_types import LocalTime
from cloud_api.kernel.versions import Edit
from cloud_api.notifications.models import OnCallMember
from cloud_api.notifications.rota import Duty, Shift

Category = Literal["system", "order", "inventory", "payment", "delivery", "quality"]
Channel = Literal["in_app", "push", "mail", "sms"]


def _zone(name: str) -> str:
    if name and name not in available_timezones():
        raise ValueError("must be a time zone as Asia/Kolkata, or empty for the organisation's")
    if name:
        ZoneInfo(name)
    return name


#: IANA, or empty for the organisation's
Zone = Annotated[str, Field(max_length=64), AfterValidator(_zone)]


#: BCP 47
Locale = Annotated[str, Field(max_length=35, pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", examples=["hi-IN"])]
AppVersion = Annotated[str, Field(max_length=40)]
Registration = Annotated[str, Field(min_length=8, max_length=512)]


class PhoneRegister(RequestModel):
    """The app's registration with the push service."""

    platform: Literal["fcm"] = "fcm"
    registration: Registration
    app_version: AppVersion = ""
    #: as the phone is set; empty: it has not said
    locale: Locale = ""


class PhoneUpdate(RequestModel):
    """What is not sent stays; saying anything lets the phone take pushes again."""

    registration: Registration = ""
    app_version: AppVersion = ""
    locale: Locale = ""


class PhoneRead(ResponseModel):
    """A phone that takes pushes."""

    id: uuid.UUID
    platform: str
    is_active: bool
    registered_at: datetime
    app_version: str
    locale: str
    #: when the app last registered or refreshed itself
    last_seen_at: datetime | None


class LastPush(ResponseModel):
    """What became of the last push to a phone that was settled."""

    notification_id: uuid.UUID
    status: str
    #: what the push service called it, or why it refused it
    detail: str
    settled_at: datetime


class PhoneDetailRead(PhoneRead):
    """A phone, and what became of the last push to it."""

    last_push: LastPush | None


class TestPushSent(ResponseModel):
    """A push is on its way; what becomes of it, `GET /mobile/devices/{id}` says as `last_push`."""

    notification_id: uuid.UUID


class TemplateRead(ResponseModel):
    """The words in force for one kind of message on one channel in one language."""

    key: str
    audience: str
    channel: str
    locale: str
    #: empty on an SMS
    subject: str
    body: str
    #: what may stand in it, with samples
    values: dict[str, str]
    #: the organisation's own; else the built-in ones
    is_own: bool
    updated_at: datetime | None
    #: counts the changes of one's own words; 0: the built-in ones
    version: int
    #: how many SMS it takes with usual values; null on other channels
    segments: int | None


class TemplateTry(RequestModel):
    """Words to be looked at before they are said."""

    channel: Literal["sms", "mail", "push"]
    #: of a mail and of a push
    subject: Annotated[str, Field(max_length=200)] = ""
    body: Annotated[str, Field(min_length=1, max_length=2_000)]


class TemplatePreview(ResponseModel):
    """How words read with usual values."""

    #: empty on an SMS
    subject: str
    body: str
    #: how many SMS it takes; null on other channels
    segments: int | None


class TemplatePut(RequestModel):
    """An organisation's own words in the place of the built-in ones."""

    locale: Locale
    channel: Literal["sms", "mail", "push"]
    #: of a mail and of a push
    subject: Annotated[str, Field(max_length=200)] = ""
    #: null: back to the built-in words
    body: Annotated[str, Field(min_length=1, max_length=2_000)] | None = None
    #: as it was read, 0 of the built-in words: refused when somebody else has changed them since
    version: Annotated[int | None, Field(ge=0, le=2**31 - 1)] = None


class ContactMessageRead(ResponseModel):
    """Who outside was told what, and whether it arrived."""

    id: uuid.UUID
    channel: str
    #: with all but a few of its letters hidden; empty: erased
    recipient: str
    template: str
    locale: str
    subject: str
    title: str
    #: empty when it was a secret, or erased
    body: str
    is_secret: bool
    status: str
    attempts: int
    detail: str
    created_at: datetime
    expires_at: datetime | None
    settled_at: datetime | None


class NotificationRead(ResponseModel):
    """One message to the signed-in person."""

    id: uuid.UUID
    title: str
    message: str
    severity: str
    category: str
    subject: str
    #: what the app needs to open it
    data: dict[str, JsonValue]
    is_read: bool
    created_at: datetime


RoleName = Annotated[str, Field(min_length=1, max_length=64)]


class NotificationSend(RequestModel):
    """A message to people by name, by role, or both."""

    user_ids: Annotated[list[uuid.UUID], Field(max_length=500)] = Field(default_factory=list)
    #: names of roles
    roles: Annotated[list[RoleName], Field(max_length=50)] = Field(default_factory=list)
    title: Annotated[str, Field(min_length=1, max_length=120)]
    message: Annotated[str, Field(min_length=1, max_length=1000)]
    severity: Literal["info", "success", "warning", "error"] = "info"
    category: Category = "system"
    channels: Annotated[list[Channel], Field(min_length=1, max_length=4)] = Field(default=["in_app", "push"])

    @model_validator(mode="after")
    def _name_somebody(self) -> "NotificationSend":
        if not self.user_ids and not self.roles:
            raise ValueError("name somebody: user_ids, roles or both")
        return self


class NotificationSent(ResponseModel):
    """Who was told: without those who have muted all of the channels."""

    user_ids: list[uuid.UUID]


class NotificationsMarked(ResponseModel):
    """How many were unread."""

    marked: int


class QuietHours(RequestModel):
    """Local time; over midnight when it ends before it begins."""

    from_time: LocalTime
    until_time: LocalTime

    @model_validator(mode="after")
    def _have_an_end(self) -> "QuietHours":
        if self.from_time == self.until_time:
            raise ValueError("from_time and until_time are equal: quiet hours have to end; mute the channel instead")
        return self


class SettingsChange(RequestModel):
    """What is not sent stays."""

    #: category -> channel -> whether it may come
    channels: dict[Category, dict[Channel, bool]] = Field(default_factory=dict)
    #: pushes and SMS that are not critical wait for their end; null: none
    quiet_hours: QuietHours | None = None
    timezone: Zone = ""


class QuietHoursRead(ResponseModel):
    """Local time."""

    from_time: time
    until_time: time


class SettingsRead(ResponseModel):
    """What somebody wants to be told, and when not."""

    channels: dict[Category, dict[Channel, bool]]
    quiet_hours: QuietHoursRead | None
    timezone: str


class ShiftEntry(RequestModel):
    """Hours of every week; over midnight when they end before they begin, and then of the day they begin."""

    #: 0 is Monday
    weekdays: Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(min_length=1, max_length=7)]
    from_time: LocalTime
    #: equal to `from_time`: round the clock
    until_time: LocalTime


class DutyEntry(RequestModel):
    """A stretch of time for which somebody is named."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime

    @model_validator(mode="after")
    def _have_a_length(self) -> "DutyEntry":
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at must lie after starts_at")
        return self


class MemberEntry(RequestModel):
    """Somebody on the list; without hours they stand in for everybody, always."""

    user_id: uuid.UUID
    shifts: Annotated[list[ShiftEntry], Field(max_length=50)] = Field(default_factory=list)
    rota: Annotated[list[DutyEntry], Field(max_length=400)] = Field(default_factory=list)

    def hours(self) -> dict[str, list[Shift] | list[Duty]]:
        """As the list keeps them."""
        return {
            "shifts": [Shift(tuple(one.weekdays), one.from_time, one.until_time) for one in self.shifts],
            "rota": [Duty(one.starts_at, one.ends_at) for one in self.rota],
        }


def _once_each(members: list[MemberEntry]) -> list[MemberEntry]:
    if len({member.user_id for member in members}) < len(members):
        raise ValueError("somebody is named twice")
    return members


Name = Annotated[str, Field(min_length=1, max_length=120)]
#: in the order in which they are told
Members = Annotated[list[MemberEntry], Field(min_length=1, max_length=100), AfterValidator(_once_each)]


class OnCallListCreate(RequestModel):
    """Who answers, in order."""

    name: Name
    timezone: Zone = ""
    members: Members


class OnCallListUpdate(Edit):
    """What is not sent stays; members are replaced as a whole."""

    name: Name = ""
    timezone: Zone = ""
    members: Members = Field(default_factory=list)


class ShiftRead(ResponseModel):
    """Hours of every week."""

    weekdays: list[int]
    from_time: time
    until_time: time


class DutyRead(ResponseModel):
    """A stretch of time."""

    starts_at: datetime
    ends_at: datetime


class MemberRead(ResponseModel):
    """Somebody on the list."""

    user_id: uuid.UUID
    shifts: list[ShiftRead]
    rota: list[DutyRead]

    @classmethod
    def of(cls, member: OnCallMember) -> "MemberRead":
        """As the list keeps them."""
        return cls.model_validate({"user_id": member.user_id, "shifts": member.shifts, "rota": member.rota})


class OnCallListRead(ResponseModel):
    """A list, and who of it is on call at this moment, in the order in which they are told."""

    id: uuid.UUID
    name: str
    timezone: str
    members: list[MemberRead]
    on_call_now: list[uuid.UUID]
    version: int
    created_at: datetime
