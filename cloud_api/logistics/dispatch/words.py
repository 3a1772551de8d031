"""The optimizer's sentences as a dispatcher reads them: names in place of ids, local times in place of seconds,
kilograms and kilometres in place of grams and metres."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.logistics.dispatch.problems import WEIGHT
from cloud_api.logistics.dispatch.solutions import Solution
from route_optimizer.plan import Unserved, Violation

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
#: what counts seconds since 1970 has ten digits until the year 2286
_INSTANT = re.compile(r"\b([1-3]\d{9})(?: s)?\b")
_SECONDS = re.compile(r"\b(\d{3,9}) s\b")
_METRES = re.compile(r"\b(\d{4,9}) m\b")
#: grams, with the compartment that they lie in; and what a van holds, said in the same sentence
_GRAMS = re.compile(rf"\b(\d+)((?: \w+)?) {WEIGHT}\b")
_HELD = re.compile(r"\bholds (\d+)(?=$|[;,])")


@dataclass(frozen=True)
class Speaker:
    """Says things in the organisation's names and local time."""

    names: Mapping[str, str]
    zone: tzinfo

    def said(self, sentence: str) -> str:
        """A sentence with its ids, instants, durations, weights and distances as people say them."""
        sentence = _ID.sub(lambda found: self.names.get(found[0], found[0]), sentence)
        sentence = _INSTANT.sub(lambda found: f"{self.local(int(found[1])):%H:%M}", sentence)
        sentence = _SECONDS.sub(lambda found: _minutes(int(found[1])), sentence)
        sentence = _METRES.sub(lambda found: f"{_thousandth(found[1])} km", sentence)
        if WEIGHT in sentence:
            sentence = _HELD.sub(lambda found: f"holds {_thousandth(found[1])} kg", sentence)
        return _GRAMS.sub(lambda found: f"{_thousandth(found[1])} kg{found[2]}", sentence)

    def local(self, instant_s: int) -> datetime:
        """An instant in local time."""
        return datetime.fromtimestamp(instant_s, UTC).astimezone(self.zone)

    def reason(self, unserved: Unserved) -> str:
        """Why a stop is left out: all of it."""
        return self.said("; ".join(reason.words for reason in unserved.reasons))

    def remedy(self, unserved: Unserved) -> str:
        """The least that would let it in: all of it together."""
        return self.said(" and ".join(reason.remedy for reason in unserved.reasons))

    def violation(self, violation: Violation) -> str:
        """What is wrong."""
        return self.said(violation.words)


def _thousandth(whole: str) -> str:
    return f"{Decimal(whole) / 1_000:,.3f}".rstrip("0").rstrip(".")


def _minutes(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min" if rest == 0 else f"{minutes} min {rest} s"


async def speaker(db: AsyncSession, solution: Solution) -> Speaker:
    """Of a solution's names."""
    return Speaker(solution.recipe.names, await organizations.zone(db))
