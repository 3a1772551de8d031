"""How text becomes words, and how near a mistyped one is to the one that was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.search.words import MAX_WORD, guesses, is_meant, slips, squashed, variants, words

LETTERS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=20)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Baby-Spinach  500g", ["baby", "spinach", "500g"]),
        ("CRÈME fraîche", ["creme", "fraiche"]),
        ("ＬＯＴ－１２", ["lot", "12"]),
        ("पालक और टमाटर", ["पालक", "और", "टमाटर"]),
        ("Straße", ["strasse"]),
        ("a\0b\udc80*\"'", ["a", "b"]),
        ("", []),
    ],
)
def test_text_is_cut_into_words_of_any_script(text: str, cut: list[str]) -> None:
    assert words(text) == cut


def test_a_code_is_one_word_however_it_is_punctuated() -> None:
    assert squashed("LOT-2026/0042 b") == squashed("lot 2026 0042-B") == "lot20260042b"


@given(st.text())
def test_no_text_has_a_word_that_a_database_refuses(text: str) -> None:
    for word in words(text):
        assert 0 < len(word) <= MAX_WORD
        assert not any(character.isspace() or character in "\0\"'*%_-" for character in word)
        assert words(word) == [word]
        word.encode()


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        ("tomatoe", "tomato", 1),
        ("spinch", "spinach", 1),
        ("capiscum", "capsicum", 1),
        ("kale", "leek", 4),
        ("", "a", 1),
    ],
)
def test_slips_are_counted(one: str, other: str, count: int) -> None:
    assert slips(one, other) == slips(other, one) == count


@given(LETTERS, st.data())
def test_a_word_with_one_slip_is_recognised(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    mistyped = data.draw(
        st.sampled_from(
            [
                word[:place] + word[place + 1 :],
                word[:place] + letter + word[place:],
                word[:place] + letter + word[place + 1 :],
                word[:place] + word[place : place + 2][::-1] + word[place + 2 :],
            ]
        )
    )
    assert slips(mistyped, word) <= 1
    if len(mistyped) >= 4:
        assert guesses(mistyped) & variants(word)
        assert is_meant(mistyped, word)


@given(LETTERS, st.data())
def test_a_part_of_a_word_is_recognised(word: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(word) - 3))
    part = data.draw(st.integers(start + 3, len(word)).map(lambda end: word[start:end]))
    assert is_meant(part, word)
    assert any(variant.startswith(part) for variant in variants(word))
