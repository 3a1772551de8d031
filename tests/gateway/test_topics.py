"""Filters: which topics they mean, and which filters lie within them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.sources import topics

_words = st.sampled_from(("a", "b", "", "$x"))
_topics = st.lists(_words, min_size=1, max_size=4).map("/".join).filter(bool)


@st.composite
def _filters(draw: st.DrawFn) -> str:
    told = draw(st.lists(st.one_of(_words, st.just("+")), max_size=4))
    if draw(st.booleans()) or not told:
        told.append("#")
    return "/".join(told) or "a"


def covers(wide: str, narrow: str) -> bool:
    return topics.covers(topics.levels(wide), topics.levels(narrow))


@pytest.mark.parametrize(
    ("topic_filter", "topic", "meant"),
    [
        ("sport/tennis/#", "sport/tennis", True),
        ("sport/tennis/#", "sport/tennis/player1/ranking", True),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("#", "$SYS/broker", False),
        ("+/broker", "$SYS/broker", False),
        ("$SYS/#", "$SYS/broker", True),
        ("a", "b", False),
        ("a/b", "a", False),
    ],
)
def test_a_filter_means_what_the_standard_says(topic_filter: str, topic: str, meant: bool) -> None:
    assert covers(topic_filter, topic) is meant


@settings(deadline=None)
@given(_filters(), _filters(), _topics)
def test_what_lies_within_a_filter_means_nothing_beyond_it(wide: str, narrow: str, topic: str) -> None:
    if covers(wide, narrow) and covers(narrow, topic):
        assert covers(wide, topic)


@settings(deadline=None)
@given(_filters())
def test_a_filter_covers_itself(told: str) -> None:
    assert covers(told, told)
    assert topics.is_filter(told)


@pytest.mark.parametrize("told", ["", "a#", "a/#/b", "#/a", "+a", "a+/b", "a\0", "/".join("a" * 65)])
def test_what_is_no_filter(told: str) -> None:
    assert not topics.is_filter(told)
    assert not topics.is_topic(told)


def test_what_is_no_topic() -> None:
    assert topics.is_topic("a/b/$c")
    assert not any(topics.is_topic(told) for told in ("a/+", "#", "x" * 70_000))
