"""Security events of credentials and addresses that were refused.

A program that was told no goes on asking: of the same refusal this process tells once a minute.
"""

import time
from collections.abc import Mapping

from cloud_api.audit import service as audit
from cloud_api.audit.models import SecurityEventType, Severity
from cloud_api.kernel.db import Database
from cloud_api.kernel.permissions import Principal
from cloud_api.kernel.tenancy import Actor, SystemScope

_AGAIN_AFTER_S = 60.0
#: refusals that are remembered at once; the oldest is forgotten with one more
_REMEMBERED = 10_000


class Refusals:
    """Writes them, each in a unit of work of its own: the request that was refused has none."""

    def __init__(self) -> None:
        self._told_at_s: dict[tuple[object, ...], float] = {}

    async def tell(
        self,
        database: Database,
        who: Principal,
        *,
        address: str,
        type: SecurityEventType,
        severity: Severity,
        details: Mapping[str, object],
    ) -> None:
        """Raise the event, unless the same was told within the last minute."""
        subject = (who.id, address, type, details.get("reason"))
        if not self._is_due(subject):
            return
        actor = Actor(who.kind, who.id, who.name, address)
        async with database.unit_of_work(SystemScope("tell of a refusal"), actor=actor) as db:
            audit.raise_security_event(
                db, type=type, severity=severity, organization_id=who.organization_id, details=details
            )

    def _is_due(self, subject: tuple[object, ...]) -> bool:
        now = time.monotonic()
        if now - self._told_at_s.get(subject, float("-inf")) < _AGAIN_AFTER_S:
            return False
        self._told_at_s.pop(subject, None)
        self._told_at_s[subject] = now
        if len(self._told_at_s) > _REMEMBERED:
            del self._told_at_s[next(iter(self._told_at_s))]
        return True
