"""Codes that we write ourselves where the trade has none: `cf:lot:<id>`."""

import re
import uuid

_OWN = re.compile(r"cf:lot:([0-9a-f]{32})")


def of_lot(lot_id: uuid.UUID) -> str:
    """What stands on the label of a lot whose product has no GTIN."""
    return f"cf:lot:{lot_id.hex}"


def lot_in(code: str) -> uuid.UUID | None:
    """The lot that a code of ours names; None: it is no such code."""
    found = _OWN.fullmatch(code.strip().lower())
    return uuid.UUID(hex=found[1]) if found else None
