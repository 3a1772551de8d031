"""Password hashes: argon2id, in threads of their own, never more at once than the machine has cores for."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from pwdlib.hashers.argon2 import Argon2Hasher

_hasher = Argon2Hasher()
#: hashing takes a core for a tenth of a second: requests queue rather than starve the rest
_threads = ThreadPoolExecutor(max(1, (os.cpu_count() or 2) // 2), thread_name_prefix="argon2")


def use(hasher: Argon2Hasher | None) -> None:
    """Put another argon2 in place for the whole process, as tests do for its price; None goes back to the default.

    What was hashed with one can be verified with any other: a hash carries its parameters.
    """
    global _hasher
    _hasher = hasher or Argon2Hasher()


async def hash_password(password: str) -> str:
    """The hash to keep."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def verify_password(password: str, kept: str | None) -> bool:
    """Whether `password` is the one of hash `kept`; takes the same time when there is no hash."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, _hasher, password, kept)


def _verify(hasher: Argon2Hasher, password: str, kept: str | None) -> bool:
    return hasher.verify(password, kept or _nobodys(hasher)) and kept is not None


@cache
def _nobodys(hasher: Argon2Hasher) -> str:
    """A hash of nothing anybody knows, so that an unknown user takes as long as a wrong password."""
    return hasher.hash(os.urandom(32).hex())
