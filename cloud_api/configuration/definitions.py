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
ORDER_WAREHOUSE = Setting(
    key="orders.default_warehouse",
    default="",
    pattern=r"[A-Za-z0-9._-]{0,32}",
    description="Code of the warehouse that orders come from when they name none; empty: the only one there is",
)
ORDER_SHORT_PICK = Setting(
    key="orders.short_pick",
    default="deliver_short",
    choices=("deliver_short", "backorder"),
    description="What becomes of goods that are not there when they are picked: the customer gets, and pays, less; or "
    "the order waits for them",
)
ORDER_PACK_TOLERANCE_PERCENT = Setting(
    key="orders.pack_tolerance_percent",
    default=5,
    minimum=0,
    maximum=50,
    description="By how much, in percent of what was promised, what is weighed into the box may differ from it",
)
RETURN_WITHIN_DAYS = Setting(
    key="returns.within_days",
    default=7,
    minimum=0,
    maximum=365,
    is_public=True,
    description="For how many days after the delivery customers may ask for something to be taken back",
)
RETURN_OUTSIDE_MINUTES = Setting(
    key="returns.outside_minutes",
    default=30,
    minimum=0,
    maximum=1_440,
    description="How long goods that came back may have been outside of any cold to be sold again",
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

CONTACT_MESSAGE_DAYS = Setting(
    key="notifications.contact_days",
    default=90,
    minimum=1,
    maximum=3_650,
    description="After how many days it is forgotten whom outside a message was sent to, and what it said",
)

OTP_REQUIRED = Setting(
    key="deliveries.otp_required",
    default=True,
    description="A delivery needs the code that its customer was sent, where the customer can be reached",
)
OTP_MINUTES = Setting(
    key="deliveries.otp_minutes",
    default=240,
    minimum=5,
    maximum=1_440,
    description="How long the code of a delivery works",
)
RELAY_NUMBER = Setting(
    key="deliveries.relay_number",
    default="",
    pattern=r"(\+[1-9][0-9]{6,14})?",
    description="The number that drivers dial to be put through to a customer, who sees no other; empty: they write",
)
UPI_ID = Setting(
    key="deliveries.upi_id",
    default="",
    pattern=r"([A-Za-z0-9._-]{2,64}@[A-Za-z][A-Za-z0-9.-]{1,63})?",
    description="The UPI address that customers pay to at the door, by a code on the driver's phone; empty: none",
)

ARRIVAL_RADIUS_M = Setting(
    key="deliveries.arrival_radius_m",
    default=80,
    minimum=20,
    maximum=1_000,
    description="How near a door a van stands when it has arrived there by its positions",
)
SILENT_AFTER_MINUTES = Setting(
    key="deliveries.silent_after_minutes",
    default=10,
    minimum=2,
    maximum=240,
    description="After how many minutes without a word from a phone under way its dispatchers are told",
)
TRACKING_LINK_HOURS = Setting(
    key="deliveries.tracking_link_hours",
    default=48,
    minimum=1,
    maximum=720,
    description="How many hours after its delivery an order can still be seen by the address its customer was sent",
)

FLEET_REMIND_DAYS = Setting(
    key="fleet.remind_days",
    default=14,
    minimum=0,
    maximum=90,
    description="How many days before a vehicle's paper expires, or its maintenance is due, somebody is told",
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
    ORDER_SHORT_PICK,
    ORDER_PACK_TOLERANCE_PERCENT,
    ORDER_WAREHOUSE,
    EXPIRING_SOON_DAYS,
    RETURN_WITHIN_DAYS,
    RETURN_OUTSIDE_MINUTES,
    STOCK_TAKE_VARIANCE_PERCENT,
    OTP_REQUIRED,
    OTP_MINUTES,
    RELAY_NUMBER,
    UPI_ID,
    CONTACT_MESSAGE_DAYS,
    FLEET_REMIND_DAYS,
    ARRIVAL_RADIUS_M,
    SILENT_AFTER_MINUTES,
    TRACKING_LINK_HOURS,
)
SETTINGS: Mapping[str, AnySetting] = {setting.key: setting for setting in _ALL}
