"""What we have promised others, as documents: to those who call the API, to gateways, and among the rooms."""

import dataclasses
import importlib.util
import inspect
import json
import pkgutil
import typing
from collections.abc import Callable
from typing import Any

import msgspec

import cloud_api
import gateway.contract
from tests.platform_under_test import app_to_read

Document = dict[str, Any]


def openapi() -> Document:
    """What `coldfleet cloud openapi` prints."""
    return app_to_read().openapi()


def wire_types() -> list[type[msgspec.Struct]]:
    """Everything that gateways and the cloud say to each other."""
    return [
        kind
        for name, kind in inspect.getmembers(gateway.contract, inspect.isclass)
        if issubclass(kind, msgspec.Struct) and not name.startswith("_")
    ]


def wire() -> Document:
    """The wire's version, its limits and the schemas of its types."""
    _, schemas = msgspec.json.schema_components(wire_types(), ref_template="#/{name}")
    closed = {kind.__name__: kind.__struct_config__.forbid_unknown_fields for kind in wire_types()}
    return {
        "version": gateway.contract.WIRE_VERSION,
        "max_rows": gateway.contract.MAX_ROWS,
        "bearer": gateway.contract.bearer("<id>", "<secret>"),
        "refuses_unknown_fields": closed,
        "types": schemas,
    }


def event_types() -> dict[str, list[type]]:
    """The events of each room that has any."""
    rooms: dict[str, list[type]] = {}
    for room in pkgutil.iter_modules(cloud_api.__path__):
        if not room.ispkg or importlib.util.find_spec(f"cloud_api.{room.name}.events") is None:
            continue
        module = importlib.import_module(f"cloud_api.{room.name}.events")
        rooms[room.name] = [
            kind for _, kind in inspect.getmembers(module, inspect.isclass) if kind.__module__ == module.__name__
        ]
    return rooms


def events() -> Document:
    """Each event's fields with their types, in order."""
    return {
        room: {
            kind.__name__: {field: _spelled(hint) for field, hint in typing.get_type_hints(kind).items()}
            for kind in kinds
        }
        for room, kinds in event_types().items()
    }


def _spelled(hint: Any) -> str:
    return (
        f"{hint.__module__}.{hint.__qualname__}" if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
    )


SNAPSHOTS: dict[str, Callable[[], Document]] = {"openapi.json": openapi, "wire.json": wire, "events.json": events}


def written(document: Document) -> str:
    """As it stands in the file."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def is_frozen(kind: type) -> bool:
    """A dataclass that nobody changes on the way."""
    return dataclasses.is_dataclass(kind) and bool(kind.__dataclass_params__.frozen)  # type: ignore[attr-defined]
