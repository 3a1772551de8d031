"""The store of readings that the settings name."""

from importlib.util import find_spec

from cloud_api.kernel.settings import Settings
from cloud_api.telemetry.stores.influx import InfluxStore, Server
from cloud_api.telemetry.stores.port import ReadingStore
from cloud_api.telemetry.stores.sql import SqlStore


def open_store(settings: Settings) -> ReadingStore:
    """The store; nothing is connected before its first use.

    Raises:
        RuntimeError: when it is InfluxDB and its client is not installed.
    """
    if settings.reading_store == "sql":
        return SqlStore()
    if find_spec("influxdb_client") is None or find_spec("aiohttp") is None:
        raise RuntimeError("COLDFLEET_READING_STORE=influx needs InfluxDB's client: install coldfleet[influx]")
    server = Server(
        settings.influx_url, settings.influx_token.get_secret_value(), settings.influx_org, settings.influx_bucket
    )
    return InfluxStore(server)
