"""Whether what a phone sends is what it sealed. Pure: entries that are known, an entry that comes, a verdict."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cloud_api.logistics.sync.schemas import SealedEntry
from cloud_api.logistics.sync.sealing import PublicKey, entry_hash

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Verdict(StrEnum):
    """What an entry is."""

    NEW = "new"
    #: the very same is here already
    KNOWN = "known"
    HASH_WRONG = "HASH_WRONG"
    SIGNATURE_WRONG = "SIGNATURE_WRONG"
    #: another content than the log had before
    TAMPERED = "TAMPERED"


#: what is said of an entry that is not taken into the log
WORDS = {
    Verdict.HASH_WRONG: "the hash is not that of this number, the hash before and this command: send the entry again, "
    "as it was sealed",
    Verdict.SIGNATURE_WRONG: "the signature is not by this phone's key",
    Verdict.TAMPERED: "the log had another entry at this place: what is sealed is not changed",
}


@dataclass(frozen=True)
class Link:
    """What ties an entry to its neighbours."""

    previous_hash: str
    hash: str


class Chain:
    """The entries of one log, as far as they are known: those that are here, and those that were just found good."""

    def __init__(self, key: PublicKey, known: Iterable[tuple[int, Link]]) -> None:
        self._key = key
        self._links = {0: Link("", key.first_hash), **dict(known)}

    def look_at(self, entry: SealedEntry) -> Verdict:
        """What `entry` is; a new one is known from now on."""
        if not (_SHA256.fullmatch(entry.hash) and _SHA256.fullmatch(entry.previous_hash)):
            return Verdict.HASH_WRONG
        if entry_hash(entry.number, entry.previous_hash, entry.command) != entry.hash:
            return Verdict.HASH_WRONG
        known = self._links.get(entry.number)
        if known is not None and known.hash == entry.hash:
            return Verdict.KNOWN
        if not self._key.signed(bytes.fromhex(entry.hash), entry.signature):
            return Verdict.SIGNATURE_WRONG
        before, behind = self._links.get(entry.number - 1), self._links.get(entry.number + 1)
        if (
            known is not None
            or (before is not None and before.hash != entry.previous_hash)
            or (behind is not None and behind.previous_hash != entry.hash)
        ):
            return Verdict.TAMPERED
        self._links[entry.number] = Link(entry.previous_hash, entry.hash)
        return Verdict.NEW
