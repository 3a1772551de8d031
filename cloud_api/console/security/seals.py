"""Whether the trail is what was sealed: the chain of an export, computed again with the platform's key.

Each entry's seal is HMAC-SHA256 over the canonical JSON of the entry, its place and the seal before. Written apart from
the code that seals, so that a fault of the one is none of the other.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Checked:
    """What was found.

    Args:
        first: place of the first entry that was looked at; with `last` below it there is none.
        broken_at: the first place where the seals do not hold; None: they hold.
        problem: what is wrong there, in a few words.
    """

    first: int
    last: int
    broken_at: int | None = None
    problem: str = ""

    @property
    def count(self) -> int:
        """How many entries were looked at."""
        return max(0, self.last - self.first + 1)


def check(export: str, key: bytes) -> Checked:
    """Go through an export (`format=jsonl`), oldest entry first."""
    lines = [json.loads(line) for line in export.splitlines() if line]
    opening, links = lines[0], [line for line in lines[1:] if "sequence" in line]
    first, last = int(opening["from_sequence"]), int(opening["to_sequence"])
    place, problem, digest = _first_break(links, key, first=first, previous=str(opening["previous"]))
    if not problem and place <= last:
        problem = "The end of the trail is missing."
    elif not problem and digest != opening["head"]:
        place, problem = last, "The trail does not end with the seal that it should end with."
    return Checked(first, last, place if problem else None, problem)


def _first_break(links: Sequence[dict[str, object]], key: bytes, *, first: int, previous: str) -> tuple[int, str, str]:
    """(place, what is wrong there or nothing, the last seal that holds)."""
    place = first
    for link in links:
        if link["sequence"] != place:
            return place, "An entry is missing here, or stands in another's place.", previous
        if not isinstance(link["entry"], dict):
            return place, "The entry of this seal is gone.", previous
        digest = _seal(key, {"entry": link["entry"], "previous": previous, "sequence": place})
        if not hmac.compare_digest(digest, str(link["digest"])):
            return place, "The entry was changed after it was sealed, or another key sealed it.", previous
        place, previous = place + 1, digest
    return place, "", previous


def _seal(key: bytes, value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hmac.new(key, canonical.encode("ascii"), hashlib.sha256).hexdigest()
