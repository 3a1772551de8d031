"""What a provider says about somebody, whatever its protocol."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Assertion:
    """Somebody, as their provider knows them."""

    #: never given to anybody else there
    subject: str
    #: in small letters; empty when the provider does not vouch for it
    email: str
    #: how they call themselves there; may be taken or no user name here
    username: str
    full_name: str
    #: values of the role claim, or canonical names of groups
    groups: frozenset[str]
    #: the provider says that it asked for a second factor
    second_factor: bool = False
