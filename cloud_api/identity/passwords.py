"""Passwords: which are good enough, and their argon2id hashes, made in threads of their own.

Hashing takes a core for a tenth of a second: it is done before a unit of work begins, never within one.
"""

import asyncio
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from pwdlib.hashers.argon2 import Argon2Hasher
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from cloud_api.identity.errors import WeakPassword

#: of the last passwords, none is taken again
HISTORY = 5
_MIN_LENGTH = 8
_CLASSES = {
    "a small letter": re.compile(r"[a-z]"),
    "a capital": re.compile(r"[A-Z]"),
    "a digit": re.compile(r"[0-9]"),
    "another sign": re.compile(r"[^A-Za-z0-9]"),
}
#: zxcvbn's scale is 0 to 4; 0 and 1 fall in minutes
_TOO_EASY = 1
#: zxcvbn slows down with length; who writes this much needs no check of it
_CHECKED_LENGTH = 72
#: and our own name, which whoever attacks us tries first
_KNOWN = frozenset(FREQUENCY_LISTS["passwords"]) | {"coldfleet"}
_LEET = str.maketrans("@4301!5$7", "aaeoiisst")

_hasher = Argon2Hasher()
#: requests queue here rather than starve the rest
_threads = ThreadPoolExecutor(max(1, (os.cpu_count() or 2) // 2), thread_name_prefix="argon2")


def use(hasher: Argon2Hasher | None) -> None:
    """Put another argon2 in place for the whole process, as tests do for its price; None goes back to the default.

    What was hashed with one can be verified with any other: a hash carries its parameters.
    """
    global _hasher
    _hasher = hasher or Argon2Hasher()


def check_policy(password: str, *, about: Sequence[str] = ()) -> None:
    """Whether `password` is good enough for somebody whose names and addresses are `about`.

    Known passwords are those of zxcvbn's list (30,000 from breaches), also when dressed up: `P@ssw0rd1!`.

    Raises:
        WeakPassword: naming all that is missing.
    """
    missing = [f"{_MIN_LENGTH} characters"] if len(password) < _MIN_LENGTH else []
    missing += [name for name, needed in _CLASSES.items() if not needed.search(password)]
    if missing:
        raise WeakPassword(f"a password needs at least {', '.join(missing)}")
    core = re.sub(r"^[^a-z]+|[^a-z]+$", "", password.lower()).translate(_LEET)
    judged = zxcvbn(password[:_CHECKED_LENGTH], user_inputs=[part for part in about if part])
    if judged["score"] <= _TOO_EASY or password.lower() in _KNOWN or core in _KNOWN:
        raise WeakPassword("this password is known from breaches, or close to one that is: choose another")


async def new_password(password: str, *, about: Sequence[str] = ()) -> str:
    """The hash to keep of a password that somebody takes.

    Raises:
        WeakPassword: naming all that is missing.
    """
    check_policy(password, about=about)
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def verify_password(password: str, kept: str | None) -> bool:
    """Whether `password` is the one of hash `kept`; takes the same time when there is no hash."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, _hasher, password, kept)


async def is_one_of(password: str, kept: Sequence[str]) -> bool:
    """Whether `password` is that of any of these hashes."""
    for former in kept:
        if await verify_password(password, former):
            return True
    return False


def _verify(hasher: Argon2Hasher, password: str, kept: str | None) -> bool:
    return hasher.verify(password, kept or _nobodys(hasher)) and bool(kept)


@cache
def _nobodys(hasher: Argon2Hasher) -> str:
    """A hash of nothing anybody knows, so that an unknown user takes as long as a wrong password."""
    return hasher.hash(os.urandom(32).hex())
