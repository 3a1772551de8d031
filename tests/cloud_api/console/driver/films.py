"""What the phone's camera sees: a code on a label, held before it."""

from pathlib import Path
from typing import cast

import zxingcpp

_WIDTH, _HEIGHT = 640, 480
#: luminance in YUV goes from 16 to 235
_BLACK, _WHITE, _GREY = 16, 235, 128


def film_of(text: str, path: Path, *, kind: str = "QRCode", scale: int = 8) -> None:
    """Write a film of one picture with a code of `text` in its middle."""
    code = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind))
    drawn = code.to_image(scale=scale)
    height, width = drawn.shape
    rows = cast(list[list[int]], memoryview(drawn).tolist())  # type: ignore[arg-type]  # its stubs do not say that it is a buffer
    left, top = (_WIDTH - width) // 2, (_HEIGHT - height) // 2
    picture = bytearray([_WHITE]) * (_WIDTH * _HEIGHT)
    for y, row in enumerate(rows):
        start = (top + y) * _WIDTH + left
        picture[start : start + width] = bytes(_WHITE if value > _GREY else _BLACK for value in row)
    colours = bytes([_GREY]) * (_WIDTH * _HEIGHT // 2)
    head = f"YUV4MPEG2 W{_WIDTH} H{_HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(head + (b"FRAME\n" + bytes(picture) + colours) * 2)
