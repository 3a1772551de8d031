"""What production pays for a hash, and that any hash can be verified with any other's parameters in place."""

import asyncio
import re

from pwdlib.hashers.argon2 import Argon2Hasher

from cloud_api.identity import passwords
from cloud_api.identity.passwords import new_password, verify_password
from tests.cloud_api.conftest import CHEAP


async def test_production_hashes_as_expensively_as_is_recommended() -> None:
    """RFC 9106, the second recommended option: argon2id, 64 MiB, three passes, four lanes."""
    passwords.use(None)
    made = await new_password("Cold-room-1")
    passwords.use(CHEAP)
    found = re.match(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$", made)
    assert found is not None
    assert [int(figure) for figure in found.groups()] == [65536, 3, 4]
    assert await verify_password("Cold-room-1", made)


async def test_a_password_is_verified_whatever_it_was_hashed_with() -> None:
    dearer = Argon2Hasher(time_cost=2, memory_cost=64, parallelism=2).hash("Cold-room-1")
    assert await verify_password("Cold-room-1", dearer)
    assert not await verify_password("Cold-room-2", dearer)
    assert not await verify_password("cold-room-1", dearer)


async def test_nobodys_password_is_never_right() -> None:
    for password in ("", "Cold-room-1", "None"):
        assert not await verify_password(password, None)


async def test_the_same_password_is_kept_differently_each_time() -> None:
    made = await asyncio.gather(*(new_password("Cold-room-1") for _ in range(8)))
    assert len(set(made)) == 8
