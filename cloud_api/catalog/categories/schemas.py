"""Categories, as they travel over HTTP."""

import uuid
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.versions import Edit

Name = Annotated[str, Field(min_length=1, max_length=120)]
Slug = Annotated[
    str, Field(min_length=1, max_length=120, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", examples=["leafy-greens"])
]
SortOrder = Annotated[int, Field(ge=0, le=100_000)]
Color = Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$", examples=["#2e7d32"])]
#: how much faster goods age when it is 10 °C warmer
Q10 = Annotated[float, Field(ge=1, le=50, allow_inf_nan=False)]
TemperatureC = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


class CategoryFacts(RequestModel):
    """What may be said of a category."""

    description: Annotated[str, Field(max_length=2000)] = ""
    #: null: at the top
    parent_id: uuid.UUID | None = None
    sort_order: SortOrder = 0
    color: Color | None = None
    #: what search engines are told
    meta_title: Annotated[str, Field(max_length=120)] = ""
    meta_description: Annotated[str, Field(max_length=400)] = ""
    is_active: bool = True
    reference_temperature_c: TemperatureC | None = None
    q10: Q10 | None = None


class CategoryCreate(CategoryFacts):
    """A new category."""

    name: Name
    slug: Slug


class CategoryUpdate(CategoryFacts, Edit):
    """What is not sent stays."""

    name: Name = ""
    slug: Slug = ""


class CategoryRead(ResponseModel):
    """A category."""

    id: uuid.UUID
    name: str
    slug: str
    description: str
    parent_id: uuid.UUID | None
    sort_order: int
    color: str | None
    meta_title: str
    meta_description: str
    is_active: bool
    reference_temperature_c: float | None
    q10: float | None
    version: int


class CategoryNode(CategoryRead):
    """A category with what is below it."""

    #: of its own
    product_count: int
    #: with those of everything below it
    total_product_count: int
    children: list["CategoryNode"]


class CategoryChange(RequestModel):
    """One of many changes, done in their order."""

    action: Literal["create", "move", "reorder", "activate", "deactivate"]
    #: of one that is there; none: to create
    id: uuid.UUID | None = None
    category: CategoryCreate | None = None
    #: where to move it; null: to the top
    parent_id: uuid.UUID | None = None
    sort_order: SortOrder | None = None

    @model_validator(mode="after")
    def _says_what(self) -> "CategoryChange":
        needed = {
            "create": {"category"},
            "move": {"id", "parent_id"},
            "reorder": {"id", "sort_order"},
        }.get(self.action, {"id"})
        empty = {name for name in needed - {"parent_id"} if getattr(self, name) is None}  # without a parent: to the top
        if self.model_fields_set - {"action"} != needed or empty:
            raise ValueError(f"{self.action} needs {' and '.join(sorted(needed))}, and nothing else")
        return self


class CategoryBulk(RequestModel):
    """Many changes, of which all are done or none."""

    changes: Annotated[list[CategoryChange], Field(min_length=1, max_length=500)]
