"""Cells: a date never moves a day, and what can be read in two ways is refused."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_api.exchange.values import (
    NumberFormat,
    Reading,
    Unclear,
    as_date,
    as_decimal,
    as_text,
    as_truth,
    as_whole,
)

DAYS = st.dates(date(1970, 1, 1), date(2199, 12, 31))
PLAIN = Reading()


@given(DAYS, st.times(), st.sampled_from(["", "Z", "+05:30", "-11:00", "+1400"]))
def test_a_day_stays_the_day_that_was_written_whatever_the_zone(day: date, time: object, zone: str) -> None:
    for text in (day.isoformat(), f"{day}T{time:%H:%M}{zone}", f"{day} {time:%H:%M:%S}{zone}"):
        assert as_date(text, PLAIN) == day
    assert as_date(day, PLAIN) == day
    assert as_date(datetime.combine(day, datetime.min.time()), PLAIN) == day


@given(DAYS, st.sampled_from("./- "))
def test_a_day_in_an_order_that_was_said_is_that_day(day: date, between: str) -> None:
    for order, parts in (("dmy", "%d %m %Y"), ("mdy", "%m %d %Y"), ("ymd", "%Y %m %d")):
        text = f"{day:{parts}}".replace(" ", between)
        assert as_date(text, Reading(dates=order)) == day  # type: ignore[arg-type]
        if not (order == "ymd" and between == "-"):
            with pytest.raises(Unclear, match="date_format=dmy"):
                as_date(text, PLAIN)


@given(DAYS)
def test_the_number_of_a_day_is_that_day_in_either_system_of_spreadsheets(day: date) -> None:
    assert as_date((day - date(1899, 12, 30)).days, Reading(day_system=1900)) == day
    assert as_date((day - date(1904, 1, 1)).days, Reading(day_system=1904)) == day
    assert as_date(Decimal((day - date(1899, 12, 30)).days) + Decimal("0.99"), Reading(day_system=1900)) == day
    with pytest.raises(Unclear):
        as_date((day - date(1899, 12, 30)).days, PLAIN)


@pytest.mark.parametrize(
    "cell",
    [
        "03/04/2026",
        "3/4/26",
        "31.12.26",
        "2026-02-30",
        "2026/13",
        "tomorrow",
        "20260131",
        True,
        46000,
        "٠٣/٠٤/٢٠٢٦",
        "0001-01-01",
    ],
)
def test_what_may_be_two_days_or_none_is_refused(cell: object) -> None:
    with pytest.raises(Unclear):
        as_date(cell, PLAIN)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["12/31/2026", "2026/12/31", "31/12/26", "31/12/2026/1"])
def test_what_is_not_written_as_was_said_is_refused(text: str) -> None:
    with pytest.raises(Unclear):
        as_date(text, Reading(dates="dmy"))


@pytest.mark.parametrize(
    ("text", "numbers", "value"),
    [
        ("1,00,000.50", "indian", "100000.50"),
        ("12,34,56,789", "indian", "123456789"),
        ("100,000.50", "western", "100000.50"),
        ("100.000,50", "european", "100000.50"),
        ("-1234.5", "plain", "-1234.5"),
        ("1,000", "indian", "1000"),
    ],
)
def test_grouped_numbers_are_read_when_it_is_said_how(text: str, numbers: NumberFormat, value: str) -> None:
    assert as_decimal(text, Reading(numbers=numbers)) == Decimal(value)
    if numbers != "plain":
        with pytest.raises(Unclear):
            as_decimal(text.replace("-", ""), PLAIN)


@pytest.mark.parametrize("text", ["1,00", "1,0000", ",5", "1e5", "NaN", "Infinity", "0x10", "1 000", "--1", "", "१२"])
def test_what_is_no_number_is_refused(text: str) -> None:
    for numbers in ("plain", "western", "indian"):
        with pytest.raises(Unclear):
            as_decimal(text, Reading(numbers=numbers))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_a_plain_number_is_exact(number: Decimal) -> None:
    assert as_decimal(f"{number:f}", PLAIN) == number
    assert as_decimal(number, PLAIN) == number
    assert Decimal(as_text(number)) == number


def test_codes_that_a_sheet_took_for_numbers_are_whole_again() -> None:
    assert as_text(Decimal("8901234567894")) == "8901234567894"
    assert as_text(Decimal("100")) == "100"
    assert as_text(Decimal("1E+2")) == "100"


def test_yes_no_and_whole_numbers() -> None:
    assert (as_truth("Yes"), as_truth(False), as_truth("0")) == (True, False, False)
    assert as_whole("7.0", PLAIN) == 7
    for wrong in ("maybe", "7.5"):
        with pytest.raises(Unclear):
            as_truth(wrong)
    with pytest.raises(Unclear):
        as_whole("7.5", PLAIN)


def test_the_day_that_never_was_is_refused() -> None:
    with pytest.raises(Unclear):
        as_date(60, Reading(day_system=1900))
    assert as_date(61 + 25_568 - 60, Reading(day_system=1900)) == date(1970, 1, 1)
