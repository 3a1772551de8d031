"""Nothing secret in the logs: fields are masked by their names, and what looks like a credential in any text.

A net below the rule that nothing secret is logged: what libraries write, a server's line with a token in a query, an
exception that repeats what it was given, passes here too.
"""

import re
from collections.abc import Mapping

from structlog.typing import EventDict, WrappedLogger

MASK = "***"

#: any part of such a name makes the field a secret one
_SECRET = re.compile(
    r"passw(or)?d|passphrase|secret|token|authorization|api_?key|credential|cookie|private_?key|signature|"
    r"encryption_?key|audit_?key",
    re.IGNORECASE,
)
#: secret as a whole name only: `status_code` is none
_CODE = re.compile(
    r"(claim_|backup_|recovery_|sms_|reset_|verification_|auth_|authorization_|one_time_)?codes?|otp|totp|pin|seed",
    re.IGNORECASE,
)
#: told about secrets, not secret themselves
_HARMLESS = re.compile(r"token_type|\w*_(id|ids|at|in_s|sha256|count)", re.IGNORECASE)

_END = r"[^\s&\"'\\,;<>)}\]]+"
_TEXTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"\b(Bearer|Basic)\s+{_END}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(rf"\b(\w*(?:token|secret|password|api_?key))=(?!=){_END}", re.IGNORECASE), rf"\1={MASK}"),
    # as Python or JSON writes a mapping, its quotes escaped when it stands in a text itself
    (
        re.compile(r"(\\?[\"']\w*(?:token|secret|password|api_?key)\\?[\"']\s*:\s*\\?[\"'])[^\"'\\]+", re.IGNORECASE),
        rf"\1{MASK}",
    ),
    # short names mean something else outside a query
    (re.compile(rf"([?&](?:code|state|otp|signature|client_assertion)=){_END}", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"(://[^\s/:@\"']*):[^\s/@\"']+@"), rf"\1:{MASK}@"),
    # a token of ours or of anybody else's: three parts of base64, the first a JSON object
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), MASK),
    (re.compile(r"\bgateway\.[0-9a-f-]{32,36}\.[\w-]+"), MASK),
    (re.compile(r"\bcf[a-z]?_[0-9a-f]{16}_[0-9a-f]{64}\b"), MASK),
)


def is_secret(name: str) -> bool:
    """Whether a field of this name holds what nobody may read in a log."""
    return bool(_SECRET.search(name) or _CODE.fullmatch(name)) and not _HARMLESS.fullmatch(name)


def mask_text(text: str) -> str:
    """The text without what looks like a credential in it."""
    for pattern, replacement in _TEXTS:
        text = pattern.sub(replacement, text)
    return text


def mask_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: values of fields with secret names become `***`, in nested ones too."""
    for name, value in event.items():
        event[name] = MASK if is_secret(name) and value else _masked(value)
    return event


def mask_line(_logger: WrappedLogger, _method: str, rendered: EventDict) -> str:
    """A structlog processor behind the renderer, where the event is the finished line, tracebacks included."""
    return mask_text(str(rendered))


def _masked(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: MASK if is_secret(str(key)) and inner else _masked(inner) for key, inner in value.items()}
    if isinstance(value, list):  # and no tuple, which is how Python carries an exception
        return [_masked(inner) for inner in value]
    return value
