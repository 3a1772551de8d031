"""What a request says in JSON is taken as it is said, and only when every database can keep it."""

import uuid
from datetime import date, datetime
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, JsonValue, SecretStr, TypeAdapter, ValidationError

from cloud_api.kernel.http import RequestModel
from cloud_api.kernel.json_types import Instant, LocalTime, storable
from cloud_api.kernel.quantity import Quantity


class Line(RequestModel):
    """Something within something."""

    count: Annotated[int, Field(ge=0)] = 0


class Body(RequestModel):
    """One field of each type."""

    count: int | None = None
    degrees: Annotated[float | None, Field(ge=-90)] = None
    enabled: bool = False
    at: datetime | None = None
    day: date | None = None
    opens_at: LocalTime | None = None
    id: uuid.UUID | None = None
    quantity: Quantity | None = None
    anything: JsonValue = None
    #: a field may be called what a type is
    type: int | None = None
    lines: list[Line] = Field(default_factory=list)
    password: SecretStr | None = None


class Longer(Body):
    """A field more."""

    name: str = ""


@pytest.mark.parametrize("kind", [Body, Longer])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", False),
        ("count", "7"),
        ("count", 1.5),
        ("type", "7"),
        ("degrees", True),
        ("degrees", "4.0"),
        ("enabled", 0),
        ("enabled", "true"),
        ("at", 0),
        ("at", "1769846400"),
        ("at", "0001-01-01T00:00:00+14:00"),
        ("at", "9999-12-31T23:59:59-14:00"),
        ("day", 0),
        ("opens_at", 30_600),
        ("opens_at", "08:30:00Z"),
        ("id", 7),
        ("quantity", True),
        ("anything", float("inf")),
        ("anything", {"deep": ["a\0b"]}),
        ("anything", {"a\0b": 1}),
        ("anything", ["\ud800"]),
        ("password", "\ud800"),
        ("lines", [{"count": False}]),
    ],
)
def test_what_is_said_in_another_type_is_refused_by_its_field(kind: type[Body], field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        kind.model_validate({field: value})
    assert refused.value.errors()[0]["loc"][0] == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", 7),
        ("degrees", 4),
        ("degrees", 4.5),
        ("enabled", True),
        ("at", "2026-01-31T08:00:00Z"),
        ("day", "2026-01-31"),
        ("opens_at", "08:30"),
        ("id", "00000000-0000-7000-8000-000000000000"),
        ("quantity", "1.500"),
        ("quantity", 1.5),
        ("anything", {"deep": [None, True, 1, "ü"]}),
        ("lines", [{"count": 1}]),
        ("password", "ключ 🔑"),
    ],
)
def test_what_is_said_in_its_own_type_is_taken(field: str, value: object) -> None:
    assert getattr(Body.model_validate({field: value}), field) is not None


def test_the_document_says_the_same_as_before() -> None:
    properties = Body.model_json_schema()["properties"]
    assert properties["enabled"]["type"] == "boolean"
    assert properties["at"]["anyOf"][0] == {"format": "date-time", "type": "string"}


def test_an_instant_in_a_query_has_a_zone_and_a_place_in_utc() -> None:
    instants = TypeAdapter[datetime](Instant)
    for wrong in ("2026-01-31T08:00:00", "0001-01-01T00:00:00+14:00"):
        with pytest.raises(ValidationError):
            instants.validate_python(wrong)
    assert instants.validate_python("2026-01-31T08:00:00+05:30").isoformat() == "2026-01-31T08:00:00+05:30"


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.tuples()))
def test_anything_is_storable_or_refused_with_a_reason(value: object) -> None:
    refusal = ""
    try:
        assert storable(value) is value
    except ValueError as refused:
        refusal = str(refused)
    assert refusal == "" or refusal.startswith("must ")
