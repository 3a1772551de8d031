"""The settings say where readings are kept."""

from cloud_api.telemetry.stores.influx import InfluxStore
from cloud_api.telemetry.stores.opening import open_store
from cloud_api.telemetry.stores.sql import SqlStore
from tests.platform_under_test import settings_for_tests


async def test_readings_are_kept_where_the_settings_say() -> None:
    assert isinstance(open_store(settings_for_tests()), SqlStore)
    there = {"influx_url": "http://127.0.0.1:9", "influx_org": "o", "influx_bucket": "b", "influx_token": "t"}
    store = open_store(settings_for_tests(reading_store="influx", **there))
    assert isinstance(store, InfluxStore)
    await store.close()
