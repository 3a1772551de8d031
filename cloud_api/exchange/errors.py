"""What can be wrong with a file, as a whole; what is wrong with a row stands in its run."""

from cloud_api.kernel.errors import AppError, Conflict, Invalid


class UnreadableFile(Invalid):
    """Bytes that are no table of the kind that was declared."""

    code = "UNREADABLE_FILE"


class TooMuch(AppError):
    """More bytes, rows or columns than are taken at once."""

    status, code = 413, "FILE_TOO_LARGE"


class WrongColumns(Invalid):
    """Columns that are missing, there twice, or named in the mapping and not in the file."""

    code = "WRONG_COLUMNS"


class RowsRefused(Invalid):
    """Rows that cannot be done, and all of them were to be done or none."""

    code = "ROWS_REFUSED"


class NotReady(Conflict):
    """The file of an export that is not written yet, or never will be."""

    code = "NOT_READY"
