"""Feature flags: what is not for everybody yet, and for whom it is.

Who asks falls into one of 10,000 buckets of a flag, always the same; a rollout of 12.5 % opens the first 1,250. So a
larger percentage only ever adds people, and two flags of 50 % do not have the same half.
"""

import hashlib
import uuid
from collections.abc import Mapping

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration.models import BUCKETS, FeatureFlag
from cloud_api.kernel import clock, versions
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.permissions import Principal
from cloud_api.kernel.registers import flush_unique

log = structlog.get_logger(__name__)


def bucket(key: str, user_id: uuid.UUID) -> int:
    """Where this flag's dice put this person, from 0 to 9,999."""
    return int.from_bytes(hashlib.sha256(f"{key}:{user_id}".encode()).digest()) % BUCKETS


def is_open(flag: FeatureFlag, principal: Principal) -> bool:
    """Whether `flag` is for `principal`: named by id, or within the audience and its rolled-out part."""
    if not flag.enabled:
        return False
    if str(principal.id) in flag.user_ids:
        return True
    of_theirs = not flag.organization_ids or str(principal.organization_id) in flag.organization_ids
    of_role = not flag.roles or not principal.roles.isdisjoint(flag.roles)
    return of_theirs and of_role and bucket(flag.key, principal.id) < flag.rollout_buckets


async def is_enabled(db: AsyncSession, principal: Principal, key: str) -> bool:
    """Whether the feature is for `principal`; a flag that nobody created is for nobody."""
    flag = await db.scalar(select(FeatureFlag).where(FeatureFlag.key == key))
    return flag is not None and is_open(flag, principal)


async def evaluate(db: AsyncSession, principal: Principal) -> dict[str, bool]:
    """Every flag, and whether it is for `principal`."""
    flags = await db.scalars(select(FeatureFlag).order_by(FeatureFlag.key))
    return {flag.key: is_open(flag, principal) for flag in flags}


async def get_flag(db: AsyncSession, key: str) -> FeatureFlag:
    """One flag.

    Raises:
        NotFound: when there is none.
    """
    flag = await db.scalar(select(FeatureFlag).where(FeatureFlag.key == key))
    if flag is None:
        raise NotFound(f"no feature flag {key!r}", field="key")
    return flag


async def create_flag(db: AsyncSession, *, key: str, rules: Mapping[str, object], by: uuid.UUID) -> FeatureFlag:
    """A new flag; `rules` are columns of it.

    Raises:
        AlreadyExists: when there is one of this key.
    """
    flag = FeatureFlag(key=key, updated_at=clock.now(), updated_by=by, **rules)
    db.add(flag)
    await flush_unique(db, f"there is a feature flag {key!r} already", field="key")
    log.info("feature_flag_created", key=key, by=str(by))
    return flag


async def change_flag(
    db: AsyncSession, key: str, *, rules: Mapping[str, object], by: uuid.UUID, seen: int | None = None
) -> FeatureFlag:
    """Change what `rules` name; the rest stays.

    Raises:
        NotFound: when there is none.
        StaleVersion: when it is another version than `seen` now.
    """
    flag = await get_flag(db, key)
    await versions.count(db, flag, seen=seen, what=f"feature flag {key!r}")
    for column, value in rules.items():
        setattr(flag, column, value)
    flag.updated_at, flag.updated_by = clock.now(), by
    log.info("feature_flag_changed", key=key, changed=sorted(rules), by=str(by))
    return flag


async def delete_flag(db: AsyncSession, key: str, *, by: uuid.UUID) -> None:
    """Forget a flag: from now on the feature is for nobody.

    Raises:
        NotFound: when there is none.
    """
    await db.delete(await get_flag(db, key))
    log.info("feature_flag_deleted", key=key, by=str(by))
