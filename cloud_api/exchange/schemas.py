"""Runs, as they travel over HTTP."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.exchange.tables import Format
from cloud_api.kernel.http import RequestModel, ResponseModel

EntityName = Literal["products", "categories", "customers", "opening_stock"]


class ProblemRead(ResponseModel):
    """What is wrong with a row, and what to do about it."""

    #: as the file's program shows it: the header is row 1; of JSON the first is 1
    row: int
    #: as the file calls it; null: none in particular
    column: str | None
    message: str


class ImportRead(ResponseModel):
    """One run of an import."""

    id: uuid.UUID
    entity: str
    format: str
    dry_run: bool
    skip_bad_rows: bool
    status: str
    total: int
    created: int
    updated: int
    unchanged: int
    failed: int
    #: the first thousand
    problems: list[ProblemRead]
    error_code: str | None
    error: str | None
    file_name: str
    #: the earlier run that took this very file in
    same_as_id: uuid.UUID | None
    created_at: datetime
    finished_at: datetime | None


class ImportSummaryRead(ResponseModel):
    """One run of an import, without what was wrong with its rows."""

    id: uuid.UUID
    entity: str
    dry_run: bool
    status: str
    total: int
    created: int
    updated: int
    unchanged: int
    failed: int
    error_code: str | None
    file_name: str
    created_at: datetime
    finished_at: datetime | None


class ValidationRead(ResponseModel):
    """What can be said of a file without looking at what is there."""

    format: str
    encoding: str | None
    delimiter: str | None
    total: int
    #: rows that are wrong
    failed: int
    #: column of the file -> field
    columns: dict[str, str]
    #: columns of the file that say nothing here
    ignored: list[str]
    problems: list[ProblemRead]


class ExportRunCreate(RequestModel):
    """What is to be written into a file."""

    entity: EntityName
    format: Annotated[Format, Field(examples=["xlsx"])] = "csv"


class ExportRunRead(ResponseModel):
    """One run of an export."""

    id: uuid.UUID
    entity: str
    format: str
    status: str
    #: rows
    total: int
    size_bytes: int | None
    error_code: str | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None
