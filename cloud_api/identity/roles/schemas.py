"""Roles and permissions, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, field_validator

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.versions import Edit

Reach = Literal["organization", "own"]
RoleName = Annotated[str, Field(min_length=2, max_length=64, pattern=r"^[a-z][a-z0-9_]*$", examples=["night_shift"])]
Description = Annotated[str, Field(max_length=500)]
Granted = Annotated[str, Field(min_length=1, max_length=100)]
Permissions = Annotated[list[Granted], Field(max_length=200, examples=[["stock:read", "quality:*"]])]


class PermissionsReplace(Edit):
    """All that the role grants from now on; `resource:*`, a group's `inventory:*` and `*` stand for several."""

    permissions: Permissions


class RoleCreate(RequestModel):
    """A role of the organisation's own."""

    name: RoleName
    permissions: Permissions
    description: Description = ""
    #: `own`: only what is one's own, as a customer's orders
    reach: Reach = "organization"


class RoleUpdate(Edit):
    """What is not sent stays."""

    name: RoleName | None = None
    description: Description | None = None
    permissions: Permissions | None = None
    reach: Reach | None = None


class RoleRead(ResponseModel):
    """A role and what it grants, wildcards as they are."""

    id: uuid.UUID
    name: str
    description: str
    built_in: bool
    reach: str
    permissions: Annotated[list[str], Field(validation_alias=AliasChoices("granted", "permissions"))]
    version: int
    created_at: datetime

    @field_validator("permissions", mode="before")
    @classmethod
    def _in_order(cls, granted: object) -> object:
        return sorted(granted) if isinstance(granted, frozenset | set) else granted


class MatrixRow(ResponseModel):
    """One permission, and the roles that grant it, wildcards resolved."""

    permission: str
    roles: list[str]


class MatrixRead(ResponseModel):
    """Role by permission."""

    roles: list[RoleRead]
    rows: list[MatrixRow]


class PermissionRead(ResponseModel):
    """One line of the catalogue."""

    key: str
    resource: str
    action: str
    description: str
