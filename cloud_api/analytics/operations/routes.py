"""`/api/v1/warehouse/operations` and `/api/v1/warehouse/analytics`: figures of warehouses and of the road."""

import uuid
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from cloud_api.analytics.operations import compliance, flows, goods, now, road, service, telling
from cloud_api.analytics.operations.asked import Asked, asked_about
from cloud_api.analytics.operations.schemas import (
    ComplianceRead,
    CostsRead,
    DevicesRead,
    DriverRead,
    EfficiencyRead,
    ExcursionWeekRead,
    FleetRead,
    FlowRead,
    InventoryRead,
    LogisticsRead,
    MetricsRead,
    OrdersOfDayRead,
    OverviewRead,
    PerformanceRead,
    ReasonRead,
    RoadDayRead,
    TrendsRead,
    TurnoverRead,
    ValuationRead,
    WasteProductRead,
    WasteRead,
    WasteReasonRead,
)
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse", tags=["analytics"], route_class=ApiRoute)

_OF_STOCK = [require("analytics:warehouse")]
_OF_THE_ROAD = [require("analytics:logistics", "analytics:warehouse")]
_NOW = [require("operations:read", "analytics:warehouse")]


async def asked_here(
    db: Db,
    seen: VisiblePlaces,
    since: Annotated[date | None, Query(alias="from", description="the first day; by default the last 30")] = None,
    until: Annotated[date | None, Query(alias="to", description="the last day; by default today")] = None,
    warehouse_id: uuid.UUID | None = None,
) -> Asked:
    """What a request asks about; its days are those of the warehouses' calendars."""
    return await asked_about(db, seen=seen, first=since, last=until, warehouse_id=warehouse_id)


AskedHere = Annotated[Asked, Depends(asked_here, scope="function")]
SoonDays = Annotated[int, Query(ge=0, le=365, description="what expires within so many days")]


@router.get("/operations/overview", response_model=OverviewRead, dependencies=_NOW)
async def get_operations_overview(db: Db, asked: AskedHere, days: SoonDays = 5) -> OverviewRead:
    """The cards of a warehouse's dashboard: of the days asked about, of their last one, or of now."""
    packed, delivered = await now.orders_of_the_day(db, asked)
    wasted, sold = await flows.wasted(db, asked), await flows.sold_cost(db, asked)
    kept = telling.compliance(await compliance.by_place_and_day(db, asked))
    return OverviewRead(
        **telling.about(asked),
        inventory=telling.worth((await goods.worth(db, asked, method="fifo")).values()),
        fleet=FleetRead.model_validate(await now.fleet(db, asked)),
        orders=OrdersOfDayRead(packed=packed, delivered=delivered),
        deliveries=telling.punctuality(road.together(await road.by_day(db, asked))),
        waste_share=telling.share(wasted.total.cost, wasted.total.cost + sold),
        compliance_share=kept.share,
        low_stock=len(await goods.too_little(db, asked)),
        expiring_lots=(await goods.expiring(db, asked, days=days)).lots,
    )


@router.get("/operations/metrics", response_model=MetricsRead, dependencies=_NOW)
async def get_operations_metrics(db: Db, asked: AskedHere) -> MetricsRead:
    """How things stand at this moment: orders, doors, vans, gateways, sensors, alerts, excursions."""
    return MetricsRead(
        **telling.about(asked),
        open_orders=dict(await now.open_orders(db, asked)),
        doors=dict(await now.doors_of_the_day(db, asked)),
        devices=DevicesRead.model_validate(await now.devices(db, asked)),
        fleet=FleetRead.model_validate(await now.fleet(db, asked)),
        alerts_open=await now.open_alerts(db, asked),
        excursions_going_on=await now.excursions_going_on(db, asked),
    )


@router.get("/analytics/inventory", response_model=InventoryRead, dependencies=_OF_STOCK)
async def get_inventory_figures(db: Db, asked: AskedHere, days: SoonDays = 5) -> InventoryRead:
    """What lies in the stores at this moment: by status and category, what to buy, what will not keep."""
    lying, low = await goods.by_status(db, asked), await goods.too_little(db, asked)
    return InventoryRead(
        **telling.about(asked),
        total=telling.total(lying),
        by_status=telling.statuses(lying, goods.STATUSES),
        by_category=telling.categories(lying),
        low_stock=len(low),
        low=telling.low(low),
        expiring=telling.expiring(await goods.expiring(db, asked, days=days), days=days),
    )


@router.get("/analytics/valuation", response_model=ValuationRead, dependencies=_OF_STOCK)
async def get_valuation_figures(db: Db, asked: AskedHere, method: Literal["fifo", "average"] = "fifo") -> ValuationRead:
    """What stock was worth when the last day was over: the valuation report, by category and warehouse."""
    found = await goods.worth(db, asked, method=method)
    categories = await service.category_of(db, {product_id for product_id, _ in found})
    return ValuationRead(
        **telling.about(asked),
        method=method,
        total=telling.worth(found.values()),
        categories=telling.valued(found, categories),
    )


@router.get("/analytics/turnover", response_model=TurnoverRead, dependencies=_OF_STOCK)
async def get_turnover(db: Db, asked: AskedHere) -> TurnoverRead:
    """How often the stock turned over: the cost of what was sold / the mean cost of the stock at the end of a day.

    At what each lot cost. What left a van at a customer's door was sold by the warehouse of its order.
    """
    return service.turnover(asked, await flows.course(db, asked))


