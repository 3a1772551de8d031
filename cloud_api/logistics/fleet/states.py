"""The life of a vehicle."""

from collections.abc import Mapping
from enum import StrEnum

from cloud_api.kernel.states import StateMachine


class VehicleStatus(StrEnum):
    """Whether a vehicle drives."""

    ACTIVE = "active"
    MAINTENANCE = "maintenance"
    INACTIVE = "inactive"


class VehicleAction(StrEnum):
    """What happens to a vehicle."""

    SEND_TO_WORKSHOP = "send_to_workshop"
    BRING_BACK = "bring_back"
    RETIRE = "retire"


VEHICLE = StateMachine[VehicleStatus, VehicleAction](
    "vehicle",
    VehicleStatus.ACTIVE,
    {
        (VehicleStatus.ACTIVE, VehicleAction.SEND_TO_WORKSHOP): VehicleStatus.MAINTENANCE,
        (VehicleStatus.ACTIVE, VehicleAction.RETIRE): VehicleStatus.INACTIVE,
        (VehicleStatus.MAINTENANCE, VehicleAction.BRING_BACK): VehicleStatus.ACTIVE,
        (VehicleStatus.MAINTENANCE, VehicleAction.RETIRE): VehicleStatus.INACTIVE,
        (VehicleStatus.INACTIVE, VehicleAction.BRING_BACK): VehicleStatus.ACTIVE,
    },
)
#: which action leads to a status that somebody asks for
LEADS_TO: Mapping[VehicleStatus, VehicleAction] = {
    VehicleStatus.MAINTENANCE: VehicleAction.SEND_TO_WORKSHOP,
    VehicleStatus.ACTIVE: VehicleAction.BRING_BACK,
    VehicleStatus.INACTIVE: VehicleAction.RETIRE,
}
