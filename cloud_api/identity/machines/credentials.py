"""Machines' secrets: 256 random bits in a form that secret scanners find, kept as a hash, replaced with an overlap.

An API key reads `cf_<16 hexadecimal digits>_<64>`, a client's secret `cfs_<16>_<64>`.
"""

import hashlib
import hmac
import re
import secrets
from datetime import timedelta

from cloud_api.identity.machines.models import MachineCredential
from cloud_api.kernel import clock

API_KEY = "cf"
CLIENT_SECRET = "cfs"  # noqa: S105 - what such a secret begins with

_API_KEY = re.compile(rf"{API_KEY}_([0-9a-f]{{16}})_([0-9a-f]{{64}})")


def draw_prefix() -> str:
    """The part of a credential that is no secret."""
    return secrets.token_hex(8)


def draw() -> str:
    """A secret: 64 hexadecimal digits."""
    return secrets.token_hex(32)


def sha256(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def parse_api_key(token: str) -> tuple[str, str] | None:
    """(prefix, secret), or None when it has not the form of one."""
    found = _API_KEY.fullmatch(token)
    return (found[1], found[2]) if found else None


def is_right(credential: MachineCredential, secret: str) -> bool:
    """Whether this is its secret, or the one before while that is still taken."""
    digest = sha256(secret)
    if hmac.compare_digest(digest, credential.secret_sha256):
        return True
    until, previous = credential.previous_valid_until, credential.previous_sha256
    return until is not None and previous is not None and hmac.compare_digest(digest, previous) and clock.now() < until


def replace(credential: MachineCredential, secret: str, *, overlap: timedelta) -> None:
    """Give it another secret; the present one is taken for `overlap` longer, one from before no more."""
    credential.previous_sha256 = credential.secret_sha256 if overlap else None
    credential.previous_valid_until = clock.now() + overlap if overlap else None
    credential.secret_sha256 = sha256(secret)
