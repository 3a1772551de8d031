"""The settings of an organisation, a table: what each is called, may be, and is when nobody set it.

Code reads one by its constant, and the type checker knows what comes back: `await service.value(db, SESSION_LIMIT)`.
A new setting is a line here; no migration.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

V = TypeVar("V", bool, int, str)
Kind = Literal["boolean", "integer", "choice", "text"]


@dataclass(frozen=True, kw_only=True)
class Setting(Generic[V]):
    """One setting; its type is that of its default."""

    key: str
    default: V
    description: str
    #: anybody may read it, signed in or not
    is_public: bool = False
    #: of an integer; both bounds included
    minimum: int = 0
    maximum: int = 0
    #: of a choice
    choices: tuple[str, ...] = ()
    #: of a text, the whole of it
    pattern: str = ""

    @property
    def kind(self) -> Kind:
        """What may be sent."""
        if isinstance(self.default, bool):
            return "boolean"
        if isinstance(self.default, int):
            return "integer"
        return "choice" if self.choices else "text"

    @property
    def expected(self) -> str:
        """What may be sent, in words."""
        if self.kind == "boolean":
            return "true or false"
        if self.kind == "integer":
            return f"a whole number from {self.minimum} to {self.maximum}"
        return f"one of {', '.join(self.choices)}" if self.choices else f"a text that matches {self.pattern}"

    def accepts(self, value: object) -> bool:
        """Whether `value` is one that this setting may have. Nothing is converted: `"5"` and `5.0` are no `5`."""
        if type(value) is not type(self.default):
            return False
        if isinstance(value, bool):
            return True
        if isinstance(value, int):
            return self.minimum <= value <= self.maximum
        return value in self.choices if self.choices else re.fullmatch(self.pattern, str(value)) is not None


LOCALE = Setting(
    key="locale",
    default="en-IN",
    pattern=r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?",
    is_public=True,
    description="Language and country of texts, numbers and dates, as in BCP 47: en-IN, hi-IN, mr-IN",
)
TEMPERATURE_UNIT = Setting(
    key="units.temperature",
    default="celsius",
    choices=("celsius", "fahrenheit"),
    is_public=True,
    description="How temperatures are shown to people; they are kept and sent in degrees Celsius",
)
SESSION_LIMIT = Setting(
    key="session.limit",
    default=5,
    minimum=1,
    maximum=100,
    description="How often a person may be signed in at the same time; the oldest sign-in ends with one more",
)
LOCKOUT_ATTEMPTS = Setting(
    key="sign_in.lockout_attempts",
    default=5,
    minimum=3,
    maximum=100,
    description="After how many wrong passwords in a row an account is locked",
)
LOCKOUT_MINUTES = Setting(
    key="sign_in.lockout_minutes",
    default=15,
    minimum=1,
    maximum=1_440,
    description="How long an account stays locked",
)
PASSWORD_EXPIRES_DAYS = Setting(
    key="password.expires_days",
    default=90,
    minimum=1,
    maximum=3_650,
    description="After how many days an administrator has to choose another password",
)
SSO_ENFORCED = Setting(
    key="sso_enforced",
    default=False,
    is_public=True,
    description="People sign in with the organisation's identity provider only, not with a password",
)
IP_ALLOWLIST_ENFORCED = Setting(
    key="ip_allowlist_enforced",
    default=False,
    description="Administrators' operations are open to addresses of the allow-list only",
)
ORDER_CUT_OFF_HOURS = Setting(
    key="orders.cut_off_hours",
    default=12,
    minimum=0,
    maximum=168,
    is_public=True,
    description="How many hours before its delivery window an order can be changed no more",
)
STOCK_TAKE_VARIANCE_PERCENT = Setting(
    key="stock_takes.variance_percent",
    default=2,
    minimum=0,
    maximum=100,
    description="Up to what difference, in percent of what the books say, a stock take is booked without approval",
)
EXPIRING_SOON_DAYS = Setting(
    key="inventory.expiring_soon_days",
    default=3,
    minimum=0,
    maximum=365,
    description="How many days before its last day somebody is told that a lot expires",
)

AnySetting = Setting[bool] | Setting[int] | Setting[str]

_ALL: tuple[AnySetting, ...] = (
    LOCALE,
    TEMPERATURE_UNIT,
    SESSION_LIMIT,
    LOCKOUT_ATTEMPTS,
    LOCKOUT_MINUTES,
    PASSWORD_EXPIRES_DAYS,
    SSO_ENFORCED,
    IP_ALLOWLIST_ENFORCED,
    ORDER_CUT_OFF_HOURS,
    EXPIRING_SOON_DAYS,
    STOCK_TAKE_VARIANCE_PERCENT,
)
SETTINGS: Mapping[str, AnySetting] = {setting.key: setting for setting in _ALL}
