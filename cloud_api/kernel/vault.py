"""Secrets at rest: sealed with the newest key, opened with any that is still known.

A secret that we only have to recognise is kept as a hash. What we have to know again (a TOTP seed, a directory's
password, a signing key) stands sealed in the database: Fernet (AES-128-CBC with HMAC-SHA256), keys derived by SHA-256
from the settings' `encryption_keys`. `coldfleet cloud rotate-secrets` seals everything anew with the newest.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from contextlib import suppress

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Dialect, String
from sqlalchemy.types import TypeDecorator


class WrongKey(RuntimeError):
    """None of the known keys opens it."""


class Vault:
    """Seals and opens short texts."""

    def __init__(self, keys: Sequence[str]) -> None:
        """With `keys`, the newest first: texts of 32 characters or more."""
        if not keys or any(len(key) < 32 for key in keys):
            raise ValueError("COLDFLEET_ENCRYPTION_KEYS: each key needs at least 32 characters")
        boxes = [Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys]
        self._newest, self._box = boxes[0], MultiFernet(boxes)
        self._peppers = [hashlib.sha256(b"digest:" + key.encode()).digest() for key in keys]

    def seal(self, text: str) -> str:
        """Ciphertext; never the same twice."""
        return self._box.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """What was sealed.

        Raises:
            WrongKey: when the key it was sealed with is not among ours, or it was tampered with.
        """
        try:
            return self._box.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise WrongKey("a secret was sealed with a key that COLDFLEET_ENCRYPTION_KEYS does not name") from None

    def digest(self, text: str) -> str:
        """What recognises a short secret, and shows it to nobody without our keys: HMAC-SHA256 by the newest, in hex.

        Put beside the secret what it is of, or the same secret of two things has one digest.
        """
        return hmac.new(self._peppers[0], text.encode(), hashlib.sha256).hexdigest()

    def recognises(self, digest: str, text: str) -> bool:
        """Whether `digest` was made of `text` with any key that is still known."""
        made = (hmac.new(pepper, text.encode(), hashlib.sha256).hexdigest() for pepper in self._peppers)
        return any([hmac.compare_digest(digest, one) for one in made])

    def reseal(self, sealed: str) -> str:
        """The same secret, sealed with the newest key; as it is when it is that already.

        Raises:
            WrongKey: as `open`.
        """
        with suppress(InvalidToken):
            self._newest.decrypt(sealed.encode())
            return sealed
        return self.seal(self.open(sealed))


_vault: Vault | None = None


def use(vault: Vault | None) -> None:
    """Put the process's vault in place: `main` does it from the settings."""
    global _vault
    _vault = vault


def current() -> Vault:
    """The process's vault.

    Raises:
        WrongKey: when none was put in place.
    """
    if _vault is None:
        raise WrongKey("no encryption keys: call vault.use() before secrets are read or written")
    return _vault


class Sealed(TypeDecorator[str]):
    """A column whose text stands sealed in the database."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else current().seal(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else current().open(value)
