"""Settings that would be dangerous are refused before anything starts."""

import os

import pytest
from pydantic import ValidationError

from cloud_api.kernel import clock
from cloud_api.kernel.settings import DEVELOPMENT_SECRET, Settings
from cloud_api.main import prepare

SECRET = "0123456789abcdef0123456789abcdef"


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
        ({"environment": "production", "secret_key": SECRET, "clock_speed": "2"}, "COLDFLEET_CLOCK_SPEED is for"),
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
        ({"log_level": "loud"}, "'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_what_is_dangerous_or_nonsense_is_refused(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        settings(monkeypatch, **given)


def test_production_starts_with_a_secret_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(monkeypatch, environment="production", secret_key=SECRET)
    assert SECRET not in repr(made)
    assert made.secret_key.get_secret_value() == SECRET


def test_a_world_that_runs_faster_is_for_development(monkeypatch: pytest.MonkeyPatch) -> None:
    made = settings(monkeypatch, clock_speed="600", clock_origin="2026-01-01T05:30:00+05:30", log_level="warning")
    prepare(made)
    assert clock.now() > clock.machine_now()
    assert clock.now().utcoffset() is not None
