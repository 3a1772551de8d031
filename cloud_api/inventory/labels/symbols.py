"""Bar codes as pictures of black and white, written by `zxing-cpp`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import zxingcpp

from cloud_api.catalog.gs1 import Element, write
from cloud_api.inventory.labels.errors import NoSuchSymbol

Symbology = Literal["qr", "code128", "datamatrix", "gs1_128", "gs1_datamatrix"]

_FORMATS = {
    "qr": zxingcpp.BarcodeFormat.QRCode,
    "code128": zxingcpp.BarcodeFormat.Code128,
    "datamatrix": zxingcpp.BarcodeFormat.DataMatrix,
    "gs1_128": zxingcpp.BarcodeFormat.Code128,
    "gs1_datamatrix": zxingcpp.BarcodeFormat.DataMatrix,
}
#: those that carry element strings
OF_GS1 = frozenset({"gs1_128", "gs1_datamatrix"})
LINEAR = frozenset({"code128", "gs1_128"})
#: millimetres of one module that ordinary scanners still read
LEAST_MODULE_MM = {True: 0.165, False: 0.25}
#: what Code 128 can hold is ASCII, and so long only if nobody has to scan it by hand
_CODE128 = re.compile(r"[ -~]{1,48}")
_MOST_CHARACTERS = 300


@dataclass(frozen=True)
class Symbol:
    """One bar code."""

    symbology: Symbology
    #: what it says, for people: element strings with their identifiers in brackets
    text: str
    #: modules across, quiet zones included
    modules: int
    svg: str

    @property
    def is_linear(self) -> bool:
        """Whether it is of bars, as high as one likes."""
        return self.symbology in LINEAR


def draw(symbology: Symbology, *, plain: str, elements: Sequence[Element] | None) -> Symbol:
    """A bar code of what goes by a plain code, or by an element string.

    Raises:
        NoSuchSymbol: when it cannot say that, with the remedy.
    """
    if symbology in OF_GS1:
        if elements is None:
            raise NoSuchSymbol(
                f"{symbology} needs a GTIN, and a lot number of at most 20 letters, digits and signs: give the product "
                "its GTIN, or ask for qr",
                field="symbology",
            )
        write(elements)  # refused here when a value does not fit
        return _drawn(symbology, "".join(f"[{one.ai}]{one.value}" for one in elements), _shown(elements), gs1=True)
    if symbology == "code128" and not _CODE128.fullmatch(plain):
        raise NoSuchSymbol(f"code128 cannot hold {plain[:60]!r}: ask for qr", field="symbology")
    if len(plain) > _MOST_CHARACTERS:
        raise NoSuchSymbol(f"a bar code holds at most {_MOST_CHARACTERS} characters here", field="symbology")
    return _drawn(symbology, plain, plain, gs1=False)


def _shown(elements: Sequence[Element]) -> str:
    return "".join(f"({one.ai}){one.value}" for one in elements)


def _drawn(symbology: Symbology, content: str, text: str, *, gs1: bool) -> Symbol:
    options: dict[str, object] = {"gs1": True} if gs1 else {}
    if symbology == "qr":
        options["ec_level"] = "M"
    try:
        made = zxingcpp.create_barcode(content, _FORMATS[symbology], **options)
    except ValueError as error:
        raise NoSuchSymbol(f"{symbology} cannot hold {text[:60]!r}: {error}", field="symbology") from None
    svg = made.to_svg(add_quiet_zones=True)
    width = re.search(r'<svg width="(\d+)"', svg)
    assert width is not None  # noqa: S101 - that is how they begin
    return Symbol(symbology, text, int(width[1]), svg)
