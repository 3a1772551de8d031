"""Customers, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, EmailStr, Field

from cloud_api.kernel.http import RequestModel, ResponseModel

Name = Annotated[str, Field(min_length=1, max_length=120)]
Phone = Annotated[str, Field(max_length=32, pattern=r"^(\+?[0-9 ()-]{6,})?$", examples=["+91 98765 43210"])]
Street = Annotated[str, Field(min_length=1, max_length=500)]
City = Annotated[str, Field(max_length=120)]
PostalCode = Annotated[str, Field(max_length=16)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
#: for how many days after its delivery what is sold to the customer must still keep
ShelfLifeDays = Annotated[int, Field(ge=0, le=3650)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Version = Annotated[int, Field(ge=1)]
Sort = Literal["name", "-name", "created_at", "-created_at"]
NO_NUL = r"^[^\x00]*$"


#: as in BCP 47; empty: the organisation's
Locale = Annotated[str, Field(pattern=r"^([a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?)?$", examples=["hi-IN"])]


class AddressCreate(RequestModel):
    """A door, with its coordinates in degrees (WGS 84); without them it is looked for on the map, if there is one."""

    label: Name = "main"
    address: Street
    city: City = ""
    postal_code: PostalCode = ""
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class AddressConfirm(RequestModel):
    """Where the pin was put, in degrees (WGS 84)."""

    latitude: Latitude
    longitude: Longitude


class GeocodeRequest(RequestModel):
    """An address to look for, in the organisation's country."""

    address: Street
    city: City = ""
    postal_code: PostalCode = ""


class CandidateRead(ResponseModel):
    """A place that an address may be."""

    #: as the map writes it
    address: str
    #: degrees, WGS 84
    latitude: float
    longitude: float
    #: what was matched
    precision: Literal["building", "street", "area", "town", "region"]
    #: high: the door; medium: its street; low: somebody has to put the pin on the door
    confidence: Literal["high", "medium", "low"]


class CustomerFilter(BaseModel):
    """Query parameters of the list of customers: all that are given hold."""

    #: words of the name or the number, as they begin, or how a phone number ends
    search: Annotated[str | None, Query(max_length=120, pattern=NO_NUL)] = None
    is_active: bool | None = None
    #: false: has a door of which nobody is certain where it is
    is_sure: bool | None = None
    sort: Sort = "-created_at"


class AddressUpdate(RequestModel):
    """What is not sent stays. Orders keep the door that they were taken for.

    An address that reads otherwise, and comes without coordinates, is looked for on the map, or has to be confirmed.
    """

    label: Name = "main"
    address: Street = ""
    city: City = ""
    postal_code: PostalCode = ""
    latitude: Latitude = 0.0
    longitude: Longitude = 0.0


class DoorUpdate(AddressUpdate):
    """The same, of a customer's door."""

    #: of the customer, as it was seen: when it is another now, nothing is changed; none: whatever it is
    version: Version | None = None


class CustomerCreate(RequestModel):
    """A new customer, with at least one door."""

    name: Name
    phone: Phone = ""
    email: EmailStr | None = None
    locale: Locale = ""
    min_remaining_shelf_life_days: ShelfLifeDays = 0
    addresses: Annotated[list[AddressCreate], Field(min_length=1, max_length=50)]


class CustomerUpdate(RequestModel):
    """What is not sent stays."""

    #: the version that was seen: when it is another now, nothing is changed; none: whatever it is
    version: Version | None = None
    #: false: no more orders are taken
    is_active: bool = True
    name: Name = ""
    phone: Phone = ""
    email: EmailStr | None = None
    locale: Locale = ""
    min_remaining_shelf_life_days: ShelfLifeDays = 0


class AddressRead(ResponseModel):
    """A door."""

    id: uuid.UUID
    label: str
    address: str
    city: str
    postal_code: str
    latitude: float
    longitude: float
    #: how exact the map was; none: the coordinates were given
    precision: str | None
    #: when somebody gave the coordinates, or put the pin there
    confirmed_at: datetime | None
    #: false: no order to it is confirmed before somebody has put the pin on the door
    is_sure: bool


class CustomerRead(ResponseModel):
    """A customer with its doors."""

    id: uuid.UUID
    number: str
    name: str
    phone: str
    email: str
    locale: str
    is_active: bool
    min_remaining_shelf_life_days: int
    version: int
    addresses: list[AddressRead]


class AccountTie(RequestModel):
    """Who is to sign in as the customer."""

    user_id: uuid.UUID


class AccountRead(ResponseModel):
    """A person who signs in as a customer."""

    user_id: uuid.UUID
    customer_id: uuid.UUID
