"""Settings of the cloud: environment variables `COLDFLEET_*`, or a file `.env` beside the process."""

import re
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, Field, FilePath, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from cloud_api.kernel import region_map
from cloud_api.kernel.addresses import parse_networks
from cloud_api.kernel.errors import Invalid

DEVELOPMENT_SECRET = "development-only-secret-never-use-it-elsewhere"  # noqa: S105 - refused outside development

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")
_REDIS = re.compile(r"rediss?://")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


class Settings(BaseSettings):
    """Everything the cloud can be told from outside."""

    model_config = SettingsConfigDict(
        env_prefix="COLDFLEET_", env_file=".env", extra="ignore", hide_input_in_errors=True
    )

    environment: Literal["development", "production"] = "development"
    #: `sqlite+aiosqlite:///PATH` (embedded, one process) or `postgresql+asyncpg://coldfleet_app:...@HOST/NAME`
    database_url: str = "sqlite+aiosqlite:///var/cloud.db"
    #: the owner of the tables, for `coldfleet cloud migrate`; the same as `database_url` when empty
    migration_database_url: str = ""
    #: signs access tokens; at least 32 characters
    secret_key: SecretStr = Field(default=SecretStr(DEVELOPMENT_SECRET), min_length=32)
    #: encrypts secrets at rest; several by commas, the newest first; each at least 32 characters
    encryption_keys: SecretStr = SecretStr(DEVELOPMENT_SECRET)
    #: seals the audit trail; at least 32 characters
    audit_key: SecretStr = Field(default=SecretStr(DEVELOPMENT_SECRET), min_length=32)
    #: where people reach this platform, for links in mails
    public_url: str = "http://127.0.0.1:8000"
    #: addresses and ranges of proxies whose X-Forwarded-For is believed, by commas
    trusted_proxies: str = ""
    #: private ranges that URLs given by people may lead into, by commas: a directory in our own network
    outbound_allowed: str = ""
    #: browsers of these origins may call the API, by commas: https://app.example
    allowed_origins: str = ""
    #: what people send, apart from files; larger is refused with 413
    max_body_bytes: int = Field(default=1_000_000, ge=1_000)
    #: anybody may found an organisation; otherwise the platform's administrators do
    open_registration: bool = True
    #: an administrator without a second factor may only enrol one; off only for development
    two_factor_for_admins: bool = True
    #: counts requests for the limits: empty (in this process) or redis://HOST:PORT/N
    rate_limit_store: SecretStr = SecretStr("")
    #: wakes the live views of other API processes: empty (PostgreSQL's NOTIFY does it) or redis://HOST:PORT/N
    fanout_redis_url: SecretStr = SecretStr("")
    #: live views that one person or machine may have open in one process
    live_views_per_person: int = Field(default=20, ge=1)
    #: where readings are kept: in the platform's own database, or in InfluxDB 2
    reading_store: Literal["sql", "influx"] = "sql"
    #: InfluxDB 2: http(s)://HOST:PORT, a token that may read and write the bucket, its organisation, and the bucket
    influx_url: str = ""
    influx_token: SecretStr = SecretStr("")
    influx_org: str = ""
    influx_bucket: str = ""
    #: whole days (UTC) of readings that stay rows before they are sealed
    seal_readings_after_days: int = Field(default=7, ge=1)
    #: requests of one person or machine an hour
    requests_per_hour: int = Field(default=1_000, ge=1)
    #: requests of one gateway an hour: batches and heartbeats
    gateway_requests_per_hour: int = Field(default=20_000, ge=1)
    #: readings recorded longer ago are refused: a clock that was never set
    readings_max_age_days: int = Field(default=400, ge=1, le=36_500)
    #: batches of readings that wait to be stored, unpacked; beyond it gateways are told to come back later
    ingest_waiting_bytes: int = Field(default=64_000_000, ge=8_000_000)
    #: positions and syncs of one driver's phone an hour
    driver_requests_per_hour: int = Field(default=10_000, ge=1)
    #: what the console asks for one person an hour: a page asks several times
    console_requests_per_hour: int = Field(default=20_000, ge=1)
    #: attempts to sign in, register or recover from one address a minute
    sign_ins_per_minute: int = Field(default=10, ge=1)
    #: smtp://USER:PASSWORD@HOST:PORT (STARTTLS) or smtps://; empty: mails are kept in `mail_folder`
    smtp_url: SecretStr = SecretStr("")
    mail_from: str = "coldfleet@localhost"
    mail_folder: Path = Path("var/mail")
    #: Twilio account that sends codes by SMS; without it none is sent, and that is reported
    twilio_account_sid: str = ""
    twilio_auth_token: SecretStr = SecretStr("")
    #: the number, in E.164, that codes come from
    twilio_from: str = ""
    #: where Twilio answers, when it is not Twilio
    twilio_url: str = ""
    #: Razorpay account that customers pay into; without it nothing is paid online
    razorpay_key_id: str = ""
    razorpay_key_secret: SecretStr = SecretStr("")
    #: what it signs its webhooks with, as entered in its console; before a change, both by a comma
    razorpay_webhook_secret: SecretStr = SecretStr("")
    #: where Razorpay answers, when it is not Razorpay
    razorpay_url: str = ""
    #: photos and other files that people send; with `media_bucket` only what is just arriving
    media_folder: Path = Path("var/media")
    #: a bucket of S3, or of what speaks its protocol, that files are kept in instead: its name, where it answers
    #: (empty: Amazon), its region, and a key that may read, write, list and delete
    media_bucket: str = ""
    media_s3_endpoint: str = ""
    media_s3_region: str = "us-east-1"
    media_s3_key_id: str = ""
    media_s3_secret: SecretStr = SecretStr("")
    #: megabytes that a file may have when it comes in one request, and when it comes in parts
    media_max_mb: int = Field(default=25, ge=1, le=100)
    media_parts_max_mb: int = Field(default=500, ge=1, le=2_000)
    #: a folder with further fonts for labels: Devanagari, Tamil, whatever products are called in
    label_font_folder: Path | None = None
    #: the console's maps are drawn on this: a PMTiles file with vector tiles of the region; without: on a plain grid
    region_map: FilePath | None = None
    #: a server that knows roads: OSRM or Valhalla at `road_url`, or Google with a key; without: great circles
    road_service: Literal["", "osrm", "valhalla", "google"] = ""
    road_url: str = ""
    road_key: SecretStr = SecretStr("")
    #: Nominatim, or what speaks as it does, for addresses without coordinates; empty: they are refused
    geocoder_url: str = ""
    #: seconds between two requests to it; the public server allows one a second
    geocoder_interval_s: float = Field(default=1.0, ge=0, le=60)
    #: what it has answered; addresses may be personal data
    geocoder_cache: Path = Path("var/geocoder.db")
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

    @field_validator("trusted_proxies", "outbound_allowed")
    @classmethod
    def _name_addresses(cls, ranges: str, info: ValidationInfo) -> str:
        try:
            parse_networks(ranges, field=str(info.field_name))
        except Invalid as error:
            raise ValueError(error.message) from None
        return ranges

    @field_validator("allowed_origins")
    @classmethod
    def _name_origins(cls, origins: str) -> str:
        wrong = [origin for origin in _listed(origins) if not _ORIGIN.fullmatch(origin)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no origin: write https://app.example, without a path")
        return origins

    @field_validator("region_map")
    @classmethod
    def _name_a_map_that_browsers_draw(cls, path: Path | None) -> Path | None:
        if path is not None:
            try:
                region_map.read(path)
            except OSError as error:
                raise ValueError(f"cannot be read: {error.strerror}") from None
        return path

    @field_validator("rate_limit_store", "fanout_redis_url")
    @classmethod
    def _name_a_redis(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value() and not _REDIS.match(url.get_secret_value()):
            raise ValueError("must be empty, or begin with redis:// or rediss://")
        return url

    @property
    def origins(self) -> list[str]:
        """`allowed_origins`, one by one."""
        return _listed(self.allowed_origins)

    @model_validator(mode="after")
    def _say_where_influxdb_is(self) -> "Settings":
        if self.reading_store == "influx":
            for name in ("influx_url", "influx_org", "influx_bucket", "influx_token"):
                value = getattr(self, name)
                if not (value.get_secret_value() if isinstance(value, SecretStr) else value):
                    raise ValueError(f"COLDFLEET_{name.upper()} is empty: COLDFLEET_READING_STORE=influx needs it")
        return self

    @model_validator(mode="after")
    def _say_how_the_bucket_opens(self) -> "Settings":
        if self.media_bucket and not (self.media_s3_key_id and self.media_s3_secret.get_secret_value()):
            raise ValueError("COLDFLEET_MEDIA_BUCKET needs COLDFLEET_MEDIA_S3_KEY_ID and COLDFLEET_MEDIA_S3_SECRET")
        return self

    @model_validator(mode="after")
    def _refuse_what_only_development_may_have(self) -> "Settings":
        if self.environment == "development":
            return self
        for name in ("secret_key", "encryption_keys", "audit_key"):
            if DEVELOPMENT_SECRET in getattr(self, name).get_secret_value():
                variable = f"COLDFLEET_{name.upper()}"
                raise ValueError(f"{variable} is the default: set it to 32 or more random characters")
        if not self.two_factor_for_admins:
            raise ValueError("COLDFLEET_TWO_FACTOR_FOR_ADMINS can be switched off in development only")
        if self.clock_speed != 1.0:
            raise ValueError("COLDFLEET_CLOCK_SPEED is for demonstrations: outside development leave it unset")
        return self
