"""The report that people read: what stands in it, in words and in figures."""

import io
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import Any

import pypdf
import pytest

from cloud_api.cold_chain.evidence import report
from cloud_api.cold_chain.evidence.chart import svg
from cloud_api.cold_chain.evidence.figures import figures_of
from tests.cloud_api.cold_chain.evidence.cases import MINUTE_MS, make_case, without_readings
from tests.factories.batches import EIGHT_OCLOCK_MS


def text_of(document: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(document)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def test_it_says_what_was_measured_what_went_wrong_and_who_did_what_about_it() -> None:
    said = text_of(report.pdf(make_case(), report.load_typst()))
    for words in (
        "Cold room 1",
        "Dew farms",
        "2026-01-31 08:00 UTC to 2026-02-01 09:00 UTC",
        "z2m:room-0 temperature",
        "EXC-2026-00001 critical: temperature high, limit 8 °C, worst 9.8 °C",
        "acknowledged by Asha Patil: the door stood open",
        "action by Asha Patil: moved the pallets",
        "closed by Ravi Kumar, goods: release. cores at 4.1 °C",
        "CAL-4711",
        "2026-12-24",
        "No readings: 2026-01-31 21:33 UTC, 2 h 47 min",
        "python3 verify.py",
    ):
        assert words in said


def test_without_readings_it_says_so() -> None:
    said = text_of(report.pdf(without_readings(make_case()), report.load_typst()))
    assert "No sensor watched it in this period." in said
    assert "None in this period." in said


def test_what_people_write_is_text_and_no_markup() -> None:
    case = make_case()
    case.excursions[0].row.note = "#panic() *no* $x$ \\ <b> `code` €"
    assert "#panic() *no* $x$ \\ <b> `code` €" in text_of(report.pdf(case, report.load_typst()))


def test_figures_are_of_corrected_values_and_weighed_by_time() -> None:
    warm, steady = make_case().series
    found = figures_of(warm)
    assert (found.count, found.bad) == (660, 0)
    assert found.maximum == pytest.approx(9.8)
    # 60 of 660 readings were too warm; the last before the silence held for fifteen minutes instead of two
    assert found.share_in_range == pytest.approx(1 - 120 / (660 * 2 + 13))
    begin = EIGHT_OCLOCK_MS + (399 * 2 + 15) * MINUTE_MS
    assert found.gaps == [(begin, EIGHT_OCLOCK_MS + 490 * 2 * MINUTE_MS)]
    still = figures_of(steady)
    assert [still.minimum, still.mean, still.maximum, still.mean_kinetic_c] == pytest.approx([2.8] * 4)
    assert still.share_in_range == 1.0
    assert still.gaps == []


def drawn(picture: str) -> dict[str, list[ET.Element]]:
    found: dict[str, list[Any]] = {}
    for element in ET.fromstring(picture).iter():  # noqa: S314 - we wrote it
        found.setdefault(element.tag.rpartition("}")[2], []).append(element)
    return found


def test_the_chart_shows_limits_gaps_and_excursions_in_black_and_white() -> None:
    warm, _ = make_case().series
    span = (EIGHT_OCLOCK_MS + 400 * MINUTE_MS, EIGHT_OCLOCK_MS + 520 * MINUTE_MS)
    found = drawn(svg(warm, figures_of(warm), [span]))
    fills = [rectangle.get("fill") for rectangle in found["rect"]]
    assert fills.count("url(#stripes)") == 1
    assert fills.count("url(#dots)") == 1
    assert sum(path.get("stroke-dasharray") is not None for path in found["path"]) == 2
    assert {"limit 0", "limit 8"} <= {text.text for text in found["text"]}
    lines = [path for path in found["path"] if path.get("stroke-width") == "0.8"]
    assert len(lines) == 2, "a gap tears the line"


def test_without_the_extra_the_error_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['typst'] = None\n"
        "from cloud_api.cold_chain.evidence.report import load_typst\n"
        "from cloud_api.telemetry.series.exports import NotInstalled\n"
        "try: load_typst()\n"
        "except NotInstalled as error: print(error.message)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "pip install 'coldfleet[reports]'" in said
