"""Element strings: what was written is read, what a scanner swallowed is never guessed."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from biip.checksums import gs1_standard_check_digit
from biip.gs1_messages import GS1Message
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_api.catalog.errors import MalformedScan, SeparatorMissing
from cloud_api.catalog.gs1 import CARRIERS, GS, Element, day_of, read, write
from cloud_api.kernel import clock

GTIN = "09501101530003"
#: what a lot number may consist of: the 82 characters of GS1
CHARACTERS = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


def said(scan: str, **options: bool) -> dict[str, str]:
    return {element.ai: element.value for element in read(scan, **options).elements}


def checked(digits: str) -> str:
    return digits + str(gs1_standard_check_digit(digits))


def test_one_scan_says_goods_lot_days_weight_count_and_serial() -> None:
    reading = read(f"]C101{GTIN}17271130310300125030{'7'}{GS}10AB-1{GS}21S7{GS}1126010115271100")
    assert reading.gtin == GTIN
    assert (reading.value("10"), reading.value("21"), reading.count) == ("AB-1", "S7", 7)
    assert (reading.day("17"), reading.day("11"), reading.day("15")) == (
        date(2027, 11, 30),
        date(2026, 1, 1),
        date(2027, 11, 30),
    )
    assert reading.net_weight_g == Decimal(1250)


def test_a_logistic_unit_says_what_it_holds() -> None:
    sscc = checked("10950110153000123")[:18]
    reading = read(f"00{sscc}02{GTIN}3748{GS}10LOT-9")
    assert (reading.value("00"), reading.gtin, reading.count, reading.value("10")) == (sscc, GTIN, 48, "LOT-9")


@pytest.mark.parametrize(("ai", "grams"), [("3100", 1250000), ("3101", 125000), ("3103", 1250), ("3105", "12.5")])
def test_the_identifier_says_where_the_decimal_point_stands(ai: str, grams: str | int) -> None:
    assert read(f"01{GTIN}{ai}001250").net_weight_g == Decimal(grams)


@pytest.mark.parametrize("prefix", ["", *CARRIERS])
@pytest.mark.parametrize("ends", [("", ""), (GS, ""), ("", GS), ("", "\r\n"), (GS, GS + "\t")])
def test_what_scanners_put_before_and_behind_is_taken_off(prefix: str, ends: tuple[str, str]) -> None:
    assert said(f"{prefix}{ends[0]}01{GTIN}17271130{ends[1]}") == {"01": GTIN, "17": "271130"}


@pytest.mark.parametrize(
    "scan",
    [
        f"01{GTIN}10AB17271130",  # lot, then expiry
        f"01{GTIN}10LOT12321SERIAL",  # lot, then serial: both of any length
        f"01{GTIN}3048" + "10AB",  # count, then lot
        f"10AB01{GTIN}",
        f"01{GTIN}10AB2100099ZZ",
        f"]C101{GTIN}10AB17271130",  # a prefix is no proof: keyboards swallow the separator alone
        f"01{GTIN}21" + "0123456789012345678" + "1727113010LOT",  # longer than any serial number
    ],
)
def test_a_scan_without_fnc1_is_refused_where_more_may_follow(scan: str) -> None:
    with pytest.raises(SeparatorMissing) as refused:
        read(scan)
    assert "set the scanner to send FNC1" in refused.value.message


def test_a_scan_without_fnc1_is_read_where_nothing_else_can_be_meant() -> None:
    assert said(f"01{GTIN}1727113010AB-123") == {"01": GTIN, "17": "271130", "10": "AB-123"}
    assert said(f"01{GTIN}10LOT-1") == {"01": GTIN, "10": "LOT-1"}
    # another lot number may stand there once only
    assert said(f"01{GTIN}10AB10-1") == {"01": GTIN, "10": "AB10-1"}


def test_a_scanner_that_is_known_to_send_fnc1_is_believed() -> None:
    assert said(f"01{GTIN}10L2107A", fnc1=True) == {"01": GTIN, "10": "L2107A"}
    assert said(f"01{GTIN}10L2107A{GS}") == {"01": GTIN, "10": "L2107A"}
    assert said(f"{GS}01{GTIN}10L2107A") == {"01": GTIN, "10": "L2107A"}
    with pytest.raises(SeparatorMissing):
        read(f"01{GTIN}10L2107A")


@pytest.mark.parametrize(
    ("scan", "complaint"),
    [
        ("", "empty"),
        ("]C1", "empty"),
        ("hello", "no application identifier"),
        ("0109501101530004", "check digit"),
        ("01095011015", "format is N14"),
        (f"01{GTIN}17271331", "no such day"),
        (f"01{GTIN}17270230", "no such day"),
        (f"01{GTIN}17000000", "no such day"),
        (f"01{GTIN}10", "format is X..20"),
        (f"01{GTIN}10{'A' * 21}", "format is X..20"),
        (f"01{GTIN}10AB{GS}10AC", "twice"),
        (f"01{GTIN}30A{GS}", "format is N..8"),
        (f"01{GTIN}10AB\x01", "characters"),
        (f"01{GTIN}10प्याज", "characters"),
        (f"01{GTIN}3106001250", "no application identifier"),
        ("01" + GTIN + "A" * 1000, "no bar code holds more"),
    ],
)
def test_a_malformed_scan_is_named(scan: str, complaint: str) -> None:
    with pytest.raises(MalformedScan) as refused:
        read(scan)
    assert re.search(complaint, refused.value.message), refused.value.message
    assert [detail.field for detail in refused.value.details] == ["code"]


def test_day_00_is_the_last_of_its_month() -> None:
    assert day_of("280200") == date(2028, 2, 29)
    assert day_of("270200") == date(2027, 2, 28)
    assert day_of("261200") == date(2026, 12, 31)


@pytest.mark.parametrize(
    ("year", "written", "meant"),
    [(2026, "76", 2076), (2026, "77", 1977), (2026, "99", 1999), (2060, "10", 2110), (2060, "11", 2011)],
)
def test_two_digits_of_a_year_mean_the_nearest_century(year: int, written: str, meant: int) -> None:
    clock.use(lambda: datetime(year, 6, 1, tzinfo=UTC))
    assert day_of(f"{written}0115") == date(meant, 1, 15)


texts = st.text(CHARACTERS, min_size=1, max_size=20)
days = st.dates(date(2000, 1, 1), date(2049, 12, 31)).map(lambda day: day.strftime("%y%m%d"))
elements = st.lists(
    st.one_of(
        st.builds(Element, st.just("01"), st.text("0123456789", min_size=13, max_size=13).map(checked)),
        st.builds(Element, st.just("00"), st.text("0123456789", min_size=17, max_size=17).map(checked)),
        st.builds(Element, st.sampled_from(["11", "15", "17"]), days),
        st.builds(Element, st.sampled_from(["3102", "3103"]), st.text("0123456789", min_size=6, max_size=6)),
        st.builds(Element, st.sampled_from(["10", "21", "240", "99"]), texts),
        st.builds(Element, st.sampled_from(["30", "37"]), st.text("0123456789", min_size=1, max_size=8)),
        st.builds(Element, st.just("422"), st.text("0123456789", min_size=3, max_size=3)),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda element: element.ai,
)


@given(elements, st.sampled_from(["", *CARRIERS]))
@settings(deadline=None)
def test_what_was_written_is_read(written: list[Element], prefix: str) -> None:
    scan = write(written)
    assert list(read(prefix + scan, fnc1=True).elements) == written
    # biip reads our strings as we do
    theirs = GS1Message.parse(scan).element_strings
    assert [(one.ai.ai, one.value) for one in theirs] == [(one.ai, one.value) for one in written]


@given(elements)
@settings(deadline=None, max_examples=400)
def test_without_separators_a_scan_is_read_rightly_or_refused_but_never_guessed(written: list[Element]) -> None:
    swallowed = write(written).replace(GS, "")
    try:
        reading = read(swallowed)
    except (SeparatorMissing, MalformedScan):
        return
    assert list(reading.elements) == written


@given(st.text(max_size=60) | st.text("0123456789" + GS, max_size=60))
@settings(deadline=None)
def test_whatever_is_scanned_is_read_or_named(scan: str) -> None:
    try:
        reading = read(scan, fnc1=True)
    except (SeparatorMissing, MalformedScan):
        return
    assert read(write(reading.elements), fnc1=True) == reading


def test_a_long_run_of_identifiers_is_judged_at_once() -> None:
    with pytest.raises(SeparatorMissing):
        read("8200" + "10" * 34 + "1")


def test_what_no_bar_code_can_hold_is_not_written() -> None:
    for wrong in (Element("01", "09501101530004"), Element("10", "ä"), Element("1", "0"), Element("17", "270230")):
        with pytest.raises(MalformedScan):
            write([wrong])
