"""What readers and scales have in common: a gateway hears them, they stand at a place, and are registered there."""

from typing import Any

from fastapi import Request, Response

from cloud_api.console.asking import together
from cloud_api.console.choices import options, places_of
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, show


async def show_new(
    request: Request, visitor: Visitor, kind: str, form: Form, *, status: int = 200, **choices: object
) -> Response:
    """The form of one to come.

    Args:
        kind: `readers` or `scales`.
        choices: what its own fields choose from.
    """
    gateways, places = await together(visitor.desk.every("/edge/gateways", status="active"), places_of(visitor))
    return show(
        request,
        "gateways/equipment_new.html",
        status=status,
        kind=kind,
        form=form,
        gateways=options(gateways),
        places=options(places, "code", "name"),
        **choices,
    )


def registered(form: Form) -> dict[str, Any]:
    """What is said once, when it is registered: who hears it as what."""
    return form.body("gateway_id", "code", "location_id")


def placed(form: Form) -> dict[str, Any]:
    """Where it is from now on, if anywhere; nothing about it where the form had no places to choose from."""
    return {"location_id": form.get("location_id") or None} if "location_id" in form.values else {}
