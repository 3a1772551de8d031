"""Files, as they travel over HTTP."""

import uuid

from cloud_api.kernel.http import ResponseModel


class AvatarRead(ResponseModel):
    """A person's picture that was kept."""

    id: uuid.UUID
    mime: str
    size_bytes: int
    sha256: str