@router.get("/analytics/waste", response_model=WasteRead, dependencies=_OF_STOCK)
async def get_waste_figures(db: Db, asked: AskedHere) -> WasteRead:
    """What was booked off as waste, why, and its share of what was sold and wasted; what expired and lies there still.

    What undoes such an entry counts against it.
    """
    wasted, sold = await flows.wasted(db, asked), await flows.sold_cost(db, asked)
    expired = await goods.expiring(db, asked, days=0, expired=True)
    return WasteRead(
        **telling.about(asked),
        total=FlowRead(**telling.flow(wasted.total)),
        share=telling.share(wasted.total.cost, wasted.total.cost + sold),
        unpriced_quantity=service.quantity(wasted.unpriced),
        by_reason=[WasteReasonRead(reason=why, **telling.flow(one)) for why, one in sorted(wasted.reasons.items())],
        by_product=[
            WasteProductRead(product_id=id, **telling.flow(one)) for id, one in service.most_costly(wasted.products)
        ],
        expired_on_hand=telling.expiring(expired, days=0),
    )


@router.get("/analytics/efficiency", response_model=EfficiencyRead, dependencies=_OF_STOCK)
async def get_storage_efficiency(db: Db, asked: AskedHere) -> EfficiencyRead:
    """How full the warehouses are at this moment, by storage type."""
    whole, classes = await goods.storage_use(db, asked)
    return EfficiencyRead(
        **telling.about(asked),
        used_kg=whole.used_kg,
        capacity_kg=whole.capacity_kg,
        utilisation_pct=whole.percent,
        by_storage_type=telling.storage(classes),
    )


@router.get("/analytics/logistics", response_model=LogisticsRead, dependencies=_OF_THE_ROAD)
async def get_logistics_figures(db: Db, asked: AskedHere) -> LogisticsRead:
    """How the road went: doors in time by day, failed attempts by reason, planned against driven, loads."""
    days, vehicles = await road.by_day(db, asked), await road.by_vehicle(db, asked)
    reasons = await road.not_delivered(db, asked)
    return LogisticsRead(
        **telling.about(asked),
        total=telling.all_routes(road.together(days)),
        by_day=[RoadDayRead(day=day, **telling.routes(one)) for day, one in sorted(days.items())],
        failed=sum(reasons.values()),
        refused=reasons.get("refused", 0),
        by_reason=[ReasonRead(reason=why, attempts=count) for why, count in sorted(reasons.items())],
        load_factor=telling.share(sum(one.load_g for one in vehicles), sum(one.capacity_g for one in vehicles)),
        vehicles=[telling.vehicle(one) for one in vehicles],
    )


@router.get("/analytics/performance", response_model=PerformanceRead, dependencies=_OF_THE_ROAD)
async def get_driver_performance(db: Db, asked: AskedHere) -> PerformanceRead:
    """How drivers drove: doors an hour, in time, and what customers said."""
    drivers, said = await road.by_driver(db, asked), await road.ratings(db, asked)
    count = sum(one.ratings for one in said.values())
    return PerformanceRead(
        **telling.about(asked),
        drivers=[
            DriverRead(
                driver_id=driver_id,
                stops_per_hour=None if one.stops_per_hour is None else round(one.stops_per_hour, 2),
                ratings=said[driver_id].ratings if driver_id in said else 0,
                rating=round(said[driver_id].mean, 2) if driver_id in said else None,
                **telling.routes(one),
            )
            for driver_id, one in sorted(drivers.items(), key=lambda each: (-each[1].delivered, each[0]))
        ],
        ratings=count,
        rating=round(sum(one.mean * one.ratings for one in said.values()) / count, 2) if count else None,
    )


@router.get("/analytics/trends", response_model=TrendsRead, dependencies=_OF_STOCK)
async def get_trends(db: Db, asked: AskedHere) -> TrendsRead:
    """Day by day: what lay there when it was over, what came, was sold and was wasted, and doors reached in time."""
    return service.trends(asked, await flows.course(db, asked), await road.by_day(db, asked))


@router.get("/analytics/compliance", response_model=ComplianceRead, dependencies=_OF_STOCK)
async def get_temperature_compliance(
    db: Db,
    asked: AskedHere,
    by_place: Annotated[bool, Query(description="each day of each place, instead of all places together")] = False,
) -> ComplianceRead:
    """Which share of the readings lay within their place's limits, by place and day; excursions by week.

    From what is kept of days and hours: of an hour that crossed a limit only its extremes are known, and its readings
    count as if they were spread evenly between them. The true share lies between `least` and `most`.
    """
    kept = await compliance.by_place_and_day(db, asked)
    weeks = await compliance.excursions_by_week(db, asked)
    return ComplianceRead(
        **telling.about(asked),
        total=telling.compliance(kept),
        places=telling.compliance_by_place(kept),
        days=telling.compliance_by_day(kept, by_place=by_place),
        weeks=[
            ExcursionWeekRead(monday=one.monday, excursions=one.excursions, minutes=round(one.minutes, 1))
            for one in weeks
        ],
    )


@router.get("/analytics/costs", response_model=CostsRead, dependencies=_OF_STOCK)
async def get_operating_costs(db: Db, asked: AskedHere) -> CostsRead:
    """What waste, driving and the workshop cost: vans by their day and kilometre, waste at what its lots cost."""
    return service.costs(asked, await flows.wasted(db, asked), await road.spent(db, asked))
