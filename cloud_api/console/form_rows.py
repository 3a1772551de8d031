"""Forms with rows, as steps of a policy and people of a list: what was filled in, in order, without gaps."""

import re
from collections.abc import Iterable, Sequence

from cloud_api.console.forms import Form


def places_of(form: Form, before: str, *keys: str) -> list[int]:
    """The places N of the rows `before.N` that have something in one of the fields `before.N.key`, in order."""
    named = re.compile(rf"{re.escape(before)}\.(\d{{1,3}})\.(?:{'|'.join(keys)})")
    found = (named.fullmatch(name) for name in form.values)
    return sorted({int(match[1]) for match in found if match and form.get(match[0])})


def close_up(form: Form, before: str, *keys: str) -> int:
    """Number the rows from 0 without gaps, so that what the API says of a row finds it. Returns how many there are."""
    kept = {place: number for number, place in enumerate(places_of(form, before, *keys))}
    row = re.compile(rf"{re.escape(before)}\.(\d{{1,3}})\.(.+)")

    def moved(name: str) -> str | None:
        match = row.fullmatch(name)
        if match is None:
            return name
        place = kept.get(int(match[1]))
        return None if place is None else f"{before}.{place}.{match[2]}"

    form.values = {new: value for name, value in form.values.items() if (new := moved(name)) is not None}
    form.many = {new: values for name, values in form.many.items() if (new := moved(name)) is not None}
    return len(kept)


def to_show(count: int, most: int) -> Sequence[int]:
    """The rows of a form: those there are, and an empty one."""
    return range(min(count + 1, most))


def beside(form: Form, fields: Iterable[tuple[str, str]]) -> None:
    """Put complaints of the API's fields beside ours.

    Args:
        fields: (beginning of the API's field, ours).
    """
    for theirs, ours in fields:
        for name in [name for name in form.errors if name == theirs or name.startswith(f"{theirs}.")]:
            message = form.errors.pop(name)
            form.errors.setdefault(ours, message)
