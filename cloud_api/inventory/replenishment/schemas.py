"""When to buy again, as it travels over HTTP."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from cloud_api.kernel.http import RequestModel, ResponseModel
from cloud_api.kernel.quantity import PositiveQuantity, Quantity
from cloud_api.kernel.versions import Edit

Point = Annotated[Quantity, Field(ge=0)]
LeadTimeDays = Annotated[int, Field(ge=0, le=3650)]


class ReorderRuleCreate(RequestModel):
    """When a product is to be bought again in one warehouse; how much: a fixed quantity, or up to a level."""

    product_id: uuid.UUID
    warehouse_id: uuid.UUID
    reorder_point: Point
    reorder_quantity: PositiveQuantity | None = None
    up_to_level: PositiveQuantity | None = None
    lead_time_days: LeadTimeDays | None = None


class ReorderRuleUpdate(Edit):
    """What is not sent stays."""

    reorder_point: Point = Decimal(0)
    reorder_quantity: PositiveQuantity | None = None
    up_to_level: PositiveQuantity | None = None
    lead_time_days: LeadTimeDays | None = None


class ReorderRuleRead(ResponseModel):
    """When a product is to be bought again in one warehouse."""

    id: uuid.UUID
    product_id: uuid.UUID
    warehouse_id: uuid.UUID
    reorder_point: Quantity
    reorder_quantity: Quantity | None
    up_to_level: Quantity | None
    lead_time_days: int | None
    version: int
    created_at: datetime


class LowStockRead(ResponseModel):
    """A product of which no more may be sold in a warehouse than its reorder point."""

    product_id: uuid.UUID
    sku: str
    name: str
    unit: str
    #: None: it lies nowhere, and never has
    warehouse_id: uuid.UUID | None
    #: what may be sold: not promised, not on hold, not expired by the warehouse's date
    available: Quantity
    reorder_point: Quantity
    #: what is missing to the reorder point
    shortage: Quantity
    suggested_quantity: Quantity
    lead_time_days: int | None
