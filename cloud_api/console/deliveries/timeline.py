"""What happened to a delivery, step by step."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cloud_api.console.asking import Answer


@dataclass(frozen=True)
class Step:
    """One thing that happened, or is to come."""

    icon_name: str
    title: str
    #: None: it has not happened, or nobody knows when
    at: str | None
    tone: str = "azure"
    note: str = ""
    ahead: bool = False


_ENDS = {
    "failed": Step(icon_name="circle-x", title="Could not be delivered", at=None, tone="red"),
    "returned": Step(icon_name="arrow-back-up", title="Back at the store", at=None, tone="red"),
    "cancelled": Step(icon_name="ban", title="Given up", at=None, tone="red"),
}


def steps(delivery: Answer, stop: Answer, route: Answer) -> list[Step]:
    """What happened, in the order of its moments; what is to come stands last.

    Args:
        stop: how far the van is from this door; empty when it is on no route.
        route: empty when it is on none.
    """
    past = [step for step in _past(delivery, stop, route) if step.at is not None]
    past.sort(key=lambda step: step.at or "")
    return [*past, *_end(delivery), *_ahead(delivery, stop)]


def _past(delivery: Answer, stop: Answer, route: Answer) -> Iterator[Step]:
    number, recipient = route.get("number", ""), delivery["recipient_name"] or ""
    yield Step(icon_name="barcode", title="Scanned while loading", at=delivery["scanned_at"])
    yield Step(icon_name="truck-delivery", title="The van left", at=route.get("started_at"), note=number)
    yield Step(icon_name="map-pin", title="The van came near", at=stop.get("near_since"))
    yield Step(icon_name="map-pin-check", title="The van stopped at the door", at=stop.get("arrived_by_fence_at"))
    yield Step(icon_name="message-code", title="Code sent to the customer", at=delivery["otp_sent_at"])
    yield Step(icon_name="user-check", title="The driver said: at the door", at=delivery["arrived_at"])
    yield Step(icon_name="shield-check", title="Code verified", at=delivery["otp_verified_at"], tone="green")
    yield Step(icon_name="package", title="Handed over", at=delivery["delivered_at"], tone="green", note=recipient)


def _end(delivery: Answer) -> Iterator[Step]:
    """How it ended, where nobody wrote down when."""
    end = _ENDS.get(delivery["status"])
    if end is not None:
        yield replace(end, note=delivery["failure_reason"] or "")


def _ahead(delivery: Answer, stop: Answer) -> Iterator[Step]:
    planned, eta = delivery["planned_arrival_at"], stop.get("eta")
    if delivery["status"] not in ("assigned", "out_for_delivery", "pending") or not planned:
        return
    if eta:
        yield Step(icon_name="clock", title="Expected at the door", at=eta["p50_at"], tone="secondary", ahead=True)
    else:
        yield Step(icon_name="calendar", title="Planned at the door", at=planned, tone="secondary", ahead=True)
