"""Text from a file, and how to say what is wrong with it."""

from pathlib import Path

#: bytes: ten times the largest public instance
LARGEST_FILE = 512 * 1024 * 1024
#: characters of a file that an error repeats
LONGEST_WORDS = 300


class FormatError(ValueError):
    """A file that cannot be read: where, what is wrong, what to do; one sentence."""

    def __init__(self, path: Path, place: int | str | None, wrong: str, remedy: str) -> None:
        """Of `path`, at a line or in a field such as `stops[3].windows`, or of the file as a whole."""
        where = f"line {place}" if isinstance(place, int) else place
        wrong = wrong if len(wrong) <= LONGEST_WORDS else f"{wrong[:LONGEST_WORDS]} ..."
        super().__init__(f"{path.name}{f', {where}' if where else ''}: {wrong}; {remedy}")


def text_of(path: Path) -> str:
    """A file's text.

    Raises:
        FormatError: when it is no text, or cannot be read.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise FormatError(path, None, "is larger than half a gigabyte", "give a smaller instance")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(path, None, f"is no text ({error.reason})", "give an instance as text") from None
    except OSError as error:
        raise FormatError(path, None, f"cannot be read ({error.strerror})", "check the path") from None
    if "\0" in text:
        raise FormatError(path, None, "is no text (it has zero bytes)", "give an instance as text")
    return text
