"""What can go wrong with files."""

from cloud_api.kernel.errors import AppError, Conflict, Invalid


class BrokenUpload(Invalid):
    """The bytes are not what the sender says they are."""

    code = "BROKEN_UPLOAD"


class FileRefused(Invalid):
    """A kind of file that is not kept here, or bytes that are not of the kind that was declared."""

    code = "FILE_REFUSED"


class FileTooLarge(AppError):
    """More bytes than a file, or a part of one, may have."""

    status, code = 413, "FILE_TOO_LARGE"


class NoPicture(Invalid):
    """Only pictures have other sizes and formats, and only those that can be read."""

    code = "NO_PICTURE"


class StillAttached(Conflict):
    """A file that something shows."""

    code = "STILL_ATTACHED"


class UploadEnded(Conflict):
    """The upload is complete: no part of it can be sent any more."""

    code = "UPLOAD_ENDED"


class PartsMissing(Conflict):
    """Not all parts have arrived."""

    code = "PARTS_MISSING"


class RangeUnsatisfiable(AppError):
    """Bytes were asked for that the file does not have."""

    status, code = 416, "RANGE_NOT_SATISFIABLE"

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"the file has {size_bytes} bytes: ask for some of them", field="Range")
        self.size_bytes = size_bytes

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Range": f"bytes */{self.size_bytes}"}
