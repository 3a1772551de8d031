"""What VROOM's JSON may hold, key by key, as its API document names them."""

from typing import Annotated

import msgspec

from route_optimizer.problem import HIGHEST_PRIORITY, LONGEST_S

Whole = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_S)]
Location = tuple[Annotated[float, msgspec.Meta(ge=-180, le=180)], Annotated[float, msgspec.Meta(ge=-90, le=90)]]
Windows = list[tuple[Whole, Whole]]
Cells = list[list[Whole]]


class StepJson(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a route to begin the search with."""

    type: str
    id: int | None = None
    service_at: int | None = None
    service_after: int | None = None
    service_before: int | None = None


class CostsJson(msgspec.Struct, frozen=True, kw_only=True):
    """What a vehicle costs."""

    fixed: Whole = 0
    per_hour: Whole = 3_600
    per_task_hour: Whole = 0
    per_km: Whole = 0


class BreakJson(msgspec.Struct, frozen=True, kw_only=True):
    """A driver's break."""

    id: int
    time_windows: Windows = []
    service: Whole = 0
    description: str = ""
    max_load: list[int] | None = None


class VehicleJson(msgspec.Struct, frozen=True, kw_only=True):
    """A vehicle."""

    id: int
    profile: str = "car"
    description: str = ""
    start: Location | None = None
    start_index: Whole | None = None
    end: Location | None = None
    end_index: Whole | None = None
    capacity: list[Whole] = []
    costs: CostsJson = CostsJson()
    skills: list[int] = []
    type: str = ""
    time_window: tuple[Whole, Whole] | None = None
    breaks: list[BreakJson] = []
    speed_factor: Annotated[float, msgspec.Meta(gt=0, le=5)] = 1.0
    max_tasks: Whole | None = None
    max_travel_time: Whole | None = None
    max_distance: Whole | None = None
    steps: list[StepJson] = []


class TaskJson(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a shipment."""

    id: int
    description: str = ""
    location: Location | None = None
    location_index: Whole | None = None
    setup: Whole = 0
    service: Whole = 0
    setup_per_type: dict[str, int] = {}
    service_per_type: dict[str, int] = {}
    time_windows: Windows = []


class JobJson(TaskJson, frozen=True, kw_only=True):
    """A place to visit."""

    #: the old name of `delivery`
    amount: list[Whole] = []
    delivery: list[Whole] = []
    pickup: list[Whole] = []
    skills: list[int] = []
    priority: Annotated[int, msgspec.Meta(ge=0, le=HIGHEST_PRIORITY)] = 0


class ShipmentJson(msgspec.Struct, frozen=True, kw_only=True):
    """From one place to another."""

    pickup: TaskJson
    delivery: TaskJson
    amount: list[Whole] = []
    skills: list[int] = []
    priority: Annotated[int, msgspec.Meta(ge=0, le=HIGHEST_PRIORITY)] = 0


class MatricesJson(msgspec.Struct, frozen=True, kw_only=True):
    """The ways of one profile."""

    durations: Cells | None = None
    distances: Cells | None = None
    costs: Cells | None = None


class VroomJson(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    vehicles: list[VehicleJson]
    jobs: list[JobJson] = []
    shipments: list[ShipmentJson] = []
    matrices: dict[str, MatricesJson] = {}
    #: the old way to give the durations
    matrix: Cells | None = None
    #: of vroom-express; not looked at
    options: msgspec.Raw = msgspec.Raw()
