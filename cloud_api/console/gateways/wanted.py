"""A gateway's own configuration, as people type it. What they do not touch stays as it was read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cloud_api.console import form_rows
from cloud_api.console.asking import Answer
from cloud_api.console.forms import Form

WATCH_KINDS = ("silent", "rising", "falling")
OUTPUT_KINDS = ("gpio", "mqtt")
MOST_WATCHES = 1_000
MOST_OUTPUTS = 50


def _figure(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text


_WATCH: Mapping[str, Callable[[str], object]] = {
    "rule": str,
    "sensor": str,
    "quantity": str,
    "kind": str,
    "duration_s": _figure,
    "change": _figure,
}
_OUTPUT: Mapping[str, Callable[[str], object]] = {"kind": str, "target": str, "cloud_silent_s": _figure}


def form_of(config: Answer) -> Form:
    """A form that shows what people have set."""
    form = Form.of(heartbeat_interval_s=config["heartbeat_interval_s"], version=config["version"])
    for place, watch in enumerate(config["watches"]):
        shown = {name: _shown(watch[name]) for name in _WATCH}
        form.values |= {f"watches.{place}.{name}": text for name, text in shown.items() if text != "0"}
        if watch["latched"]:
            form.values[f"watches.{place}.latched"] = "true"
    for place, output in enumerate(config["outputs"]):
        form.values |= {f"outputs.{place}.{name}": _shown(output[name]) for name in _OUTPUT}
        form.values[f"outputs.{place}.rules"] = ", ".join(output["rules"])
    return form


def body_of(form: Form, config: Answer) -> dict[str, Any]:
    """All that a gateway is to have: what was typed, its rows closed up, and the pauses that were not taken away."""
    interval = form.get("heartbeat_interval_s")
    watches, outputs = form_rows.close_up(form, "watches", "rule"), form_rows.close_up(form, "outputs", "target")
    return {
        "heartbeat_interval_s": int(interval) if interval.isdecimal() else interval,
        "watches": [
            {**_row(form, f"watches.{place}.", _WATCH), "latched": form.ticked(f"watches.{place}.latched")}
            for place in range(watches)
        ],
        "outputs": [
            {**_row(form, f"outputs.{place}.", _OUTPUT), "rules": _names(form.get(f"outputs.{place}.rules"))}
            for place in range(outputs)
        ],
        "pauses": [
            pause for place, pause in enumerate(config["pauses"]) if not form.ticked(f"pauses.{place}.taken_away")
        ],
    }


def rows_of(form: Form) -> Mapping[str, Sequence[int]]:
    """The places of the rows to show: those that were filled in, and an empty one."""
    named = {"watches": ("rule", MOST_WATCHES), "outputs": ("target", MOST_OUTPUTS)}
    return {
        kind: form_rows.to_show(len(form_rows.places_of(form, kind, name)), most)
        for kind, (name, most) in named.items()
    }


def _row(form: Form, before: str, fields: Mapping[str, Callable[[str], object]]) -> dict[str, object]:
    return {name: read(form.get(before + name)) for name, read in fields.items() if form.get(before + name)}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _shown(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
