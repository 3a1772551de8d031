r"""Labels for printers that speak ZPL II: text, written here.

Zebra's ZPL II Programming Guide: `^FH\` lets `\5E` stand for a character, hexadecimal; `^CI28` says that text is UTF-8;
`^TB` cuts off what does not fit; in `^BC` fields `>8` is FNC1 and `>;` begins in the subset of digit pairs; in `^BX`
fields `_1` is FNC1 when `_` is said to be the escape character; `^BQ` fields begin with the level of error correction.
"""

from collections.abc import Sequence

from cloud_api.catalog.gs1 import GS, write
from cloud_api.inventory.labels.layout import Label, margin_mm
from cloud_api.inventory.labels.schemas import LabelSize
from cloud_api.inventory.labels.symbols import OF_GS1

_GAP_MM = 1.5
_CAPTION_MM = 2.6
#: heights of letters
_TITLE_MM, _LINE_MM = 3.4, 2.6
#: what ends a field or a command, what escapes, and what `^TB` reads as a command of its own
_ESCAPED = frozenset("^~\\")
#: characters that stand for commands in Code 128 fields
_INVOCATIONS = {">": ">0", "^": "><", "~": ">="}


def zpl(labels: Sequence[Label], size: LabelSize) -> bytes:
    """The labels, one format each, in UTF-8."""
    return "".join(_format(label, size) for label in labels).encode()


def _format(label: Label, size: LabelSize) -> str:
    dots = _Dots(size)
    margin, gap = dots.of(margin_mm(size)), dots.of(_GAP_MM)
    width, height = dots.of(size.width_mm), dots.of(size.height_mm)
    symbol, module = dots.of(label.height_mm), label.module_dots
    inner, high = width - 2 * margin, height - 2 * margin
    if label.symbol.is_linear:
        caption, top = dots.of(_CAPTION_MM), margin + symbol + gap
        parts = [
            _bars(label, (margin + dots.of(label.left_mm), margin), module, symbol),
            _text(label.symbol.text, (margin, top), (inner, caption), caption),
            *_words(label, (margin, top + caption + gap), (inner, high - symbol - caption - 2 * gap), dots),
        ]
    else:
        parts = [
            _squares(label, margin, module),
            *_words(label, (margin + symbol + gap, margin), (inner - symbol - gap, high), dots),
        ]
    body = "\n".join(part for part in parts if part)
    return f"^XA\n^CI28\n^PW{width}\n^LL{height}\n^LH0,0\n{body}\n^PQ{label.copies}\n^XZ\n"


class _Dots:
    """Lengths in the printer's dots."""

    def __init__(self, size: LabelSize) -> None:
        self._dpi = size.dpi

    def of(self, length_mm: float) -> int:
        return round(length_mm / 25.4 * self._dpi)


def _bars(label: Label, at: tuple[int, int], module: int, high: int) -> str:
    left = at[0] + 10 * module  # the quiet zone
    data = code128(_content(label), gs1=label.symbol.symbology in OF_GS1)
    return f"^FO{left},{at[1]}^BY{module}^BCN,{high},N,N,N^FD{data}^FS"


def _squares(label: Label, margin: int, module: int) -> str:
    quiet = module * (4 if label.symbol.symbology == "qr" else 1)
    at = f"^FO{margin + quiet},{margin + quiet}"
    content = _content(label)
    if label.symbol.symbology == "qr":
        return f"{at}^BQN,2,{min(module, 10)}^FH\\^FDMA,{escaped(content)}^FS"
    field = content.replace("_", "__").replace(GS, "_1")
    if label.symbol.symbology in OF_GS1:
        field = "_1" + field
    return f"{at}^BXN,{module},200,,,,_^FH\\^FD{escaped(field)}^FS"


def _content(label: Label) -> str:
    elements = label.subject.elements
    if label.symbol.symbology in OF_GS1 and elements is not None:
        return write(elements)
    return label.subject.plain


def _words(label: Label, at: tuple[int, int], room: tuple[int, int], dots: _Dots) -> list[str]:
    """The title over at most half of the room, the lines under it as long as there is any."""
    left, top = at
    width, high = room
    title, line = dots.of(_TITLE_MM), dots.of(_LINE_MM)
    if width < line or high < title:
        return []
    title_high = min(high, 2 * title if high >= 4 * title else title)
    written = [_text(label.subject.title, at, (width, title_high), title)]
    below = top + title_high + line // 2
    for text in label.subject.lines:
        if below + line > top + high:
            break
        written.append(_text(text, (left, below), (width, line), line))
        below += line + line // 2
    return written


def _text(text: str, at: tuple[int, int], room: tuple[int, int], letter: int) -> str:
    return f"^FO{at[0]},{at[1]}^A0N,{letter},0^TBN,{room[0]},{room[1]}^FH\\^FD{escaped(text.replace('<', '<<>'))}^FS"


def escaped(text: str) -> str:
    r"""Text for a field after `^FH\`: nothing in it begins a command."""
    return "".join(
        "".join(f"\\{byte:02X}" for byte in character.encode())
        if character in _ESCAPED or not character.isprintable()
        else character
        for character in text
    )


def code128(text: str, *, gs1: bool) -> str:
    """The field of a `^BC` in which we say the subsets: pairs of digits are half as wide.

    Args:
        gs1: it begins with FNC1, and its separators are FNC1.
    """
    pairs = _digits_at(text, 0) >= 4
    written = [">;" if pairs else ">:", ">8" if gs1 else ""]
    at = 0
    while at < len(text):
        run = _digits_at(text, at)
        if text[at] == GS:
            written.append(">8")
            at += 1
        elif pairs and run >= 2:
            written.append(text[at : at + 2])
            at += 2
        elif pairs:
            written.append(">6")
            pairs = False
        elif run >= 4 and run % 2 == 0:
            written.append(">5")
            pairs = True
        else:
            written.append(_INVOCATIONS.get(text[at], text[at]))
            at += 1
    return "".join(written)


def _digits_at(text: str, at: int) -> int:
    end = at
    while end < len(text) and text[end] in "0123456789":
        end += 1
    return end - at
