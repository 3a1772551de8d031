"""People and organisations as their administrators see and change them, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import EmailStr, Field, JsonValue, model_validator

from cloud_api.identity.invitations.schemas import RoleNames
from cloud_api.identity.organizations.schemas import Currency, OrganizationRead, Plan, Slug, TimeZone
from cloud_api.identity.people.schemas import FullName, Locale, Password, Phone, Username
from cloud_api.identity.roles.schemas import Permissions
from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.versions import Edit

Status = Literal["active", "inactive", "suspended"]
OrganizationName = Annotated[str, Field(min_length=1, max_length=120)]
Address = Annotated[str, Field(max_length=500)]
Step = Literal["welcome", "setup", "import"]


class PersonCreate(RequestModel):
    """Somebody new, with a password that they have to change when they sign in."""

    username: Username
    email: EmailStr
    full_name: FullName
    phone: Phone = ""
    locale: Locale = "en"
    password: Password
    roles: RoleNames
    #: granted beside what the roles grant
    extra_permissions: Permissions = Field(default_factory=list)


class PersonUpdate(Edit):
    """What is not sent stays."""

    username: Username | None = None
    email: EmailStr | None = None
    full_name: FullName | None = None
    phone: Phone | None = None
    locale: Locale | None = None
    extra_permissions: Permissions | None = None


class StatusChange(RequestModel):
    """Active, inactive or suspended."""

    status: Status


class PasswordGiven(RequestModel):
    """A password that somebody has to change when they sign in."""

    password: Password


class RoleGiven(RequestModel):
    """One of the organisation's roles."""

    role_id: uuid.UUID


class HeldRole(ResponseModel):
    """A role that somebody holds."""

    id: uuid.UUID
    name: str


class PersonRead(ResponseModel):
    """Somebody of the organisation."""

    id: uuid.UUID
    username: str
    email: str
    email_verified: bool
    full_name: str
    phone: str
    status: str
    locale: str
    theme: str
    avatar_id: uuid.UUID | None
    must_change_password: bool
    two_factor: bool
    roles: list[HeldRole]
    extra_permissions: list[str]
    last_signed_in_at: datetime | None
    version: int
    created_at: datetime


class FirstAdministrator(RequestModel):
    """With user name, full name and password they can sign in at once; with an address alone they are invited."""

    email: EmailStr
    username: Username | None = None
    full_name: FullName | None = None
    password: Password | None = None

    @model_validator(mode="after")
    def _all_or_an_address(self) -> "FirstAdministrator":
        if len({self.username is None, self.full_name is None, self.password is None}) > 1:
            raise ValueError("send user name, full name and password, or none of them to invite by mail")
        return self


class OrganizationCreate(RequestModel):
    """A new organisation and who administers it first."""

    name: OrganizationName
    slug: Slug
    timezone: TimeZone = "Asia/Kolkata"
    currency: Currency = "INR"
    plan: Plan = "basic"
    email: EmailStr | Literal[""] = ""
    phone: Phone = ""
    address: Address = ""
    admin: FirstAdministrator


class OrganizationUpdate(Edit):
    """What is not sent stays. The platform decides plan and activity; the currency stays once a sum is in it."""

    name: OrganizationName | None = None
    timezone: TimeZone | None = None
    currency: Currency | None = None
    email: EmailStr | Literal[""] | None = None
    phone: Phone | None = None
    address: Address | None = None
    plan: Plan | None = None
    is_active: bool | None = None


class OrganizationDetails(OrganizationRead):
    """An organisation as its administrators see it."""

    email: str
    phone: str
    address: str
    plan: str
    is_active: bool
    deactivated_at: datetime | None
    version: int
    created_at: datetime


class StepDone(RequestModel):
    """A step of the first set-up, with what was entered."""

    step: Step
    data: Annotated[dict[Annotated[str, Field(max_length=100)], JsonValue], Field(max_length=100)] = Field(
        default_factory=dict
    )


class StepRead(ResponseModel):
    """How one step stands."""

    step: Step
    data: dict[str, JsonValue]
    #: null while it is to be done
    completed_at: datetime | None


class OnboardingRead(ResponseModel):
    """How far the first set-up is."""

    steps: list[StepRead]
    completed: bool
