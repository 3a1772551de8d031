"""Who the gateway is, and the secret that proves it: `credential.json`, changed so that nobody is ever locked out.

A new secret is saved before it is sent, and the old one is kept until the new one has been seen to work. At each moment
one of the two is good, whatever was lost on the way; when the cloud does not know the one, the other is shown.
"""

import asyncio
import logging
import secrets
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.errors import StateError
from gateway.state_files import StateFile, facts_of_old_spool

_log = logging.getLogger(__name__)

FILE_NAME = "credential.json"


class Credential(NamedTuple):
    """What the gateway shows to the cloud."""

    gateway_id: str
    secret: str


class SavedCredential(msgspec.Struct, frozen=True):
    """The content of the file."""

    #: 64 hexadecimal digits
    secret: str
    #: empty until the cloud has accepted the claim code
    gateway_id: str = ""
    #: the other one of a rotation; empty when there is none
    other: str = ""
    #: whether `other` is the new one, which the cloud may not know yet; otherwise it is the old one
    rotating: bool = False
    #: the cloud's public key, 64 hexadecimal digits; empty when it was claimed from a cloud that signed nothing
    config_key: str = ""


class Credentials:
    """The credential in use. Use `open_credentials`."""

    def __init__(self, file: StateFile[SavedCredential], saved: SavedCredential) -> None:
        self._file = file
        self._saved = saved
        self._shows_other = False
        self._changing = asyncio.Lock()

    @property
    def gateway_id(self) -> str | None:
        """None until the cloud has accepted the claim code."""
        return self._saved.gateway_id or None

    @property
    def config_key(self) -> str:
        """Who signs the configuration: 64 hexadecimal digits, or empty when the cloud has never said."""
        return self._saved.config_key

    def current(self) -> Credential:
        """What to show now: ask for each call, it changes."""
        return Credential(self._saved.gateway_id, self._saved.other if self._shows_other else self._saved.secret)

    async def first_secret(self) -> str:
        """The secret for the claim code: on disk before it is sent, so that a lost answer is asked for again."""
        async with self._changing:
            await self._save(self._saved)
            return self._saved.secret

    async def claimed(self, gateway_id: str, config_key: str) -> None:
        """The cloud has accepted the claim code."""
        async with self._changing:
            await self._save(msgspec.structs.replace(self._saved, gateway_id=gateway_id, config_key=config_key))

    async def draw(self) -> str:
        """A new secret, saved; the one drawn before when the cloud has not answered yet."""
        async with self._changing:
            if not self._saved.rotating:
                secret, other = self.current().secret, secrets.token_hex(32)
                await self._save(msgspec.structs.replace(self._saved, secret=secret, other=other, rotating=True))
            return self._saved.other

    async def taken(self, drawn: str) -> None:
        """The cloud has taken the secret that was drawn: show it from now on; the old one stays until it has worked."""
        async with self._changing:
            saved = self._saved
            if saved.rotating and saved.other == drawn:
                await self._save(msgspec.structs.replace(saved, secret=drawn, other=saved.secret, rotating=False))

    async def keep_only(self, credential: Credential) -> None:
        """Forget the other one: the cloud knows this one, and will not take the one that was drawn."""
        async with self._changing:
            await self._forget_other(credential)

    async def proved(self, credential: Credential) -> None:
        """The cloud has answered to this one: where that ends a rotation, forget the other."""
        if self._ends_rotation(credential):
            async with self._changing:
                if self._ends_rotation(credential):
                    await self._forget_other(credential)

    def doubted(self, credential: Credential) -> bool:
        """The cloud does not know this one: whether there is another to show, as is done from now on."""
        if not self._saved.other:
            return False
        if credential == self.current():
            self._shows_other = not self._shows_other
            _log.warning("the cloud does not know the secret it was shown: trying the other one of the rotation")
        return True

    def _ends_rotation(self, credential: Credential) -> bool:
        saved = self._saved
        expected = saved.other if saved.rotating or self._shows_other else saved.secret
        return bool(saved.other) and credential.secret == expected

    async def _forget_other(self, credential: Credential) -> None:
        await self._save(msgspec.structs.replace(self._saved, secret=credential.secret, other="", rotating=False))

    async def _save(self, saved: SavedCredential) -> None:
        await self._file.save(saved)
        self._saved = saved
        self._shows_other = False


def open_credentials(data_dir: Path) -> Credentials:
    """What `credential.json` says, or what a spool of version 0.1 has kept, or a fresh secret that nobody knows yet.

    To be called before the spool is opened, which may turn an old file away.

    Raises:
        StateError: says what to do.
    """
    file = StateFile(data_dir / FILE_NAME, SavedCredential)
    try:
        saved = file.load()
    except StateError as error:
        raise StateError(
            f"{error}: bring the file back from a copy; or move it aside, draw a new claim code for this gateway in "
            "the cloud, and set cloud.claim_code to it."
        ) from None
    if saved is not None:
        return Credentials(file, saved)
    facts = facts_of_old_spool(data_dir)
    if "secret" not in facts:
        return Credentials(file, SavedCredential(secrets.token_hex(32)))
    saved = SavedCredential(facts["secret"], facts.get("gateway_id", ""))
    try:
        file.save_now(saved)
    except OSError as error:
        raise StateError(f"{file.path} cannot be written ({error}): free disk space, check data_dir.") from None
    _log.info("the credential has moved from the spool to %s", file.path)
    return Credentials(file, saved)
