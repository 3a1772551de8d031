"""How a label is divided: a bar code of bars stands above the words, one of squares beside them."""

import math
from dataclasses import dataclass

from cloud_api.inventory.labels.errors import LabelTooSmall
from cloud_api.inventory.labels.schemas import LabelSize
from cloud_api.inventory.labels.subjects import Subject
from cloud_api.inventory.labels.symbols import LEAST_MODULE_MM, Symbol

_MARGIN_MM = 1.5
#: of bars: the share of the label's height, and what a hand scanner wants at least
_BARS_SHARE = 0.42
_LEAST_BARS_MM = 5.0
#: of squares: at most this share of the width, so that words have the rest
_SQUARE_SHARE = 0.45


def margin_mm(size: LabelSize) -> float:
    """What stays white all around, in whole dots."""
    return _whole_dots(_MARGIN_MM, size)


def _whole_dots(length_mm: float, size: LabelSize) -> float:
    dot_mm = 25.4 / size.dpi
    return round(length_mm / dot_mm) * dot_mm


@dataclass(frozen=True)
class Label:
    """One label, divided."""

    subject: Subject
    symbol: Symbol
    copies: int
    #: what a printer has for each module, in whole dots: a bar of one and a half is read as another
    module_dots: int
    width_mm: float
    #: what stays white before it, beside the margin
    left_mm: float
    #: of bars as high as they are made, of squares as high as they are wide
    height_mm: float


def divide(subject: Subject, symbol: Symbol, size: LabelSize, *, copies: int) -> Label:
    """Give the bar code its room.

    Raises:
        LabelTooSmall: when no scanner could read it then, saying how large the label must be.
    """
    margin = margin_mm(size)
    inner, high = size.width_mm - 2 * margin, size.height_mm - 2 * margin
    dot_mm = 25.4 / size.dpi
    least_dots = math.ceil(LEAST_MODULE_MM[symbol.is_linear] / dot_mm - 1e-3)
    least = least_dots * dot_mm * symbol.modules
    room = inner if symbol.is_linear else min(high, max(inner * _SQUARE_SHARE, least))
    if room < least or inner < least:
        raise _too_small(symbol, least + 2 * margin, size)
    dots = max(least_dots, int(room / symbol.modules / dot_mm + 1e-9))
    width_mm = dots * dot_mm * symbol.modules
    height_mm = max(_LEAST_BARS_MM, high * _BARS_SHARE) if symbol.is_linear else width_mm
    left_mm = _whole_dots((inner - width_mm) / 2, size) if symbol.is_linear else 0.0
    return Label(subject, symbol, copies, dots, width_mm, left_mm, height_mm)


def _too_small(symbol: Symbol, needs_mm: float, size: LabelSize) -> LabelTooSmall:
    needs = f"{math.ceil(needs_mm)} mm wide" + ("" if symbol.is_linear else " and high")
    return LabelTooSmall(
        f"{symbol.symbology} with {len(symbol.text)} characters needs a label {needs} to be read at {size.dpi} dpi: "
        "take a larger label, a finer printer, or another symbology",
        field="width_mm",
    )
