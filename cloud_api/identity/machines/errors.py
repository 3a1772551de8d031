"""What machines hear whose credential is not taken."""

from typing import ClassVar, Literal

from cloud_api.kernel.errors import AppError, Conflict, Forbidden, Invalid, Unauthenticated


class ApiKeyRefused(Unauthenticated):
    """Unknown, wrong, revoked, or too old."""

    code = "API_KEY_NOT_VALID"

    def __init__(self, message: str = "this API key is not valid") -> None:
        super().__init__(message)


class OutsideItsRanges(Forbidden):
    """The key is right, and may not be used from here."""

    code = "ADDRESS_NOT_ALLOWED"

    def __init__(self) -> None:
        super().__init__("this API key may not be used from your address")


class ClientRefused(Unauthenticated):
    """An access token whose client has been removed, or may no longer do what the token says."""

    code = "CLIENT_NOT_VALID"

    def __init__(self) -> None:
        super().__init__("this client was removed, or may do less than before: ask for another token")


class NotUsable(Conflict):
    """The key is revoked: what is revoked stays so."""

    code = "API_KEY_REVOKED"

    def __init__(self) -> None:
        super().__init__("this API key is revoked: create another one")


class UnknownScope(Invalid):
    """No permission of this name, nor a wildcard that stands for any."""

    code = "UNKNOWN_SCOPE"


GrantError = Literal["invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope"]


class GrantRefused(AppError):
    """No token for a client; answered in the words of RFC 6749, section 5.2."""

    _DESCRIPTIONS: ClassVar[dict[str, str]] = {
        "invalid_client": "unknown client, or not its secret",
        "unsupported_grant_type": "only client_credentials is possible here",
    }

    def __init__(self, error: GrantError, description: str = "") -> None:
        super().__init__(description or self._DESCRIPTIONS[error])
        self.error = error
        self.status = 401 if error == "invalid_client" else 400  # type: ignore[misc]  # one class, two statuses

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": 'Basic realm="coldfleet"'} if self.error == "invalid_client" else {}
