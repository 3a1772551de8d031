"""Figures of operations, as they travel over HTTP: amounts in the organisation's currency, shares from 0 to 1."""

import uuid
from datetime import date
from decimal import Decimal

from cloud_api.kernel.http import ResponseModel
from cloud_api.kernel.quantity import Quantity

#: of an amount in the currency's own unit
Amount = Decimal


class DaysRead(ResponseModel):
    """Which days and which warehouse an answer is about."""

    first: date
    last: date
    #: null: all that the caller sees, and what is in none
    warehouse_id: uuid.UUID | None


class FlowRead(ResponseModel):
    """How much, and at what its lots cost."""

    quantity: Quantity
    cost: Amount


class WorthRead(ResponseModel):
    """How much, and what it is worth."""

    quantity: Quantity
    value: Amount


class FleetRead(ResponseModel):
    """Vans: in service, of all there are, and under way."""

    active: int
    total: int
    on_the_road: int


class OrdersOfDayRead(ResponseModel):
    """Orders that were packed, and that were handed over, on the last day."""

    packed: int
    delivered: int


class PunctualityRead(ResponseModel):
    """Of the doors of completed routes those that were reached before their window closed."""

    routes: int
    delivered: int
    on_time: int
    #: of the delivered; null: nothing was
    on_time_share: float | None


class OverviewRead(DaysRead):
    """The cards of a warehouse's dashboard."""

    #: when the last day was over, or now: as the valuation report says it
    inventory: WorthRead
    fleet: FleetRead
    orders: OrdersOfDayRead
    deliveries: PunctualityRead
    #: a share of what was sold and wasted, at cost; null: nothing was
    waste_share: float | None
    #: a share of the readings within their place's limits; null: nothing was measured
    compliance_share: float | None
    low_stock: int
    expiring_lots: int


class DevicesRead(ResponseModel):
    """What measures: gateways in service, active sensors."""

    gateways: int
    gateways_online: int
    sensors: int
    #: heard before, and not for longer than they should be
    sensors_silent: int


class MetricsRead(DaysRead):
    """How things stand at this moment; doors are those of the last day's routes."""

    open_orders: dict[str, int]
    doors: dict[str, int]
    devices: DevicesRead
    fleet: FleetRead
    alerts_open: int
    excursions_going_on: int


class StatusRead(FlowRead):
    """Stock that stands alike: available, reserved, on_hold or expired."""

    status: str


class CategoryStockRead(FlowRead):
    """Stock of one category."""

    category_id: uuid.UUID | None
    available: Quantity


class LowRead(ResponseModel):
    """A product of which there is too little, and what to buy."""

    product_id: uuid.UUID
    sku: str
    name: str
    unit: str
    warehouse_id: uuid.UUID | None
    available: Quantity
    reorder_point: Quantity
    suggested_quantity: Quantity


class ExpiringLotRead(ResponseModel):
    """What lies of a lot in one warehouse and does not keep much longer."""

    lot_id: uuid.UUID
    lot_number: str
    product_id: uuid.UUID
    warehouse_id: uuid.UUID | None
    quantity: Quantity
    cost: Amount
    keeps_until: date
    days_left: int


class ExpiringRead(FlowRead):
    """All that keeps for no more than so many days, and the first of it."""

    within_days: int
    lots: int
    first: list[ExpiringLotRead]


class InventoryRead(DaysRead):
    """What lies in the stores at this moment, at what its lots cost."""

    total: FlowRead
    by_status: list[StatusRead]
    by_category: list[CategoryStockRead]
    low_stock: int
    #: the first of it
    low: list[LowRead]
    expiring: ExpiringRead


class ValuedCategoryRead(WorthRead):
    """Of one category in one warehouse."""

    category_id: uuid.UUID | None
    #: null: in vans and on the way
    warehouse_id: uuid.UUID | None


class ValuationRead(DaysRead):
    """What stock was worth when the last day was over: the valuation report, by category."""

    method: str
    total: WorthRead
    categories: list[ValuedCategoryRead]


class TurnoverRead(DaysRead):
    """Cost of what was sold / mean cost of what lay there at the end of each day."""

    sold_cost: Amount
    mean_stock_cost: Amount
    #: null: nothing lay there
    turnover: float | None
    #: as often in a year of 365 days
    turnover_per_year: float | None
    #: for how many days the mean stock lasts; null: nothing was sold
    days_of_stock: float | None


