"""What can go wrong when people sign in."""

from cloud_api.kernel.errors import AlreadyExists, Forbidden, Invalid, Unauthenticated


class WrongCredentials(Unauthenticated):
    """One answer for every reason: unknown, wrong password, not active."""

    code = "WRONG_CREDENTIALS"

    def __init__(self) -> None:
        super().__init__("user name, e-mail or password is wrong")


class SessionEnded(Unauthenticated):
    """The sign-in is over: expired, signed out, or its refresh token was used before."""

    code = "SESSION_ENDED"

    def __init__(self) -> None:
        super().__init__("this sign-in has ended: sign in again")


class NameTaken(AlreadyExists):
    """User names, e-mail addresses and an organisation's short name are unique everywhere."""

    code = "NAME_TAKEN"


class WeakPassword(Invalid):
    """Eight characters or more, of four classes."""

    code = "WEAK_PASSWORD"

    def __init__(self) -> None:
        super().__init__(
            "a password needs at least 8 characters: a small letter, a capital, a digit and another sign",
            field="password",
        )


class RoleTooMighty(Forbidden):
    """Nobody gives what they have not."""

    code = "ROLE_TOO_MIGHTY"
