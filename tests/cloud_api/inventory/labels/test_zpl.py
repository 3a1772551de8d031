r"""ZPL: what a printer would make of it, read here by the rules of its programming guide."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_api.catalog.gs1 import GS, Element, write
from cloud_api.inventory.labels.errors import LabelTooSmall
from cloud_api.inventory.labels.layout import divide
from cloud_api.inventory.labels.schemas import LabelSize
from cloud_api.inventory.labels.subjects import Subject
from cloud_api.inventory.labels.symbols import Symbology, draw
from cloud_api.inventory.labels.zpl import code128, escaped, zpl

SIZE = LabelSize(width_mm=90, height_mm=50)
GOODS = (Element("01", "09501101530003"), Element("10", 'A_>B<"%'), Element("17", "271130"))


def printed(subject: Subject, symbology: Symbology, size: LabelSize = SIZE) -> str:
    symbol = draw(symbology, plain=subject.plain, elements=subject.elements)
    return zpl([divide(subject, symbol, size, copies=2)], size).decode()


def fields(text: str) -> list[tuple[str, str]]:
    r"""(commands, data) of each field, `^FH\` undone."""
    found = []
    for commands, data in re.findall(r"(\^FO.*?)\^FD(.*?)\^FS", text, re.DOTALL):
        if "^FH\\" in commands:
            data = re.sub(r"(?:\\[0-9A-F]{2})+", lambda run: bytes.fromhex(run[0].replace("\\", "")).decode(), data)
        found.append((commands, data))
    return found


def meant(field: str) -> str:
    """What the bars of a `^BC` field say, FNC1 as GS; pairs of digits where the subset is C."""
    invoked = {"0": ">", "<": "^", "=": "~", "8": GS}
    pairs, said, at = field.startswith(">;"), "", 2
    assert field[:2] in {">;", ">:"}
    while at < len(field):
        if field[at] == ">":
            if field[at + 1] in "56":
                pairs = field[at + 1] == "5"
            else:
                said += invoked[field[at + 1]]
                assert not pairs or field[at + 1] == "8", "subset C has digits and FNC1 only"
            at += 2
        elif pairs:
            assert re.fullmatch(r"\d\d", field[at : at + 2]), "subset C has pairs"
            said, at = said + field[at : at + 2], at + 2
        else:
            said, at = said + field[at], at + 1
    return said


@given(st.text("".join(map(chr, range(32, 127))), min_size=1, max_size=40) | st.text("0123456789" + GS, min_size=1))
@settings(deadline=None)
def test_bars_say_what_they_should(text: str) -> None:
    assert meant(code128(text, gs1=False)) == text
    assert meant(code128(text, gs1=True)) == GS + text
    assert "^" not in code128(text, gs1=False)
    assert "~" not in code128(text, gs1=False)


def test_digits_go_in_pairs() -> None:
    assert code128("0109501101530003", gs1=True) == ">;>80109501101530003"
    assert code128("AB123456", gs1=False) == ">:AB>5123456"
    assert code128("12345", gs1=False) == ">;1234>65"


def test_element_strings_carry_fnc1_in_bars_and_squares() -> None:
    bars = fields(printed(Subject("Spinach", (), "S", GOODS, "gs1_128"), "gs1_128"))[0]
    assert meant(bars[1]) == GS + write(GOODS)
    assert "^BCN," in bars[0]
    squares = fields(printed(Subject("Spinach", (), "S", GOODS, "gs1_datamatrix"), "gs1_datamatrix"))[0]
    assert squares[1].startswith("_101")
    assert re.search(r"\^BXN,\d+,200,,,,_", squares[0])
    undone = squares[1].replace("__", "\0").replace("_1", GS).replace("\0", "_")
    assert undone == GS + write(GOODS)


@given(st.text(max_size=60), st.sampled_from(["qr", "datamatrix"]))
@settings(deadline=None, max_examples=60)
def test_no_name_becomes_a_command(name: str, symbology: Symbology) -> None:
    text = printed(Subject(name, (name,), "SPN-1", None, "qr"), symbology)
    told = [data.replace("<<>", "<") for _, data in fields(text)]
    assert told[1:] == [name, name]
    assert text.count("^XA") == text.count("^XZ") == 1
    for forbidden in ("^", "~"):
        assert forbidden not in escaped(name)


def test_the_format_says_size_encoding_and_copies() -> None:
    text = printed(Subject("பாலக்", ("L1",), "SPN-1", None, "qr"), "qr")
    assert text.startswith("^XA\n^CI28\n^PW719\n^LL400\n^LH0,0\n")
    assert text.endswith("^PQ2\n^XZ\n")
    assert "பாலக்" in text
    fine = LabelSize(width_mm=90, height_mm=50, dpi=300)
    assert "^PW1063" in printed(Subject("S", (), "SPN-1", None, "qr"), "qr", fine)


def test_a_printer_too_coarse_for_the_code_is_named() -> None:
    subject = Subject("Spinach", (), "S", GOODS, "gs1_128")
    tight = LabelSize(width_mm=60, height_mm=30)
    with pytest.raises(LabelTooSmall, match="finer printer"):
        printed(subject, "gs1_128", tight)
    assert "^BCN" in printed(subject, "gs1_128", LabelSize(width_mm=60, height_mm=30, dpi=300))
