"""What can go wrong around people and their sign-ins."""

from cloud_api.kernel.errors import AlreadyExists, AppError, Conflict, Forbidden, Invalid, NotFound, Unauthenticated


class WrongCredentials(Unauthenticated):
    """One answer for every reason: unknown, wrong password, not active. The attempt has been counted."""

    code = "WRONG_CREDENTIALS"
    keeps_work = True

    def __init__(self) -> None:
        super().__init__("user name, e-mail or password is wrong")


class SignInLocked(AppError):
    """Too many attempts with this name, whether or not anybody has it."""

    status, code = 423, "SIGN_IN_LOCKED"
    keeps_work = True

    def __init__(self, *, retry_after_s: int) -> None:
        super().__init__("too many attempts with this name: wait, or reset the password")
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after_s)}


class WrongCode(Unauthenticated):
    """The second factor's code is wrong, was used before, or the challenge is over. The attempt has been counted."""

    code = "WRONG_CODE"
    keeps_work = True

    def __init__(self) -> None:
        super().__init__("this code is wrong or was used, or the sign-in took too long: try the next, or sign in again")


class PasswordNeeded(Forbidden):
    """What the second factor hangs on is changed by who knows the password, not by who holds a token."""

    code = "PASSWORD_NEEDED"

    def __init__(self) -> None:
        super().__init__("codes are sent to this number: send your present password along", field="current_password")


class SessionEnded(Unauthenticated):
    """The sign-in is over: expired, signed out, or one of its refresh tokens was used twice."""

    code = "SESSION_ENDED"
    keeps_work = True

    def __init__(self) -> None:
        super().__init__("this sign-in has ended: sign in again")


class TokenUsed(Invalid):
    """A token from a mail that is unknown, was used, or is too old."""

    code = "TOKEN_NOT_VALID"

    def __init__(self) -> None:
        super().__init__("this link was used before or is too old: ask for a new one", field="token")


class SingleSignOnOnly(Forbidden):
    """The organisation's people sign in through its own provider."""

    code = "SINGLE_SIGN_ON_ONLY"

    def __init__(self) -> None:
        super().__init__("your organisation signs in through its own provider: choose it instead of a password")


class CurrencyInUse(Conflict):
    """Sums of money stand in the organisation's currency: they would mean another amount."""

    code = "CURRENCY_IN_USE"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} has a sum in the present currency: the currency stays", field="currency")


class NameTaken(AlreadyExists):
    """User names, e-mail addresses and an organisation's short name are unique everywhere."""

    code = "NAME_TAKEN"


class WeakPassword(Invalid):
    """Not long enough, not of four classes, known, or one of the last five."""

    code = "WEAK_PASSWORD"

    def __init__(self, message: str) -> None:
        super().__init__(message, field="password")


class LastAdministrator(Conflict):
    """Somebody has to be left who can let people in."""

    code = "LAST_ADMINISTRATOR"


class RoleTooMighty(Forbidden):
    """Nobody gives what they have not."""

    code = "ROLE_TOO_MIGHTY"


class MightierPerson(Forbidden):
    """Nobody changes somebody who may do more than they."""

    code = "MIGHTIER_PERSON"


class UnknownPermission(Invalid):
    """The catalogue has no such permission, or not for this reach."""

    code = "UNKNOWN_PERMISSION"


class BuiltInRole(Conflict):
    """What built-in roles grant is the same everywhere."""

    code = "BUILT_IN_ROLE"


class RoleInUse(Conflict):
    """Somebody holds it."""

    code = "ROLE_IN_USE"


class Expired(NotFound):
    """It was there, for a while."""

    code = "EXPIRED"
