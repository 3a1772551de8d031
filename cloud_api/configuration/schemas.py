"""Settings, feature flags and maintenance, as they travel over HTTP."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AliasPath, AwareDatetime, Field, JsonValue

from cloud_api.configuration.definitions import Kind
from cloud_api.configuration.models import BUCKETS
from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.versions import Edit

FLAG_KEY_PATTERN = r"^[a-z0-9]+([._-][a-z0-9]+)*$"
FlagKey = Annotated[str, Field(max_length=100, pattern=FLAG_KEY_PATTERN, examples=["new-picking-list"])]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Ids = Annotated[list[uuid.UUID], Field(max_length=1000)]


class SettingsChange(RequestModel):
    """Values by key: all are set or none; null goes back to the default."""

    values: Annotated[
        dict[Name, JsonValue],
        Field(min_length=1, max_length=200, examples=[{"session.limit": 3, "units.temperature": "celsius"}]),
    ]
    expected: Annotated[
        dict[Name, JsonValue],
        Field(max_length=200, description="Values as they were read; when one is another by now, none is set."),
    ] = Field(default_factory=dict)


class SettingChange(RequestModel):
    """One value, of the setting's own type; null goes back to the default."""

    value: Annotated[JsonValue, Field(examples=["en-IN"])]


class SettingRead(ResponseModel):
    """A setting: what it may be, and what it is."""

    key: Annotated[str, Field(validation_alias=AliasPath("setting", "key"))]
    value: bool | int | str
    is_set: bool
    kind: Annotated[Kind, Field(validation_alias=AliasPath("setting", "kind"))]
    default: Annotated[bool | int | str, Field(validation_alias=AliasPath("setting", "default"))]
    #: what may be sent, in words
    expected: Annotated[str, Field(validation_alias=AliasPath("setting", "expected"))]
    choices: Annotated[list[str], Field(validation_alias=AliasPath("setting", "choices"))]
    is_public: Annotated[bool, Field(validation_alias=AliasPath("setting", "is_public"))]
    description: Annotated[str, Field(validation_alias=AliasPath("setting", "description"))]
    updated_at: datetime | None


class FlagRules(RequestModel):
    """For whom something is. The audience is all organisations and roles where none is named."""

    description: Annotated[str, Field(max_length=2000)] = ""
    enabled: bool = False
    #: of the audience
    rollout_percentage: Annotated[Decimal, Field(ge=0, le=100, decimal_places=2, examples=[12.5])] = Decimal(100)
    organization_ids: Ids = Field(default_factory=list)
    roles: Annotated[list[Name], Field(max_length=100)] = Field(default_factory=list)
    #: who has it whatever the rest says, but for `enabled`
    user_ids: Ids = Field(default_factory=list)

    def rules(self) -> dict[str, object]:
        """What was sent, as columns."""
        sent: dict[str, object] = self.model_dump(
            mode="json", exclude_unset=True, exclude={"key", "rollout_percentage"}
        )
        if "rollout_percentage" in self.model_fields_set:
            sent["rollout_buckets"] = int(self.rollout_percentage * BUCKETS / 100)
        return sent


class FlagUpdate(FlagRules, Edit):
    """What is not sent stays."""


class FlagCreate(FlagRules):
    """A new flag: off, unless told."""

    key: FlagKey


class FlagRead(ResponseModel):
    """A flag with its rules."""

    id: uuid.UUID
    key: str
    description: str
    enabled: bool
    rollout_percentage: float
    organization_ids: list[uuid.UUID]
    roles: list[str]
    user_ids: list[uuid.UUID]
    version: int
    updated_at: datetime


class MaintenanceSwitch(RequestModel):
    """On or off."""

    enabled: bool
    #: for those who are sent away
    message: Annotated[str, Field(min_length=1, max_length=500)] = (
        "Coldfleet is being maintained: everything can be read, and changed again shortly"
    )
    #: when they may try again
    retry_after_s: Annotated[int, Field(ge=1, le=86_400)] = 300
    #: when it is to be over: they are told, and that they may try again then. It does not end by itself
    until: AwareDatetime | None = None
    #: as it was read, 0 when nobody ever touched it: refused when somebody else has switched it since
    version: Annotated[int | None, Field(ge=0, le=2**31 - 1)] = None


class MaintenanceNotice(ResponseModel):
    """Whether people may write, as everybody is told."""

    enabled: bool
    message: str = ""
    until: datetime | None = None


class MaintenanceRead(ResponseModel):
    """How the switch stands."""

    enabled: bool = False
    message: str = ""
    retry_after_s: int = 0
    until: datetime | None = None
    #: 0 when nobody ever touched it
    version: int = 0
    #: null when nobody ever touched it
    updated_at: datetime | None = None
