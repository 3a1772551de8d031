"""What the console says, in the reader's language: English stands in the pages, other languages beside them.

Every room of the console has a `hi.json`, from the English text to the Hindi one. What has no translation is shown in
English; a test says which.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
LANGUAGES: Mapping[str, str] = {"en": "English", "hi": "हिन्दी"}


def language_of(locale: str) -> str:
    """The language of a locale such as `hi-IN`; English where there is no other."""
    said = locale.replace("_", "-").partition("-")[0].lower()
    return said if said in LANGUAGES else "en"


def preferred(header: str) -> str:
    """The first language of ours in an `Accept-Language` header; a browser sends them in order."""
    wanted = (part.partition(";")[0].strip() for part in header.split(","))
    return next((language_of(one) for one in wanted if one.partition("-")[0].lower() in LANGUAGES), "en")


@cache
def texts_in(language: str) -> Mapping[str, str]:
    """English -> the language, of all rooms."""
    said: dict[str, str] = {}
    for file in sorted(FOLDER.glob(f"*/{language}.json")):
        said |= json.loads(file.read_text(encoding="utf-8"))
    return said


def speaker(language: str) -> Callable[..., str]:
    """`_("{count} rooms", count=3)`: the text in that language, with its places filled."""
    known = texts_in(language)

    def say(text: str, **places: object) -> str:
        return known.get(text, text).format(**places) if places else known.get(text, text)

    return say
