"""What can go wrong where others say who somebody is."""

from cloud_api.kernel.errors import Conflict, Unauthenticated, Unavailable


class ProviderUnavailable(Unavailable):
    """The provider or directory does not answer, or answers what nobody can use. Nothing has happened: try again."""

    code = "PROVIDER_UNAVAILABLE"

    def __init__(self, reason: str) -> None:
        super().__init__("your organisation's sign-in service does not answer: try again soon", retry_after_s=10)
        #: for logs and administrators
        self.reason = reason


class SignInRefused(Unauthenticated):
    """Whoever comes back from a provider is not let in. What was under way is over: begin again."""

    code = "SIGN_IN_REFUSED"
    keeps_work = True

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        #: for the security events; the caller hears less
        self.reason = reason


class StateRefused(SignInRefused):
    """No such sign-in is under way in this browser."""

    def __init__(self) -> None:
        super().__init__("this sign-in was used, took too long, or began in another browser: begin again")


class AnswerRefused(SignInRefused):
    """What the provider answered does not prove who somebody is."""

    def __init__(self, reason: str) -> None:
        super().__init__("the answer of your sign-in service could not be verified: begin again", reason=reason)


class NoAccount(SignInRefused):
    """Known to the provider, not to us: unknown, suspended, or of an address that is not allowed."""

    def __init__(self, reason: str) -> None:
        super().__init__("you have no account here: ask your administrator for one", reason=reason)


class NobodyCameThrough(Conflict):
    """Single sign-on would lock everybody out."""

    code = "NOBODY_CAME_THROUGH"

    def __init__(self) -> None:
        super().__init__(
            "single sign-on needs an active provider that an administrator has signed in through: try it out first"
        )
