"""One settings object, from a TOML file and the environment.

Every scalar key of `deploy/gateway.example.toml` (where each is explained) can be overridden by an environment
variable: `COLDFLEET_GATEWAY_` and the key in capitals, the section first: `COLDFLEET_GATEWAY_DATA_DIR`,
`COLDFLEET_GATEWAY_CLOUD_CLAIM_CODE`, `COLDFLEET_GATEWAY_LISTENER_PORT`. `listener.users`, `bridge.topics` and
`mappings` stand in the file only.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.contract import MAX_ROWS
from gateway.decoders import mapping
from gateway.errors import ConfigError

PREFIX = "COLDFLEET_GATEWAY_"

_AboveZero = Annotated[float, Meta(gt=0)]


class CloudSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the readings go."""

    #: e.g. `https://cold.example.com`, without a path
    url: Annotated[str, Meta(pattern=r"^https?://[^/\s]+/?$")]
    #: from the cloud's page of gateways; needed once, until the gateway has its credential
    claim_code: str | None = None
    #: readings wait this long for company before a batch is sent; alarms do not wait
    upload_interval_s: Annotated[float, Meta(ge=0)] = 1.0
    #: at most so many at once; fewer on a slow line
    batch_rows: Annotated[int, Meta(ge=1, le=MAX_ROWS)] = MAX_ROWS
    timeout_s: _AboveZero = 20.0
    #: a new configuration is kept when the gateway has worked well with it for so long
    config_trial_s: _AboveZero = 600.0
    #: who signed the cloud's certificate; empty: whom the machine believes
    ca_file: str = ""
    #: the gateway's own certificate and its key, where the cloud's front door asks for one; empty: none
    certificate_file: str = ""
    #: empty: the key stands in `certificate_file`
    key_file: str = ""


#: what the example file has where a password belongs
PLACEHOLDER = "change me"


class ListenerUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may connect, and what they may do. In a filter `%u` is the user's name and `%c` the client's id."""

    #: as it is, or as `coldfleet gateway password` writes it
    password: str
    #: filters of the topics it may publish to
    publish: tuple[str, ...] = ("#",)
    #: filters of the topics it may hear; there is only what the gateway itself says, and the wills of others
    subscribe: tuple[str, ...] = ("#",)


class ListenerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The endpoint that sensors speak to."""

    host: str = "127.0.0.1"
    #: 0 takes any free port
    port: Annotated[int, Meta(ge=0, le=65535)] = 1883
    #: where it also listens, with TLS, when there is a certificate
    tls_host: str = "0.0.0.0"  # noqa: S104  # sensors are elsewhere
    tls_port: Annotated[int, Meta(ge=0, le=65535)] = 8883
    #: in PEM, with its chain; empty: no TLS
    certificate_file: str = ""
    #: empty: the key stands in `certificate_file`
    key_file: str = ""
    #: who must have signed the certificates of clients; empty: they need none
    client_ca_file: str = ""
    #: user name -> password, or all that is to be said of it
    users: dict[str, str | ListenerUser] = {}
    #: whether a sensor may connect without a user name
    anonymous: bool = False
    max_clients: Annotated[int, Meta(ge=1)] = 256
    #: a longer message is cut and kept as a dead letter, up to four times this; beyond, the client is cut off
    max_packet_bytes: Annotated[int, Meta(ge=128, le=1 << 20)] = 65_536
    #: messages of one client that are not acknowledged yet; above this it is not read
    receive_maximum: Annotated[int, Meta(ge=1, le=65_535)] = 1000


class BridgeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A broker of the site's, on which the gateway is a client."""

    host: Annotated[str, Meta(min_length=1)]
    #: filters as MQTT knows them: `zigbee2mqtt/#`
    topics: Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 1883
    username: str | None = None
    password: str | None = None
    #: the name of the session that the broker keeps for this gateway: never change it, never use it twice at one broker
    client_id: Annotated[str, Meta(min_length=1, max_length=64)] = "coldfleet-gateway"
    tls: bool = False
    #: who signed the broker's certificate, when the machine does not know them
    ca_file: str | None = None
    keepalive_s: Annotated[int, Meta(ge=5, le=3600)] = 60
    #: a longer message is cut, and kept as a dead letter
    max_payload_bytes: Annotated[int, Meta(ge=128)] = 1 << 20


class SpoolSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The queue on disk."""

    #: size of the database file; near its end the oldest readings are thinned out
    max_mb: Annotated[int, Meta(ge=8)] = 1024
    #: messages received and not yet committed; above this the gateway stops reading from its sensors
    max_pending: Annotated[int, Meta(ge=1)] = 2000
    #: of the sensors' unreadable messages only the newest are kept (all are counted)
    max_dead_letters: Annotated[int, Meta(ge=1)] = 10_000
    #: while little arrives, messages wait so long for company: fewer commits spare a memory card. Alarms do not wait
    linger_s: Annotated[float, Meta(ge=0, le=10)] = 0.25


class ClockSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For demonstrations only: see `gateway.clock`."""

    speed: _AboveZero = 1.0
    origin_ms: int = 0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All a gateway must be told. What the cloud decides (limits, heartbeat) is not in here."""

    #: the spool, the credential and the status file live here
    data_dir: Path
    cloud: CloudSettings
    #: None: there is a bridge, and sensors speak to the site's broker only
    listener: ListenerSettings | None = None
    bridge: BridgeSettings | None = None
    spool: SpoolSettings = SpoolSettings()
    clock: ClockSettings = ClockSettings()
    #: asked before the decoders that are built in
    mappings: list[mapping.MappingSettings] = []


#: no scalars: an environment variable cannot say them
_FILE_ONLY = ("users", "topics")
_SECTIONS: dict[str, type[msgspec.Struct]] = {
    "cloud": CloudSettings,
    "listener": ListenerSettings,
    "bridge": BridgeSettings,
    "spool": SpoolSettings,
    "clock": ClockSettings,
}


def load(path: Path, environment: Mapping[str, str]) -> Settings:
    """Read the file, lay the environment over it, check everything.

    Raises:
        ConfigError: names the key and what to do about it.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist: copy deploy/gateway.example.toml there and fill it in.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): check the file and its permissions.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML ({error}): correct that line.") from None
    told = set(document)
    _overlay(document, environment)
    for section in ("bridge", "listener"):
        # A gateway without a bridge has a listener, whether or not the file says so.
        if section not in told and not document[section] and (section == "bridge" or "bridge" in document):
            del document[section]
    try:
        settings = msgspec.convert(document, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_explain(str(error))}") from None
    try:
        mapping.compiled(settings.mappings)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    listener = settings.listener
    if listener is not None and not listener.users and not listener.anonymous:
        raise ConfigError(
            f"{path}: listener.users is empty, so no sensor could connect: add a user under [listener.users], "
            "or set listener.anonymous = true."
        )
    return settings


def _overlay(document: dict[str, object], environment: Mapping[str, str]) -> None:
    known = {PREFIX + "DATA_DIR": (document, "data_dir")}
    for section, kind in _SECTIONS.items():
        table = document.setdefault(section, {})
        if not isinstance(table, dict):
            continue  # the conversion names it
        for field in kind.__struct_fields__:
            if field not in _FILE_ONLY:
                known[f"{PREFIX}{section}_{field}".upper()] = (table, field)
    for name, value in environment.items():
        if not name.startswith(PREFIX):
            continue
        if name not in known:
            raise ConfigError(f"the environment variable {name} is unknown: unset it, or choose from {sorted(known)}.")
        table, field = known[name]
        table[field] = value


def _path(kind: type[Path], told: object) -> Path:
    if kind is not Path or not isinstance(told, str) or not told:
        raise ValueError("Expected a path")
    return Path(told)


def _explain(message: str) -> str:
    """`Expected int - at `$.listener.port`` -> `listener.port: expected int: correct it ...`"""
    what, _, where = message.partition(" - at `$.")
    key = where.rstrip("`")
    start = f"{key}: " if key else ""
    return f"{start}{what[:1].lower()}{what[1:]}: correct it as deploy/gateway.example.toml shows."
