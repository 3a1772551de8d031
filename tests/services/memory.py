"""Where files of tests lie that nobody will ask for again: in memory, where the machine has enough of it.

What tests say of power cuts and full disks is said with disks of their own; here only waiting is saved.
"""

import os
import shutil
from pathlib import Path

_SHARED = Path("/dev/shm")  # noqa: S108 - Linux's
_ENOUGH_BYTES = 4_000_000_000


def quick_folder() -> str | None:
    """A folder for temporary files, to be given to `tempfile`; None: wherever that puts them."""
    if not os.access(_SHARED, os.W_OK) or shutil.disk_usage(_SHARED).free < _ENOUGH_BYTES:
        return None
    return str(_SHARED)
