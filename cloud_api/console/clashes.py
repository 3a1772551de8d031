"""Two people change one thing: the second is shown what it is now, beside what they typed."""

from collections.abc import Iterable
from dataclasses import dataclass

from cloud_api.console.asking import Refused
from cloud_api.console.forms import Form, whole

#: as the API calls it
STALE = "STALE_VERSION"


@dataclass(frozen=True)
class Difference:
    """A field that is otherwise than somebody typed."""

    label: str
    now: str
    typed: str


def differences(compared: Iterable[tuple[str, object, object]]) -> list[Difference]:
    """Of (label, what is there now, what was typed) those that differ."""
    told = ((label, _text(now), _text(typed)) for label, now, typed in compared)
    return [Difference(label, now, typed) for label, now, typed in told if now != typed]


def is_stale(refused: Refused) -> bool:
    """Whether it was refused because somebody else was quicker."""
    return refused.code == STALE


def version_of(form: Form) -> dict[str, int | str]:
    """The version that a form was made of, for the API's body; nothing: it says none."""
    return {"version": whole(form.get("version"))} if form.get("version") else {}


def seen(form: Form, version: int) -> None:
    """From now on the form is of this version: sent again, it is meant."""
    form.values["version"] = str(version)
    form.errors.pop("version", None)
    form.problem = ""


def _text(said: object) -> str:
    return "" if said is None else str(said).strip()
