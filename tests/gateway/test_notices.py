"""What the operator is told, and how often."""

import logging

import pytest

from gateway.sources.notices import Notices


def test_trouble_is_counted_always_and_logged_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    notices = Notices("listener")
    assert notices.told() == []
    for number in range(100):
        notices.note("clients were cut off", f"client {number}")
    notices.note("passwords were wrong", "user 'room'", count=3)
    assert notices.told() == [
        "clients were cut off: 100 times, last client 99",
        "passwords were wrong: 3 times, last user 'room'",
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "listener: clients were cut off: client 0 (1 times since the start)",
        "listener: passwords were wrong: user 'room' (3 times since the start)",
    ]


def test_what_strangers_make_up_stays_on_one_short_line() -> None:
    notices = Notices("listener")
    notices.note("topics were refused", "a\n2026-01-01 E forged\x1b[31m")
    notices.note("clients were refused", "x" * 60_000)
    first, second = notices.told()
    assert first.endswith(r"last 'a\n2026-01-01 E forged\x1b[31m'")
    assert len(second) < 300
