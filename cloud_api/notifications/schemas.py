"""Phones and notifications, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel


class PhoneRegister(RequestModel):
    """The app's registration with the push service."""

    platform: Literal["fcm"] = "fcm"
    registration: Annotated[str, Field(min_length=8, max_length=512)]


class PhoneRead(ResponseModel):
    """A phone that takes pushes."""

    id: uuid.UUID
    platform: str
    is_active: bool
    registered_at: datetime


class NotificationRead(ResponseModel):
    """One message to the signed-in person."""

    id: uuid.UUID
    title: str
    message: str
    severity: str
    category: str
    subject: str
    is_read: bool
    created_at: datetime
