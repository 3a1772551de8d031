"""What a policy's steps come to: the tellings of an alert, one after the other. Pure.

A step is told once, then again every `repeat_every_s` for `repeats` times; the next step comes `after_s` after the last
of these. A last step without a number of repeats is told until somebody answers.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal

import msgspec

Severity = Literal["info", "warning", "critical"]
Channel = Literal["push", "sms", "mail", "in_app"]
TargetKind = Literal["user", "role", "on_call_list", "everyone"]


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom a step tells."""

    kind: TargetKind
    #: of a user, or of a list; a list without one is the organisation's first
    id: str = ""
    #: a role's name
    role: str = ""
    #: the one at this place of the list of who is on call now, from 0; None: all of them
    position: int | None = None


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a policy."""

    to: Target
    channels: tuple[Channel, ...]
    #: since the last telling of the step before, or since the alert
    after_s: int = 0
    repeat_every_s: int | None = None
    #: None: until somebody answers; only of a last step
    repeats: int | None = 0


class Telling(msgspec.Struct, frozen=True, omit_defaults=True):
    """One time that people are told."""

    #: from 0
    step: int
    to: Target
    channels: tuple[Channel, ...]
    #: since the telling before
    after_s: int
    #: told again and again, `after_s` apart, until somebody answers
    until_answered: bool = False

    @property
    def delay(self) -> timedelta:
        """How long after the telling before."""
        return timedelta(seconds=self.after_s)


EVERYONE = Target("everyone")

#: what holds where neither the rule nor the organisation says anything
DEFAULTS: Mapping[str, tuple[Step, ...]] = {
    "info": (Step(EVERYONE, ("in_app",)),),
    "warning": (
        Step(EVERYONE, ("in_app", "push"), repeat_every_s=1800, repeats=1),
        Step(EVERYONE, ("in_app", "mail"), after_s=1800),
    ),
    "critical": (
        Step(Target("on_call_list", position=0), ("in_app", "push"), repeat_every_s=300, repeats=1),
        Step(Target("on_call_list", position=1), ("in_app", "push", "sms"), after_s=300),
        Step(EVERYONE, ("in_app", "push", "sms", "mail"), after_s=300, repeat_every_s=1800, repeats=None),
    ),
}


def tellings_of(steps: Sequence[Step]) -> list[Telling]:
    """Every telling of a policy, in order."""
    told: list[Telling] = []
    for number, step in enumerate(steps):
        told.append(Telling(number, step.to, step.channels, step.after_s))
        if step.repeat_every_s is None:
            continue
        again = Telling(number, step.to, step.channels, step.repeat_every_s, until_answered=step.repeats is None)
        told += [again] * (1 if step.repeats is None else step.repeats)
    return told


def place_of_next_step(tellings: Sequence[Telling], place: int) -> int:
    """Where the next step begins, whose telling none was yet; after the last step the telling that repeats it.

    Args:
        place: of the telling that comes next by the clock.
    """
    told = tellings[place - 1].step if place else -1
    later = (here for here in range(place, len(tellings)) if tellings[here].step > told)
    return next(later, min(place, len(tellings) - 1))


def freeze(tellings: Sequence[Telling]) -> list[dict[str, object]]:
    """As an alert keeps them."""
    kept: list[dict[str, object]] = msgspec.to_builtins(tellings)
    return kept


def thaw(kept: Sequence[Mapping[str, object]]) -> list[Telling]:
    """What an alert has kept."""
    return msgspec.convert(kept, list[Telling])


def steps_of(kept: Sequence[Mapping[str, object]]) -> list[Step]:
    """What a policy has kept."""
    return msgspec.convert(kept, list[Step])
