"""What a version of a gateway's configuration has otherwise than the one before."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from cloud_api.console.asking import Answer
from cloud_api.console.pages import Visitor

#: part of the configuration -> what one of it is called, what it is told apart by, what it is shown as
_PARTS: Mapping[str, tuple[str, Sequence[str], Sequence[str]]] = {
    "limits": ("Limit", ("rule", "sensor", "quantity"), ("sensor", "quantity", "kind")),
    "watches": ("Watch", ("rule",), ("rule",)),
    "outputs": ("Output", ("kind", "target"), ("target",)),
    "pauses": ("Pause", ("sensor", "quantity", "starts_at_ms"), ("sensor", "quantity")),
}
#: fields that people know, as the forms call them; what else is different is only said to be
_FIELDS: Mapping[str, str] = {
    "sensor": "Sensor",
    "quantity": "Quantity",
    "kind": "Kind",
    "set_at": "Limit",
    "clear_at": "Over again at",
    "duration_s": "For, s",
    "change": "Change",
    "latched": "Stays raised",
    "rules": "Only for these rules",
    "cloud_silent_s": "Also when the cloud is silent for, s",
    "every_s": "Every, s",
    "relax_by": "Wider by",
}
#: fields whose values are codes
_CODES = ("quantity", "kind")
_HEARTBEAT = "heartbeat_interval_s"


def by_version(history: Sequence[Answer], visitor: Visitor) -> Mapping[int, Sequence[str]]:
    """What is new in each version, as sentences: of all but the oldest of these.

    Args:
        history: versions, the newest first.
    """
    return {
        later["version"]: [*_differences(before["config"], later["config"], visitor)]
        for later, before in pairwise(history)
    }


def _differences(before: Answer, now: Answer, visitor: Visitor) -> Iterator[str]:
    say, word = visitor.say, visitor.writing.word
    if before[_HEARTBEAT] != now[_HEARTBEAT]:
        yield f"{say('Says how it is every, seconds')}: {before[_HEARTBEAT]} → {now[_HEARTBEAT]}"
    for part, (called, key, shown) in _PARTS.items():
        old, new = _keyed(before[part], key), _keyed(now[part], key)
        for one in {**old, **new}:
            if old.get(one) == new.get(one):
                continue
            row = new.get(one) or old[one]
            parts = (word(row[field]) if field in _CODES else str(row[field]) for field in shown)
            name = f"{say(called)} {' · '.join(parts)}"
            if one not in old:
                yield say("{what}: added", what=name)
            elif one not in new:
                yield say("{what}: taken away", what=name)
            else:
                yield f"{name}: {_changes(old[one], new[one], say) or say('changed')}"


def _keyed(rows: Sequence[Answer], key: Sequence[str]) -> dict[tuple[object, ...], Answer]:
    return {tuple(row[field] for field in key): row for row in rows}


def _changes(old: Answer, new: Answer, say: Callable[..., str]) -> str:
    return ", ".join(
        f"{say(label)} {_text(old.get(field), say)} → {_text(new.get(field), say)}"
        for field, label in _FIELDS.items()
        if old.get(field) != new.get(field)
    )


def _text(value: object, say: Callable[..., str]) -> str:
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
