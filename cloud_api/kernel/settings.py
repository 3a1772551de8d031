"""Settings of the cloud: environment variables `COLDFLEET_*`, or a file `.env` beside the process."""

from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, Field, FilePath, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

DEVELOPMENT_SECRET = "development-only-secret-never-use-it-elsewhere"  # noqa: S105 - refused outside development


class Settings(BaseSettings):
    """Everything the cloud can be told from outside."""

    model_config = SettingsConfigDict(env_prefix="COLDFLEET_", env_file=".env", extra="ignore")

    environment: Literal["development", "production"] = "development"
    #: `sqlite+aiosqlite:///PATH` (embedded, one process) or `postgresql+asyncpg://coldfleet_app:...@HOST/NAME`
    database_url: str = "sqlite+aiosqlite:///var/cloud.db"
    #: the owner of the tables, for `coldfleet cloud migrate`; the same as `database_url` when empty
    migration_database_url: str = ""
    #: signs access tokens; at least 32 characters
    secret_key: SecretStr = Field(default=SecretStr(DEVELOPMENT_SECRET), min_length=32)
    #: photos and other files that people send
    media_folder: Path = Path("var/media")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    #: lets a scraper read the metrics without signing in; empty: only people who may
    metrics_token: SecretStr = SecretStr("")
    #: Firebase service account (JSON file); without it pushes are kept, and reported as not sent
    fcm_service_account: FilePath | None = None
    #: where FCM answers, when it is not Google
    fcm_url: str = ""
    #: a demonstration's faster world: `clock_speed` times real time since `clock_origin`
    clock_speed: float = Field(default=1.0, gt=0, le=10_000)
    clock_origin: AwareDatetime | None = None

    @field_validator("database_url", "migration_database_url")
    @classmethod
    def _name_a_database_we_speak_to(cls, url: str) -> str:
        if url:
            try:
                driver = make_url(url).drivername
            except (ArgumentError, ValueError):
                driver = ""
            if driver not in {"sqlite+aiosqlite", "postgresql+asyncpg"}:
                raise ValueError("must begin with sqlite+aiosqlite:/// or postgresql+asyncpg://")
        return url

    @model_validator(mode="after")
    def _refuse_what_only_development_may_have(self) -> "Settings":
        if self.environment == "development":
            return self
        if self.secret_key.get_secret_value() == DEVELOPMENT_SECRET:
            raise ValueError("COLDFLEET_SECRET_KEY is the default: set it to 32 or more random characters")
        if self.clock_speed != 1.0:
            raise ValueError("COLDFLEET_CLOCK_SPEED is for demonstrations: outside development leave it unset")
        return self
