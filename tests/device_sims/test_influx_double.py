"""The double of InfluxDB refuses what the real one refuses, and then keeps nothing of it."""

import gzip
import json
from collections.abc import Iterator

import pytest

from device_sims.influx.lines import parse
from device_sims.influx.server import Answer, InfluxDouble


@pytest.fixture
def double() -> Iterator[InfluxDouble]:
    """One that is asked without a network."""
    made = InfluxDouble()
    yield made
    made.stop()


def write(double: InfluxDouble, body: str, *, token: str = "", **query: str) -> Answer:
    """What a write is answered."""
    said = {"org": double.organization, "bucket": double.bucket, **query}
    target = "/api/v2/write?" + "&".join(f"{name}={value}" for name, value in said.items())
    headers = {"authorization": f"Token {token or double.token}", "content-encoding": "gzip"}
    return double.answer("POST", target, headers, gzip.compress(body.encode()))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("readings", "missing fields"),
        (",a=b value=1.0", "missing measurement"),
        ("readings,a= value=1.0", "missing tag value"),
        ("readings value=NaN", "invalid number"),
        ("readings value=1.0 soon", "bad timestamp"),
        ("readings value=1.0 9223372036854775807", "time outside range"),
        ('readings value="4', "unbalanced quotes"),
    ],
)
def test_of_a_body_with_a_bad_line_nothing_is_kept(double: InfluxDouble, line: str, says: str) -> None:
    answer = write(double, f"readings,x=y value=1.0 1\n{line}")
    refusal = json.loads(answer.body)
    assert (answer.status, refusal["code"], says in refusal["message"]) == (400, "invalid", True)
    assert double.points() == 0


def test_a_field_keeps_its_type(double: InfluxDouble) -> None:
    assert write(double, "readings value=1.0 1").status == 204
    answer = write(double, "readings value=1i 2")
    assert (answer.status, "field type conflict" in answer.body.decode()) == (422, True)
    assert double.points() == 1


@pytest.mark.parametrize(
    ("wrong", "status"), [({"token": "x"}, 401), ({"org": "x"}, 404), ({"bucket": "x"}, 404), ({"precision": "h"}, 400)]
)
def test_who_comes_to_the_wrong_door_is_sent_away(double: InfluxDouble, wrong: dict[str, str], status: int) -> None:
    assert write(double, "readings value=1.0 1", **wrong).status == status
    assert double.points() == 0


def test_the_same_key_is_one_point(double: InfluxDouble) -> None:
    for value in (1.0, 2.0):
        assert write(double, f"readings,b=1,a=2 value={value} 5").status == 204
        assert write(double, f"readings,a=2,b=1 value={value} 5000", precision="ms").status == 204
    assert double.points() == 2


def test_lines_are_read_with_their_escapes() -> None:
    [point] = parse('cold\\ room,rack\\,no=a\\=b value=-1.5e-3,note="at \\"4\\", cold",good=t,count=3i 7')
    assert (point.measurement, point.tags, point.at_ns) == ("cold room", (("rack,no", "a=b"),), 7)
    assert point.fields == {"value": -0.0015, "note": 'at "4", cold', "good": True, "count": 3}
