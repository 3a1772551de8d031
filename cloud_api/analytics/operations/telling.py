"""Figures as answers: thousandths become quantities, ten-millionths amounts, metres kilometres."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from cloud_api.analytics.operations.asked import Asked
from cloud_api.analytics.operations.compliance import Kept
from cloud_api.analytics.operations.flows import Flow
from cloud_api.analytics.operations.goods import MOST_ROWS, Lying, Soon
from cloud_api.analytics.operations.road import Driven, Loaded
from cloud_api.analytics.operations.schemas import (
    CategoryStockRead,
    ComplianceDayRead,
    ComplianceFiguresRead,
    CompliancePlaceRead,
    ExpiringLotRead,
    ExpiringRead,
    FlowRead,
    LowRead,
    PunctualityRead,
    RouteFiguresRead,
    StatusRead,
    StorageRead,
    ValuedCategoryRead,
    VehicleUseRead,
    WorthRead,
)
from cloud_api.inventory.occupancy.maps import Use
from cloud_api.inventory.replenishment.queries import Standing
from cloud_api.inventory.stock.valuation import Worth, amount
from cloud_api.kernel.quantity import from_thousandths

_PLACES = 4


def about(asked: Asked) -> dict[str, Any]:
    """What an answer is about: the fields of `DaysRead`."""
    return {"first": asked.first, "last": asked.last, "warehouse_id": asked.warehouse_id}


def share(part: float, whole: float) -> float | None:
    """0 to 1; None of nothing."""
    return round(part / whole, _PLACES) if whole else None


def money(ten_millionths: int) -> Decimal:
    """An amount, to the hundredth."""
    return amount(ten_millionths).quantize(Decimal("0.01"))


def minor(units: int) -> Decimal:
    """An amount of minor units."""
    return Decimal(units).scaleb(-2)


def flow(one: Flow) -> dict[str, Any]:
    """The fields of `FlowRead`."""
    return {"quantity": from_thousandths(one.quantity), "cost": money(one.cost)}


def total(lying: Iterable[Lying]) -> FlowRead:
    """All of it."""
    summed = Flow()
    for one in lying:
        summed.add(one.quantity, one.cost)
    return FlowRead(**flow(summed))


def statuses(lying: Sequence[Lying], names: Sequence[str]) -> list[StatusRead]:
    """By status, in this order; what there is none of too."""
    its = {name: Flow() for name in names}
    for one in lying:
        its[one.status].add(one.quantity, one.cost)
    return [StatusRead(status=name, **flow(one)) for name, one in its.items()]


def categories(lying: Sequence[Lying]) -> list[CategoryStockRead]:
    """By category, the most costly first."""
    its, free = defaultdict[uuid.UUID | None, Flow](Flow), defaultdict[uuid.UUID | None, int](int)
    for one in lying:
        its[one.category_id].add(one.quantity, one.cost)
        free[one.category_id] += one.quantity if one.status == "available" else 0
    told = [
        CategoryStockRead(category_id=id, available=from_thousandths(free[id]), **flow(one)) for id, one in its.items()
    ]
    return sorted(told, key=lambda one: (-one.cost, str(one.category_id)))


def low(standings: Sequence[Standing]) -> list[LowRead]:
    """The first of them."""
    return [
        LowRead(
            product_id=one.product.id,
            sku=one.product.sku,
            name=one.product.name,
            unit=one.product.unit,
            warehouse_id=one.warehouse_id,
            available=one.available,
            reorder_point=one.reorder_point,
            suggested_quantity=one.suggested_quantity,
        )
        for one in standings[:MOST_ROWS]
    ]


def expiring(soon: Soon, *, days: int) -> ExpiringRead:
    """What does not keep."""
    lots = [
        ExpiringLotRead(
            lot_id=one.lot_id,
            lot_number=one.lot_number,
            product_id=one.product_id,
            warehouse_id=one.warehouse_id,
            quantity=one.quantity,
            cost=money(one.cost),
            keeps_until=one.keeps_until,
            days_left=one.days_left,
        )
        for one in soon.first
    ]
    return ExpiringRead(within_days=days, lots=soon.lots, first=lots, **flow(Flow(soon.quantity, soon.cost)))


def worth(found: Iterable[Worth]) -> WorthRead:
    """All of it, as the valuation report adds it up."""
    its = list(found)
    return WorthRead(
        quantity=from_thousandths(sum(one.quantity for one in its)), value=amount(sum(one.value for one in its))
    )


def valued(
    found: Mapping[tuple[uuid.UUID, uuid.UUID | None], Worth], category_of: Mapping[uuid.UUID, uuid.UUID | None]
) -> list[ValuedCategoryRead]:
    """By category and warehouse, the most valuable first."""
    groups = defaultdict[tuple[uuid.UUID | None, uuid.UUID | None], list[Worth]](list)
    for (product_id, warehouse_id), one in found.items():
        groups[category_of.get(product_id), warehouse_id].append(one)
    told = [
        ValuedCategoryRead(category_id=category_id, warehouse_id=warehouse_id, **worth(its).model_dump())
        for (category_id, warehouse_id), its in groups.items()
    ]
    return sorted(told, key=lambda one: (-one.value, str(one.category_id), str(one.warehouse_id)))


def storage(classes: Mapping[str, Use]) -> list[StorageRead]:
    """How full, by storage type."""
    return [
        StorageRead(storage_type=name, used_kg=use.used_kg, capacity_kg=use.capacity_kg, utilisation_pct=use.percent)
        for name, use in classes.items()
    ]


def punctuality(driven: Driven) -> PunctualityRead:
    """How many doors were reached in time."""
    return PunctualityRead(**_punctuality(driven))


def routes(driven: Driven) -> dict[str, Any]:
    """The fields of `RouteFiguresRead`."""
    return {
        **_punctuality(driven),
        "stops": driven.stops,
        "planned_km": driven.planned_distance_m / 1000,
        "driven_km": driven.distance_m / 1000,
        "planned_minutes": round(driven.planned_duration_s / 60, 1),
        "driven_minutes": round(driven.duration_s / 60, 1),
    }


def all_routes(driven: Driven) -> RouteFiguresRead:
    """Planned against driven."""
    return RouteFiguresRead(**routes(driven))


def vehicle(one: Loaded) -> VehicleUseRead:
    """How full a van was."""
    return VehicleUseRead(
        vehicle_id=one.vehicle_id,
        number=one.number,
        routes=one.routes,
        planned_km=one.distance_m / 1000,
        load_kg=one.load_g / 1000,
        capacity_kg=one.capacity_g / 1000,
        load_factor=share(one.load_g, one.capacity_g),
    )


def compliance(kept: Iterable[Kept]) -> ComplianceFiguresRead:
    """All of it."""
    return ComplianceFiguresRead(**_compliance(kept))


def compliance_by_place(kept: Iterable[Kept]) -> list[CompliancePlaceRead]:
    """By place, the worst first."""
    its = defaultdict[uuid.UUID, list[Kept]](list)
    for one in kept:
        its[one.location_id].append(one)
    told = [CompliancePlaceRead(location_id=id, **_compliance(group)) for id, group in its.items()]
    return sorted(told, key=lambda one: (one.share or 0.0, str(one.location_id)))


def compliance_by_day(kept: Sequence[Kept], *, by_place: bool) -> list[ComplianceDayRead]:
    """By day, each place by itself, or all of them together."""
    groups = defaultdict[tuple[date, uuid.UUID | None], list[Kept]](list)
    for one in kept:
        groups[one.day, one.location_id if by_place else None].append(one)
    ordered = sorted(groups.items(), key=lambda each: (each[0][0], str(each[0][1])))
    return [ComplianceDayRead(day=day, location_id=place, **_compliance(its)) for (day, place), its in ordered]


def _compliance(kept: Iterable[Kept]) -> dict[str, Any]:
    its = list(kept)
    readings, within = sum(one.readings for one in its), sum(one.within for one in its)
    crossing, estimated = sum(one.crossing for one in its), sum(one.estimated for one in its)
    return {
        "readings": readings,
        "within": within,
        "crossing": crossing,
        "share": share(within + estimated, readings),
        "least": share(within, readings),
        "most": share(within + crossing, readings),
    }


def _punctuality(driven: Driven) -> dict[str, Any]:
    return {
        "routes": driven.routes,
        "delivered": driven.delivered,
        "on_time": driven.on_time,
        "on_time_share": share(driven.on_time, driven.delivered),
    }
