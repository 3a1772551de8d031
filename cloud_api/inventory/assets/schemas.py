"""Items and their check-outs, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from cloud_api.inventory.assets.states import CheckoutStatus, ItemStatus
from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.versions import Edit

ItemName = Annotated[str, Field(min_length=1, max_length=120, examples=["Pallet jack"])]
Note = Annotated[str, Field(max_length=1000)]
Condition = Annotated[str, Field(max_length=120, examples=["good"])]
Attributes = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=60)], str | bool | int | float | None], Field(max_length=50)
]
AssigneeType = Literal["user", "team", "department", "job"]
Sort = Literal["name", "-name", "last_activity_at", "-last_activity_at", "created_at", "-created_at"]
_NO_NUL = r"^[^\x00]*$"


class ItemFilter(BaseModel):
    """Query parameters of the list of items: all that are given hold."""

    status: ItemStatus | None = None
    category_id: uuid.UUID | None = None
    location_id: uuid.UUID | None = None
    #: who has it now; a team's and a department's are nobody's
    user_id: uuid.UUID | None = None
    #: parts of the name, the number, the serial number or the bar code
    search: Annotated[str | None, Query(max_length=120, pattern=_NO_NUL)] = None
    sort: Sort = "-created_at"


class _Facts(RequestModel):
    description: Note = ""
    category_id: uuid.UUID | None = None
    serial_number: Annotated[str, Field(max_length=120)] = ""
    barcode: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    #: it is lent when somebody else than who asks has agreed
    restricted: bool = False
    attributes: Attributes = Field(default_factory=dict)


class ItemCreate(_Facts):
    """Another item. It is given its number."""

    name: ItemName
    #: where it is
    location_id: uuid.UUID | None = None


class ItemUpdate(_Facts, Edit):
    """What is sent is changed, the rest stays."""

    name: ItemName | None = None
    #: `in_repair` of a damaged one, `active` of a mended or found one, `lost`; lending is a verb of its own
    status: Literal["active", "in_repair", "lost"] | None = None
    #: what is to be read beside the change of status
    note: Note = ""


class ItemMove(RequestModel):
    """To another place."""

    location_id: uuid.UUID
    note: Note = ""


class ItemCheckOut(RequestModel):
    """Who takes it, and until when."""

    assignee_type: AssigneeType
    #: of a user or a team
    assignee_id: uuid.UUID | None = None
    #: of a department or a job
    assignee_name: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    due_at: AwareDatetime
    purpose: Note = ""
    condition: Condition = ""

    @model_validator(mode="after")
    def _named(self) -> "ItemCheckOut":
        known = self.assignee_type in ("user", "team")
        if (self.assignee_id is not None) != known or (self.assignee_name is None) != known:
            raise ValueError("a user or a team is named by assignee_id, a department or a job by assignee_name")
        return self


class ItemCheckIn(RequestModel):
    """How it came back."""

    condition: Condition = ""
    #: what is broken; then it is damaged, and cannot be lent until it is mended
    damage_notes: Note = ""
    #: where it was brought; none: where it was before
    location_id: uuid.UUID | None = None


class Decision(RequestModel):
    """What somebody decided about lending a restricted item."""

    approve: bool
    note: Note = ""


class CheckoutRead(ResponseModel):
    """One time that an item was lent, or that somebody asked for it."""

    id: uuid.UUID
    item_id: uuid.UUID
    status: CheckoutStatus
    assignee_type: AssigneeType
    user_id: uuid.UUID | None
    team_id: uuid.UUID | None
    assignee_name: str
    #: what they are called, whoever they are
    holder: str = ""
    purpose: str
    due_at: datetime
    requested_by: uuid.UUID | None
    requested_at: datetime
    decided_by: uuid.UUID | None
    decided_at: datetime | None
    decision_note: str
    out_at: datetime | None
    in_at: datetime | None
    condition_out: str
    condition_in: str
    damage_notes: str


class ItemRead(ResponseModel):
    """An item."""

    id: uuid.UUID
    asset_code: str
    name: str
    description: str
    category_id: uuid.UUID | None
    status: ItemStatus
    location_id: uuid.UUID | None
    serial_number: str
    barcode: str | None
    restricted: bool
    attributes: dict[str, object]
    created_at: datetime
    last_activity_at: datetime
    version: int
    #: who has it, or has asked for it; None: nobody
    checkout: CheckoutRead | None = None


class ActivityRead(ResponseModel):
    """What was done with an item."""

    id: uuid.UUID
    item_id: uuid.UUID
    action: str
    actor_id: uuid.UUID | None
    note: str
    changes: dict[str, object]
    occurred_at: datetime


class BorrowerRead(ResponseModel):
    """Somebody, or a team, whom things can be lent to."""

    id: uuid.UUID
    name: str
