"""Queries in Flux, and the double that reads them."""

import re
import uuid

import pytest

from cloud_api.telemetry.stores.influx import flux
from device_sims.influx.flux import BadQuery, read


def test_a_bucket_with_a_strange_name_stays_a_string() -> None:
    name = 'cold "rooms" \\ ${secret}'
    query = flux(name, uuid.uuid4(), sensors=["s"], lanes=["l"], from_ms=0, to_ms=1)
    assert re.search(r'from\(bucket: "cold \\"rooms\\" \\\\ \\\${secret}"\)', query)
    assert read(query).bucket == name


@pytest.mark.parametrize(
    "query",
    [
        "",
        'from(bucket: "b")',
        'from(bucket: "b") |> range(start: time(v: 5), stop: time(v: 5))',
        'from(bucket: "b") |> rangee(start: time(v: 0), stop: time(v: 5))',
    ],
)
def test_the_double_refuses_what_flux_refuses(query: str) -> None:
    with pytest.raises(BadQuery):
        read(query)
