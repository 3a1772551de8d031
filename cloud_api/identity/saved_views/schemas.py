"""Saved views, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel

#: path of a page
PAGE_PATTERN = r"^/[A-Za-z0-9/_.-]*$"
Page = Annotated[str, Field(min_length=1, max_length=200, pattern=PAGE_PATTERN, examples=["/console/stock"])]


class SavedViewSave(RequestModel):
    """What a page shows, under a name; one of this name on the page is replaced."""

    page: Page
    name: Annotated[str, Field(min_length=1, max_length=60)]
    query: Annotated[str, Field(max_length=2_000, pattern=r"^[\x21-\x7e]*$", examples=["status=open&sort=-name"])]


class SavedViewRead(ResponseModel):
    """A view that somebody saved."""

    id: uuid.UUID
    page: str
    name: str
    query: str
    saved_at: datetime
