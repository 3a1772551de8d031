"""What the app says, in the reader's language: it gets all of it with its page, for without signal it cannot ask."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path


@cache
def texts(language: str) -> Mapping[str, str]:
    """English -> the language, of this room alone: other rooms may mean another thing by the same word."""
    file = Path(__file__).with_name(f"{language}.json")
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
