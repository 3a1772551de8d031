"""Whatever the console says, it says in every language of its own."""

import json
import re
from pathlib import Path

import pytest

from cloud_api.console import texts
from cloud_api.console.navigation import WINGS

_SAID = re.compile(r"""(?:(?<![\w.])_|\bsay)\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")
_TOASTED = re.compile(r"""said=(?:"((?:[^"\\]|\\.)*)")""")
_PLACES = re.compile(r"\{(\w+)\}")


def said_in(folder: Path) -> set[str]:
    """Every English text of the pages and toasts below a folder."""
    texts_said = set()
    for file in [*folder.rglob("*.html"), *folder.rglob("*.py")]:
        if "browser" in file.parts or "static" in file.parts:
            continue
        found = [*_SAID.finditer(file.read_text()), *_TOASTED.finditer(file.read_text())]
        texts_said |= {next(group for group in match.groups() if group is not None) for match in found}
    return {text.replace("\\'", "'").replace('\\"', '"') for text in texts_said}


@pytest.mark.parametrize("language", sorted(set(texts.LANGUAGES) - {"en"}))
def test_every_text_is_there_in_every_language(language: str) -> None:
    doors = {wing.title for wing in WINGS} | {door.title for wing in WINGS for door in wing.doors}
    missing = (said_in(texts.FOLDER) | doors) - texts.texts_in(language).keys()
    assert not missing, f"{len(missing)} without {language}: {sorted(missing)}"


@pytest.mark.parametrize("language", sorted(set(texts.LANGUAGES) - {"en"}))
def test_a_text_has_the_same_places_in_every_language_and_one_meaning(language: str) -> None:
    seen: dict[str, str] = {}
    for file in sorted(texts.FOLDER.glob(f"*/{language}.json")):
        for english, translated in json.loads(file.read_text(encoding="utf-8")).items():
            assert set(_PLACES.findall(english)) == set(_PLACES.findall(translated)), (file, english)
            assert seen.setdefault(english, translated) == translated, (file, english)


def test_a_reader_is_spoken_to_in_the_language_that_they_asked_for() -> None:
    assert texts.language_of("hi-IN") == texts.language_of("hi_IN") == "hi"
    assert texts.language_of("fr-FR") == "en"
    assert texts.preferred("fr-FR,hi;q=0.8,en;q=0.5") == "hi"
    assert texts.preferred("") == "en"
    assert texts.speaker("hi")("{count} d ago", count=3) == "3 दिन पहले"
