"""What a zip says of itself, before anything of it is unpacked."""

import zipfile
from pathlib import Path


def parts_of(path: Path) -> list[zipfile.ZipInfo] | None:
    """The parts of a zip, as its table of contents has them; None: these bytes are none that can be read."""
    try:
        with zipfile.ZipFile(path) as whole:
            return whole.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
