"""What the search tells others."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReindexRequested:
    """An organisation's index is to be built again."""
