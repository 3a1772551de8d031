"""What identity lets the rooms above know."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

MailKind = Literal["verify_email", "reset_password", "invitation", "password_changed", "account_locked"]


@dataclass(frozen=True)
class MailDue:
    """Somebody has to be written to."""

    kind: MailKind
    to: str
    #: the reader's name; empty when nobody knows it yet
    name: str
    #: the organisation's name
    organization: str
    #: a one-time token, sealed by the vault; empty where the mail carries none
    sealed_token: str = ""
    #: until when the token works
    expires_at: datetime | None = None
    #: the reader's, BCP 47; where we have no words in it, English is written
    locale: str = "en"


@dataclass(frozen=True)
class SmsCodeDue:
    """Somebody who signs in waits for a code on their phone."""

    #: E.164
    to: str
    #: six digits, sealed by the vault
    sealed_code: str
    expires_at: datetime
