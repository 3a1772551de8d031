"""Organisations, as they travel over HTTP."""

import uuid
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.versions import Edit


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("must be a name of the IANA time zone database, such as Asia/Kolkata")
    return name


Slug = Annotated[str, Field(min_length=2, max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
TimeZone = Annotated[str, AfterValidator(_known_zone)]
Plan = Literal["basic", "pro", "enterprise"]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$", examples=["#1f6feb"])]
#: an address elsewhere, or the picture that was put here by `/organizations/{id}/logo`
LOGO_PATTERN = r"^(https://[^\s<>\"']+|/api/v1/organizations/[0-9a-f-]{36}/logo(\?v=[0-9a-f]+)?)?$"
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")]


class Branding(RequestModel):
    """How a white label looks; what is not sent is Coldfleet's own."""

    name: Annotated[str, Field(min_length=1, max_length=120)] = "Coldfleet"
    logo_url: Annotated[str, Field(max_length=500, pattern=LOGO_PATTERN)] = ""
    primary_colour: Colour = "#0b5c8a"
    accent_colour: Colour = "#f2a33c"


class BrandingChange(Branding, Edit):
    """A look in the place of the one before; `version` is the organisation's."""


class OrganizationRead(ResponseModel):
    """The organisation somebody works for."""

    id: uuid.UUID
    name: str
    slug: str
    currency: str
    timezone: str
    #: how its pages look
    branding: Branding
