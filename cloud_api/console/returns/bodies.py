"""What each form of a return asks of the API: method, path below the return, body, and its names of fields -> ours."""

from collections.abc import Callable, Mapping
from typing import Any

from cloud_api.console import forms
from cloud_api.console.form_rows import places_of
from cloud_api.console.forms import Form

Asked = tuple[str, str, dict[str, Any], dict[str, str]]


def decide(form: Form) -> Asked:
    """Approve or reject."""
    return "PUT", "", {"status": form.get("status"), "reason": form.get("reason")}, {}


def cancel(form: Form) -> Asked:
    """Nothing comes back."""
    return "POST", "/cancel", {"reason": form.get("reason")}, {}


def receive(form: Form) -> Asked:
    """What came back; lines without a quantity did not."""
    rows = places_of(form, "goods", "quantity")
    goods = []
    for place in rows:
        at = f"goods.{place}."
        one: dict[str, Any] = {
            name: form.get(at + name) for name in ("line_id", "lot_id", "quantity") if form.get(at + name)
        }
        if form.get(f"{at}temperature_c"):
            one["temperature_c"] = forms.real(form.get(f"{at}temperature_c"))
        if form.get(f"{at}outside_minutes"):
            one["outside_minutes"] = forms.whole(form.get(f"{at}outside_minutes"))
        if form.get(f"{at}weight"):
            one["weight_g"] = forms.grams(form.get(f"{at}weight"))
        goods.append(one)
    fields = {"line_id": "quantity", "quantity": "quantity", "lot_id": "lot_id", "weight_g": "weight"}
    fields |= {name: name for name in ("temperature_c", "outside_minutes")}
    return "POST", "/receive", {**form.body("location_id"), "goods": goods}, _renamed(rows, fields)


def inspect(form: Form) -> Asked:
    """How all of it was found."""
    rows = places_of(form, "goods", "goods_id")
    goods = [
        {name: form.get(f"goods.{place}.{name}") for name in ("goods_id", "condition", "finding")} for place in rows
    ]
    return "POST", "/inspect", {"goods": goods}, _renamed(rows, {"goods_id": "condition"})


def restock(form: Form) -> Asked:
    """Those whose place was chosen are sold again."""
    rows = places_of(form, "goods", "location_id")
    goods = [{name: form.get(f"goods.{place}.{name}") for name in ("goods_id", "location_id")} for place in rows]
    return (
        "POST",
        "/restock",
        {"goods": goods},
        _renamed(rows, {"goods_id": "location_id", "location_id": "location_id"}),
    )


def scrap(form: Form) -> Asked:
    """Those that are ticked are thrown away."""
    return "POST", "/scrap", {"goods_ids": form.many.get("goods_ids", []), "reason": form.get("reason")}, {}


def refund(form: Form) -> Asked:
    """What they cost, or the sum that was typed."""
    body = form.body("note")
    if form.get("amount"):
        body["amount_minor"] = forms.minor(form.get("amount"))
    return "POST", "/refund", body, {"amount_minor": "amount"}


def _renamed(rows: list[int], fields: Mapping[str, str]) -> dict[str, str]:
    return {
        f"goods.{number}.{name}": f"goods.{place}.{ours}"
        for number, place in enumerate(rows)
        for name, ours in fields.items()
    }


BODIES: Mapping[str, Callable[[Form], Asked]] = {
    one.__name__: one for one in (decide, cancel, receive, inspect, restock, scrap, refund)
}
