"""Sheets: what lies somewhere, with a field beside each row for how much of it is meant."""

from cloud_api.console.forms import Form


def taken(form: Form) -> list[tuple[str, str, str]]:
    """(field, lot, place) of the rows that somebody filled in."""
    typed = []
    for name in form.values:
        kind, _, row = name.partition(".")
        if kind == "take" and form.get(name):
            lot, _, place = row.partition("_")
            typed.append((name, lot, place))
    return typed
