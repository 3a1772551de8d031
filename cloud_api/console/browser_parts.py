"""The browser's part of the console: scripts, styles and icons, built by `make install` into `static/`.

Each file has the hash of its content in its name, and so may be kept for ever; `manifest.json` says which is which.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse, Response

from cloud_api.kernel.errors import NotFound

STATIC = Path(__file__).parent / "static"
_FOR_EVER = "public, max-age=31536000, immutable"
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}


class NotBuilt(Exception):
    """The browser's part is not there."""

    def __str__(self) -> str:
        return "the console's scripts and styles have not been built: run `make install` in the project's folder"


@cache
def manifest() -> Mapping[str, str]:
    """Name as it stands in a page -> name of the file.

    Raises:
        NotBuilt: when there is none.
    """
    try:
        said: dict[str, str] = json.loads((STATIC / "manifest.json").read_text())
    except FileNotFoundError:
        raise NotBuilt from None
    return said


def address_of(name: str) -> str:
    """Where a browser finds `console.js`.

    Raises:
        NotBuilt: when it is not there.
    """
    file = manifest().get(name)
    if file is None:
        raise NotBuilt
    return f"/console/static/{file}"


def static_file(request: Request, name: str) -> Response:
    """A built file, compressed where the browser takes that.

    Raises:
        NotFound: when there is no such file.
    """
    if name not in manifest().values():
        raise NotFound(f"there is no file {name}")
    path, headers = STATIC / name, {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
    packed = path.with_name(f"{name}.gz")
    if "gzip" in request.headers.get("accept-encoding", "") and packed.exists():
        path, headers = packed, {**headers, "Content-Encoding": "gzip"}
    return FileResponse(path, media_type=_TYPES.get(Path(name).suffix, "application/octet-stream"), headers=headers)
