"""The shelves of the catalogue."""

import uuid

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel.db import Base
from cloud_api.kernel.registers import Archivable
from cloud_api.kernel.tenancy import same_organization
from cloud_api.kernel.versions import Versioned


class Category(Versioned, Archivable, Base):
    """A shelf of the catalogue. Names and slugs of those that were deleted are free again."""

    __tablename__ = "product_categories"
    __table_args__ = (same_organization("parent_id", "product_categories"),)

    name: Mapped[str]
    slug: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    parent_id: Mapped[uuid.UUID | None]
    sort_order: Mapped[int] = mapped_column(default=0)
    #: #rrggbb
    color: Mapped[str | None]
    #: what search engines are told
    meta_title: Mapped[str] = mapped_column(default="")
    meta_description: Mapped[str] = mapped_column(default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    #: what the shelf life of its products is said for, and how much faster they age when it is 10 °C warmer; None: as
    #: goods that are stored like them
    reference_temperature_c: Mapped[float | None]
    q10: Mapped[float | None]


_THERE = Category.archived_at.is_(None)
for _name, _columns, _where in (
    ("slug", ("organization_id", "slug"), _THERE),
    ("parent_id_name", ("organization_id", "parent_id", "name"), _THERE),
    # no database takes two rows without a parent for rows with the same one
    ("name_of_root", ("organization_id", "name"), _THERE & Category.parent_id.is_(None)),
):
    Index(
        f"uq_product_categories_{_name}",
        *(getattr(Category, column) for column in _columns),
        unique=True,
        sqlite_where=_where,
        postgresql_where=_where,
    )