class WasteReasonRead(FlowRead):
    """expired (on the day it was booked off), returned, lost_on_the_way or written_off."""

    reason: str


class WasteProductRead(FlowRead):
    """Waste of one product."""

    product_id: uuid.UUID


class WasteRead(DaysRead):
    """What was booked off as waste, and what has expired and still lies there."""

    total: FlowRead
    #: of what was sold and wasted, at cost; null: nothing was
    share: float | None
    #: of it without a known cost
    unpriced_quantity: Quantity
    by_reason: list[WasteReasonRead]
    #: the most costly
    by_product: list[WasteProductRead]
    expired_on_hand: ExpiringRead


class StorageRead(ResponseModel):
    """How full the places of one storage type are; of all warehouses together."""

    storage_type: str
    used_kg: float
    #: null: nobody said
    capacity_kg: float | None
    utilisation_pct: float | None


class EfficiencyRead(DaysRead):
    """How full warehouses are at this moment."""

    used_kg: float
    #: null: not every warehouse has one
    capacity_kg: float | None
    utilisation_pct: float | None
    by_storage_type: list[StorageRead]


class RouteFiguresRead(PunctualityRead):
    """Completed routes: planned against driven. Distances are of those whose distance is known."""

    stops: int
    planned_km: float
    driven_km: float
    planned_minutes: float
    driven_minutes: float


class RoadDayRead(RouteFiguresRead):
    """Those of a day."""

    day: date


class ReasonRead(ResponseModel):
    """Attempts at doors that failed for one reason."""

    reason: str
    attempts: int


class VehicleUseRead(ResponseModel):
    """What a van was to carry of what it could, over its routes but for those that were cancelled."""

    vehicle_id: uuid.UUID
    number: str
    routes: int
    planned_km: float
    load_kg: float
    capacity_kg: float
    #: 0 to 1
    load_factor: float | None


class LogisticsRead(DaysRead):
    """How the road went."""

    total: RouteFiguresRead
    by_day: list[RoadDayRead]
    failed: int
    refused: int
    by_reason: list[ReasonRead]
    load_factor: float | None
    vehicles: list[VehicleUseRead]


class DriverRead(RouteFiguresRead):
    """How somebody drove."""

    driver_id: uuid.UUID
    #: from leaving to being back
    stops_per_hour: float | None
    ratings: int
    #: 1 to 5, 5 is best; null: nobody said anything
    rating: float | None


class PerformanceRead(DaysRead):
    """How drivers drove, and what customers said of them."""

    drivers: list[DriverRead]
    ratings: int
    #: of all deliveries by these routes
    rating: float | None


class TrendDayRead(ResponseModel):
    """A day: what lay there when it was over, and what went."""

    day: date
    stock: FlowRead
    received: FlowRead
    sold: FlowRead
    wasted: FlowRead
    delivered: int
    on_time_share: float | None


class TrendsRead(DaysRead):
    """Day by day, at what lots cost."""

    days: list[TrendDayRead]


class ComplianceFiguresRead(ResponseModel):
    """Readings, and those within the limits; exact when `crossing` is 0, else between `least` and `most`."""

    readings: int
    #: certainly
    within: int
    #: of hours in which a limit was crossed: they count as if they were spread evenly between the hour's extremes
    crossing: int
    share: float | None
    least: float | None
    most: float | None


class CompliancePlaceRead(ComplianceFiguresRead):
    """Of a place."""

    location_id: uuid.UUID


class ComplianceDayRead(ComplianceFiguresRead):
    """Of a place on a day; or, without a place, of all of them."""

    location_id: uuid.UUID | None
    day: date


class ExcursionWeekRead(ResponseModel):
    """Excursions by the week in which they began, and how long they lasted until the last day was over, or now."""

    monday: date
    excursions: int
    minutes: float


class ComplianceRead(DaysRead):
    """Whether places were as cold as they are kept."""

    total: ComplianceFiguresRead
    places: list[CompliancePlaceRead]
    days: list[ComplianceDayRead]
    weeks: list[ExcursionWeekRead]


class CostsRead(DaysRead):
    """What operations cost, as far as it is known here."""

    waste: Amount
    driving: Amount
    workshop: Amount
    total: Amount
    driven_km: float
    #: driving alone; null: nobody drove
    cost_per_km: Amount | None
    fuel_l: float
    fuel_l_per_100km: float | None
