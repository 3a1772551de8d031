"""What becomes superfluous in the store once the rows are gone."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ObjectsUnneeded:
    """No row speaks of these objects any more.

    Their keys are never given again, so that taking them away twice, or late, takes nothing else.
    """

    keys: list[str]
    #: everything under these
    prefixes: list[str]
