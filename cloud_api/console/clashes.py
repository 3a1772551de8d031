"""Two people change one thing: the second is shown what it is now, beside what they typed.

A form of something that is there has its `version` (`Form.of(…, version=…)`); `form_top` sends it along and shows what
`meet` found.
"""

from collections.abc import Callable, Mapping

from cloud_api.console.asking import Refused
from cloud_api.console.forms import Difference, Form, whole
from cloud_api.console.pages import Visitor

#: as the API calls it
_STALE = "STALE_VERSION"
_TICKED = {"true": "✓", "false": ""}

#: what stands in a form as people read it: label -> text
Told = Callable[[Form], Mapping[str, str]]


def version_of(form: Form) -> dict[str, int | str]:
    """The version that a form was made of, for the API's body; nothing: it says none."""
    return {"version": whole(form.get("version"))} if form.get("version") else {}


def is_stale(refused: Refused) -> bool:
    """Whether it was refused because somebody else was quicker."""
    return refused.code == _STALE


def said(visitor: Visitor, labels: Mapping[str, str]) -> Mapping[str, str]:
    """The labels of a form's fields as the visitor reads them."""
    return {name: visitor.say(label) for name, label in labels.items()}


def meet(
    form: Form,
    refused: Refused,
    now: Form,
    told: Told | Mapping[str, str],
    **read: Callable[[str], str | None],
) -> None:
    """Show what it is now beside what was typed, if somebody else was quicker. Sent once more, the form is meant.

    Args:
        now: the form as it would be made of what is there now.
        told: what of both is compared; or just its fields: field -> label.
        read: how the value of a field is read, where it stands for something.
    """
    if not is_stale(refused):
        return
    compared = told if callable(told) else _fields(told, read)
    before, typed = compared(now), compared(form)
    form.clash = [
        Difference(label, _shown(before.get(label)), _shown(typed.get(label)))
        for label in {**before, **typed}
        if _shown(before.get(label)) != _shown(typed.get(label))
    ]
    form.values["version"] = now.get("version")
    form.errors.pop("version", None)
    form.problem = ""


def _fields(labels: Mapping[str, str], read: Mapping[str, Callable[[str], str | None]]) -> Told:
    def text(name: str, value: str) -> str:
        return (read[name](value) or "") if value and name in read else value

    return lambda form: {label: text(name, form.get(name)) for name, label in labels.items()}


def _shown(text: str | None) -> str:
    said = (text or "").replace("\r\n", "\n").strip()
    return _TICKED.get(said, said)
