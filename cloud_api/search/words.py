"""Words: how what people write is cut into them, and how far a mistyped one is from the one that was meant."""

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import combinations

#: longer ones are cut
MAX_WORD = 64
#: of one entry, of one question
MAX_WORDS, MAX_ASKED = 200, 8
#: words of these lengths are learnt with their misspellings
_LEARNT = range(3, 25)
#: from this length on a word may be mistyped, from that length on twice
_ONE_SLIP, _TWO_SLIPS = 4, 7
#: the last character there is: `word + LAST` stands after everything that begins with `word`
LAST = "\U0010ffff"


def words(text: str) -> list[str]:
    """The words of a text, in its order: letters, marks and digits; without case and Latin accents."""
    kept = []
    for character in unicodedata.normalize("NFKD", text).casefold():
        if "\u0300" <= character <= "\u036f":
            continue
        kept.append(character if unicodedata.category(character)[0] in "LMN" else " ")
    return [word[:MAX_WORD] for word in unicodedata.normalize("NFC", "".join(kept)).split()]


def squashed(code: str) -> str:
    """A code as one word, whatever stands between its parts: `LOT-2026/7` is `lot20267`."""
    return "".join(words(code))[:MAX_WORD]


def learnt(all_words: Iterable[str]) -> set[str]:
    """Those of the words that are words of a language: their misspellings are recognised."""
    return {word for word in all_words if len(word) in _LEARNT and not any(map(str.isdigit, word))}


def variants(word: str) -> set[str]:
    """The word, all that is left of it when one letter is missing, and its ends of three letters and more."""
    return {word, *_without(word, 1), *(word[start:] for start in range(1, len(word) - 2))}


def guesses(asked: str) -> set[str]:
    """What `variants` of the meant word may contain, when `asked` is a misspelling of it."""
    if len(asked) not in _LEARNT or len(asked) < _ONE_SLIP:
        return {asked}
    twice = _without(asked, 2) if len(asked) >= _TWO_SLIPS else set()
    return {asked, *_without(asked, 1), *twice}


def is_meant(asked: str, word: str) -> bool:
    """Whether `asked` may stand for `word`: a part of it, or mistyped."""
    if asked in word:
        return True
    return slips(asked, word) <= (2 if len(asked) >= _TWO_SLIPS else 1 if len(asked) >= _ONE_SLIP else 0)


def slips(one: str, other: str) -> int:
    """Letters missing, too many, wrong or swapped with the next (Damerau-Levenshtein, each place touched once)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        before, above, row = row, before, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if above and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _without(word: str, count: int) -> Iterator[str]:
    for dropped in combinations(range(len(word)), count):
        yield "".join(letter for place, letter in enumerate(word) if place not in dropped)
