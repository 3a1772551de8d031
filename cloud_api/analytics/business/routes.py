"""`/api/v1/admin/analytics`: revenue, orders, customers, products, use and safety of the caller's organisation."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cloud_api.analytics.business import safety, service, usage
from cloud_api.analytics.business.queries import Where
from cloud_api.analytics.business.schemas import (
    BusinessRead,
    CustomersRead,
    OrdersRead,
    ProductsRead,
    RevenueRead,
    SafetyRead,
    UsageRead,
)
from cloud_api.analytics.periods import AskedPeriod
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/admin/analytics", tags=["analytics"], route_class=ApiRoute)


async def asked_orders(
    db: Db,
    seen: VisiblePlaces,
    warehouse_id: Annotated[uuid.UUID | None, Query(description="only orders of this warehouse")] = None,
) -> Where:
    """The orders that a request looks at: those of warehouses that its sender sees, or of the one that it names."""
    return await service.checked(db, Where(seen, warehouse_id))


AskedOrders = Annotated[Where, Depends(asked_orders, scope="function")]
Best = Annotated[int, Query(ge=1, le=100, description="how many of the best are named")]


@router.get("/business", response_model=BusinessRead, dependencies=[require("analytics:business")])
async def get_business_figures(db: Db, period: AskedPeriod, where: AskedOrders) -> BusinessRead:
    """Revenue, orders, customers and the average order side by side, compared with the period before."""
    return await service.business(db, period, where)


@router.get("/revenue", response_model=RevenueRead, dependencies=[require("analytics:business")])
async def get_revenue_figures(db: Db, period: AskedPeriod, where: AskedOrders) -> RevenueRead:
    """Revenue: totals of orders when they were delivered, less credits when they were granted; and its growth."""
    return await service.revenue(db, period, where)


@router.get("/orders", response_model=OrdersRead, dependencies=[require("analytics:business")])
async def get_order_figures(db: Db, period: AskedPeriod, where: AskedOrders) -> OrdersRead:
    """How many orders were placed, delivered and cancelled; by status, category and city."""
    return await service.orders(db, period, where)


@router.get("/customers", response_model=CustomersRead, dependencies=[require("analytics:business")])
async def get_customer_figures(db: Db, period: AskedPeriod, where: AskedOrders, best: Best = 10) -> CustomersRead:
    """Who ordered for the first time, who again, and who brings the most."""
    return await service.customers(db, period, where, limit=best)


@router.get("/products", response_model=ProductsRead, dependencies=[require("analytics:business")])
async def get_product_figures(db: Db, period: AskedPeriod, where: AskedOrders, best: Best = 10) -> ProductsRead:
    """What sold best, and what is earned with it at today's cost prices."""
    return await service.products(db, period, where, limit=best)


@router.get("/usage", response_model=UsageRead, dependencies=[require("analytics:business")])
async def get_usage_figures(
    db: Db,
    period: AskedPeriod,
    active_days: Annotated[int, Query(ge=1, le=366, description="who signed in within so many days is active")] = 30,
) -> UsageRead:
    """People, sign-ins in force, where requests come from, and what files take."""
    return await usage.usage(db, period, active_days=active_days)


@router.get("/security", response_model=SafetyRead, dependencies=[require("security:read")])
async def get_security_figures(db: Db, principal: CurrentPrincipal, period: AskedPeriod) -> SafetyRead:
    """How safe accounts are, with what that is reckoned from; events by severity; the last changes."""
    return await safety.safety(db, period, with_changes=principal.may("audit:read"))
