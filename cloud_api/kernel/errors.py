"""Expected failures. Each names a stable code, an HTTP status, and where it can the field and the remedy.

Subclass `AppError` beside the rule that raises it; one handler in `http` renders them all.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Detail:
    """What is wrong with one field."""

    field: str
    message: str


class AppError(Exception):
    """Base of every failure a caller can do something about."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "BAD_REQUEST"
    #: the unit of work is committed all the same: a refused sign-in has been counted
    keeps_work: ClassVar[bool] = False

    def __init__(self, message: str, *, field: str | None = None, details: list[Detail] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or ([Detail(field, message)] if field else [])

    @property
    def headers(self) -> dict[str, str]:
        """Extra response headers."""
        return {}


class NotFound(AppError):
    """Nothing there, or nothing this organisation may see: the answer is the same."""

    status, code = 404, "NOT_FOUND"


class Conflict(AppError):
    """The request is well-formed, but not possible in the present state."""

    status, code = 409, "CONFLICT"


class AlreadyExists(Conflict):
    """A unique name or number is taken."""

    code = "ALREADY_EXISTS"


class StaleVersion(Conflict):
    """Somebody else has changed it since."""

    code = "STALE_VERSION"

    def __init__(self, what: str, *, seen: int, current: int) -> None:
        super().__init__(
            f"{what} is version {current} now, and you have seen version {seen}: read it again, and send your change "
            f"with version {current}",
            field="version",
        )


class Invalid(AppError):
    """A value that no retry will make acceptable."""

    status, code = 422, "INVALID"


class Unauthenticated(AppError):
    """No credential, or none that is valid."""

    status, code = 401, "UNAUTHENTICATED"

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class Forbidden(AppError):
    """Signed in, but not allowed to do this."""

    status, code = 403, "FORBIDDEN"


class Unavailable(AppError):
    """Something we need does not answer; the same request may succeed later."""

    status, code = 503, "UNAVAILABLE"

    def __init__(self, message: str, *, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after_s)}
