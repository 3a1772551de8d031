"""Settings that would be dangerous are refused before anything starts."""

import os

import pytest
from pydantic import ValidationError

from cloud_api.kernel import clock
from cloud_api.kernel.settings import DEVELOPMENT_SECRET, Settings
from cloud_api.main import prepare

SECRET = "0123456789abcdef0123456789abcdef"
#: what production has to be given
OWN = {"environment": "production", "secret_key": SECRET, "encryption_keys": SECRET[::-1], "audit_key": SECRET[1:] * 2}


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("COLDFLEET_")]:
        monkeypatch.delenv(name)


def settings(monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    """As the environment says."""
    for name, value in given.items():
        monkeypatch.setenv(f"COLDFLEET_{name.upper()}", value)
    return Settings(_env_file=None)


def test_development_needs_no_settings_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(monkeypatch)
    assert made.environment == "development"
    assert made.secret_key.get_secret_value() == DEVELOPMENT_SECRET
    assert made.database_url == "sqlite+aiosqlite:///var/cloud.db"
    assert made.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"environment": "production"}, "COLDFLEET_SECRET_KEY is the default"),
        ({"environment": "production", "secret_key": DEVELOPMENT_SECRET}, "COLDFLEET_SECRET_KEY is the default"),
        ({"environment": "production", "secret_key": "short"}, "at least 32"),
        ({"secret_key": "x" * 31}, "at least 32"),
        ({**OWN, "encryption_keys": DEVELOPMENT_SECRET}, "COLDFLEET_ENCRYPTION_KEYS is the default"),
        ({**OWN, "encryption_keys": f"{SECRET},{DEVELOPMENT_SECRET}"}, "COLDFLEET_ENCRYPTION_KEYS is the default"),
        ({**OWN, "audit_key": DEVELOPMENT_SECRET}, "COLDFLEET_AUDIT_KEY is the default"),
        ({**OWN, "two_factor_for_admins": "false"}, "can be switched off in development only"),
        ({**OWN, "clock_speed": "2"}, "COLDFLEET_CLOCK_SPEED is for"),
        ({"audit_key": "x" * 31}, "at least 32"),
        ({"trusted_proxies": "*"}, "is no IP address or range"),
        ({"trusted_proxies": "10.0.0.1/8"}, "bits beyond its length"),
        ({"outbound_allowed": "localhost"}, "is no IP address or range"),
        ({"allowed_origins": "https://app.example/path"}, "is no origin"),
        ({"allowed_origins": "https://app.example, *"}, "is no origin"),
        ({"allowed_origins": "app.example"}, "is no origin"),
        ({"rate_limit_store": "memcached://localhost"}, "must be empty, or begin with redis"),
        ({"max_body_bytes": "10"}, "greater than or equal to 1000"),
        ({"sign_ins_per_minute": "0"}, "greater than or equal to 1"),
        ({"environment": "staging"}, "'development' or 'production'"),
        ({"clock_speed": "0"}, "greater than 0"),
        ({"clock_speed": "-1"}, "greater than 0"),
        ({"clock_speed": "10001"}, "less than or equal to 10000"),
        ({"clock_origin": "2026-01-01T00:00:00"}, "timezone"),
        ({"database_url": "nonsense"}, "must begin with sqlite"),
        ({"database_url": "postgresql://coldfleet_app:x@localhost/coldfleet"}, "must begin with sqlite"),
        ({"database_url": "postgresql+asyncpg://localhost:none/coldfleet"}, "must begin with sqlite"),
        ({"migration_database_url": "mysql://localhost/coldfleet"}, "must begin with sqlite"),
        ({"fcm_service_account": "nowhere.json"}, "does not point to a file"),
        ({"port": "70000"}, "less than or equal to 65535"),
        ({"port": "http"}, "valid integer"),
        ({"reading_store": "tape"}, "'sql' or 'influx'"),
        ({"reading_store": "influx", "influx_url": "http://localhost:8086"}, "COLDFLEET_INFLUX_ORG is empty"),
        ({"seal_readings_after_days": "0"}, "greater than or equal to 1"),
        ({"log_level": "loud"}, "'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_what_is_dangerous_or_nonsense_is_refused(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        settings(monkeypatch, **given)


def test_production_starts_with_secrets_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    store = f"redis://:{SECRET[:8]}@10.0.0.1/0"
    made = settings(monkeypatch, **OWN, rate_limit_store=store)
    for secret in (SECRET, OWN["encryption_keys"], OWN["audit_key"], store):
        assert secret not in repr(made)
    assert made.secret_key.get_secret_value() == SECRET


def test_what_is_wrong_is_said_without_the_secrets_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(monkeypatch, **OWN, clock_speed="2", rate_limit_store="hunter2")
    assert "hunter2" not in str(refused.value)
    for secret in OWN.values():
        assert secret[-8:] not in str(refused.value) or secret == "production"


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    origins = "https://app.example, http://localhost:5173 ,, https://[::1]:8443"
    made = settings(monkeypatch, allowed_origins=origins, trusted_proxies="10.0.0.0/8, 2001:db8::1")
    assert made.origins == ["https://app.example", "http://localhost:5173", "https://[::1]:8443"]


def test_a_world_that_runs_faster_is_for_development(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(monkeypatch, clock_speed="600", clock_origin="2026-01-01T05:30:00+05:30", log_level="warning")
    prepare(made)
    assert clock.now() > clock.machine_now()
    assert clock.now().utcoffset() is not None
