"""Phones' keys: registered with a proof, shown again at each sign-in, revoked when a phone is lost or signed out."""

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import NotFound
from cloud_api.logistics.sync.errors import KeyInvalid, KeyRevoked, KeyTaken
from cloud_api.logistics.sync.models import PhoneCommand, PhoneKey
from cloud_api.logistics.sync.schemas import KeyCreate, KeyRead, KeyRegistered
from cloud_api.logistics.sync.sealing import PublicKey, UnreadableKey, possession_statement

#: numbers that are named as missing
_NAMED = 500


async def register_key(
    db: AsyncSession, new: KeyCreate, *, user_id: uuid.UUID, session_id: uuid.UUID | None
) -> KeyRegistered:
    """Take a phone's public key for whoever is signed in on it. The same key again is the same, where its log stands.

    Another key that this person had on this phone is revoked: the app was installed anew.

    Raises:
        KeyInvalid: when it is no key that we take, or the proof is not signed with it.
        KeyTaken: when it is somebody else's.
        KeyRevoked: when it was revoked: a phone that was lost makes a new one.
    """
    try:
        public = PublicKey(new.public_key)
    except UnreadableKey as error:
        raise KeyInvalid(str(error), field="public_key") from None
    if not public.signed(possession_statement(new.device_id, str(user_id), new.public_key), new.proof):
        raise KeyInvalid("the proof is not signed with this key, for this phone and person", field="proof")
    values = {
        "user_id": user_id,
        "device_id": new.device_id,
        "algorithm": public.algorithm,
        "public_key": new.public_key,
        "public_sha256": public.sha256,
        "registered_at": clock.now(),
        "revoke_reason": "",
    }
    await insert_missing(db, PhoneKey, values)
    wanted = select(PhoneKey).where(PhoneKey.public_sha256 == public.sha256).with_for_update()
    key = (await db.scalars(wanted)).one()
    if key.user_id != user_id:
        raise KeyTaken("this key is somebody else's: make another one", field="public_key")
    if key.revoked_at is not None:
        raise KeyRevoked(f"this key was revoked ({key.revoke_reason}): make another one", field="public_key")
    key.session_id = session_id
    older = select(PhoneKey).where(
        PhoneKey.user_id == user_id, PhoneKey.device_id == new.device_id, PhoneKey.id != key.id
    )
    _revoke(await db.scalars(older.with_for_update()), "replaced")
    return await _standing(db, key, public)


async def keys_of(db: AsyncSession, *, user_id: uuid.UUID) -> Sequence[PhoneKey]:
    """Somebody's keys, locked one after the other: a person's commands are taken in one request at a time."""
    theirs = select(PhoneKey).where(PhoneKey.user_id == user_id).order_by(PhoneKey.id).with_for_update()
    return (await db.scalars(theirs)).all()


async def revoke_key(db: AsyncSession, key_id: uuid.UUID, *, reason: str, user_id: uuid.UUID | None = None) -> None:
    """Believe nothing any more that this key seals; twice is once. With `user_id` only when it is theirs.

    Raises:
        NotFound: when there is none to be seen.
    """
    wanted = select(PhoneKey).where(PhoneKey.id == key_id).with_for_update()
    key = (await db.scalars(wanted)).one_or_none()
    if key is None or user_id not in (None, key.user_id):
        raise NotFound(f"no phone's key with id {key_id}")
    _revoke([key], reason)


async def revoke_keys_of_session(db: AsyncSession, session_id: uuid.UUID, *, user_id: uuid.UUID) -> None:
    """Somebody signed out on a phone: its key goes with the sign-in."""
    _revoke([key for key in await keys_of(db, user_id=user_id) if key.session_id == session_id], "signed_out")


def _revoke(keys: Iterable[PhoneKey], reason: str) -> None:
    for key in keys:
        if key.revoked_at is None:
            key.revoked_at, key.revoke_reason = clock.now(), reason


async def _standing(db: AsyncSession, key: PhoneKey, public: PublicKey) -> KeyRegistered:
    """The key with how much of its log is here."""
    its = PhoneCommand.key_id == key.id
    figures = select(func.count(PhoneCommand.id), func.max(PhoneCommand.number)).where(its)
    count, last = (await db.execute(figures)).one()
    missing: list[int] = []
    if last is not None and count < last:
        here = set((await db.scalars(select(PhoneCommand.number).where(its))).all())
        missing = [number for number in range(1, last) if number not in here][:_NAMED]
    read = KeyRead.model_validate(key).model_dump()
    return KeyRegistered(**read, first_hash=public.first_hash, last_number=last or 0, missing=missing)
