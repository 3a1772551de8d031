"""What a driver knows of a stop, what is to happen there, and what the phone believes in the evening."""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Stop:
    """One door, as the platform told it."""

    delivery_id: str
    order_id: str
    order_number: str
    route_id: str
    sequence: int
    status: str
    customer_name: str
    #: degrees, WGS 84
    door: tuple[float, float]
    cash_due_minor: int
    otp_needed: bool
    otp_status: str

    @classmethod
    def of(cls, route_id: str, said: dict[str, Any]) -> "Stop":
        """From what `GET /mobile/sync` says of a stop."""
        return cls(
            delivery_id=said["delivery_id"],
            order_id=said["order_id"],
            order_number=said["order_number"],
            route_id=route_id,
            sequence=said["sequence"],
            status=said["status"],
            customer_name=said["customer_name"],
            door=(said["latitude"], said["longitude"]),
            cash_due_minor=said["cash_due_minor"],
            otp_needed=said["otp_needed"],
            otp_status=said["otp_status"],
        )


@dataclass(frozen=True)
class Outcome:
    """What the script wants to happen at a door."""

    kind: Literal["deliver", "fail", "breakdown"] = "deliver"
    #: of a failure, as the platform calls it: refused, customer_absent, wrong_address, damaged, vehicle, other
    reason: str = "customer_absent"
    #: a signature instead of a photo
    signs: bool = False
    #: what is due is paid in cash
    pays: bool = True
    note: str = ""


@dataclass
class DayReport:
    """What the phone itself believes and has counted."""

    finished: bool = False
    routes: list[str] = field(default_factory=list)
    positions: int = 0
    commands: int = 0
    #: delivery id -> SHA-256 of the photo or signature of its proof
    proofs: dict[str, str] = field(default_factory=dict)
    #: delivery id -> reason
    failed: dict[str, str] = field(default_factory=dict)
    #: delivery id -> minor units
    cash: dict[str, int] = field(default_factory=dict)
    #: what the platform said of commands: result -> how many
    results: dict[str, int] = field(default_factory=dict)
    #: commands that the platform did not take: [kind, target, code, message]
    disputed: list[list[str]] = field(default_factory=list)
    requests: int = 0
    #: requests whose answer was lost on the way
    cut: int = 0
