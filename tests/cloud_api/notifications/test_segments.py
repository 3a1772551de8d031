"""What an SMS costs: counted as phones join its parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.notifications.segments import cut, plain, segments


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        # two septets stay together: one of the first part's 153 is left empty
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("क" * 70, 1),
        ("क" * 71, 2),
        ("क" * 134, 2),
        ("क" * 135, 3),
        ("😀" * 35, 1),
        # the same in units of 16 bits: 33 of them in 67
        ("😀" * 66, 2),
        ("😀" * 67, 3),
        ("ordinary — but for one sign " + "a" * 50, 2),
    ],
)
def test_a_message_takes_as_many_parts_as_phones_need(text: str, parts: int) -> None:
    assert segments(text) == parts


def test_signs_that_cost_more_than_they_say_are_written_plainly() -> None:
    text = "It’s “warm” – 8 °C… ₹425"
    assert plain(text) == 'It\'s "warm" - 8 C... Rs 425'
    assert (segments(text * 4), segments(plain(text) * 4)) == (2, 1)


@given(st.text(max_size=500), st.integers(1, 3))
def test_what_is_cut_has_no_more_than_its_parts_and_begins_as_before(text: str, most: int) -> None:
    short = cut(text, most=most)
    assert segments(short) <= most
    assert short == text or (short.endswith("...") and text.startswith(short[:-3]))


@given(st.text(max_size=200), st.characters())
def test_a_longer_message_never_takes_less(text: str, letter: str) -> None:
    assert segments(text + letter) >= segments(text)
