"""Operations of administrators, closed to addresses that are not on the organisation's list.

Asked of everybody who has proved who they are. What an organisation's list says is known for five seconds, so that a
request costs no query; before anybody is refused, the list is read again.
"""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from cloud_api.configuration.definitions import IP_ALLOWLIST_ENFORCED
from cloud_api.identity.allowlist import service
from cloud_api.identity.allowlist.errors import AddressNotAllowed
from cloud_api.identity.refusals import Refusals
from cloud_api.kernel.addresses import Network, client_address, is_within
from cloud_api.kernel.db import Database
from cloud_api.kernel.permissions import Principal
from cloud_api.kernel.tenancy import SystemScope

_KNOWN_FOR_S = 5.0
_ADMINISTRATION = ("/api/v1/admin/", "/ws/admin/")


@dataclass(frozen=True)
class _Known:
    ranges: tuple[Network, ...]
    until_s: float


class AllowlistGate:
    """`kernel.permissions.AdmissionGate`, and the guard of the setting that puts the list in force."""

    def __init__(self, refusals: Refusals, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._refusals = refusals
        self._monotonic = monotonic
        self._known: dict[uuid.UUID, _Known] = {}
        #: organisation -> how often its list has changed: what was read before a change is not kept after it
        self._changes: Counter[uuid.UUID] = Counter()

    async def __call__(self, connection: HTTPConnection, principal: Principal) -> None:
        """Let somebody through.

        Raises:
            AddressNotAllowed: when it is an operation of administrators, and they come from elsewhere.
        """
        path: str = connection.scope["path"]
        if not path.startswith(_ADMINISTRATION):
            return
        database, address = connection.app.state.database, client_address(connection)
        if await self._lets_in(database, principal.organization_id, address):
            return
        await self._refusals.tell(
            database, principal, address=address, type="ip_refused", severity="medium", details={"path": path}
        )
        raise AddressNotAllowed

    async def guard_setting(self, db: AsyncSession, values: Mapping[str, object]) -> None:
        """Asked before settings change (`configuration.service.SettingGuard`).

        Raises:
            WouldLockOut: when the list would be put in force, and the caller is not on it.
        """
        await service.guard_setting(db, values)
        if IP_ALLOWLIST_ENFORCED.key in values:
            self.forget_after(db)

    def forget_after(self, db: AsyncSession) -> None:
        """This unit of work changes the list of its organisation: look again once it is committed."""
        organization_id: uuid.UUID = db.sync_session.info["scope"].organization_id
        event.listen(db.sync_session, "after_commit", lambda _session: self._forget(organization_id))

    def _forget(self, organization_id: uuid.UUID) -> None:
        self._known.pop(organization_id, None)
        self._changes[organization_id] += 1

    async def _lets_in(self, database: Database, organization_id: uuid.UUID, address: str) -> bool:
        known = self._known.get(organization_id)
        if known is not None and self._monotonic() < known.until_s and _allows(known.ranges, address):
            return True
        changes = self._changes[organization_id]
        async with database.unit_of_work(SystemScope("read an allow-list"), read_only=True) as db:
            ranges = await service.ranges_in_force(db, organization_id)
        if self._changes[organization_id] == changes:
            self._known[organization_id] = _Known(ranges, self._monotonic() + _KNOWN_FOR_S)
        return _allows(ranges, address)


def _allows(ranges: tuple[Network, ...], address: str) -> bool:
    return not ranges or is_within(address, ranges)
