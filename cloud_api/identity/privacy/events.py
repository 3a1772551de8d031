"""What this room lets itself know."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class PersonalDataWanted:
    """A copy of somebody's data has to be put together."""

    export_id: uuid.UUID
