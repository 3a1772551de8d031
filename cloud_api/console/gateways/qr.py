"""A claim code as a QR code."""

import re

import zxingcpp
from markupsafe import Markup

_SIZE = re.compile(r'<svg width="(\d+)" height="(\d+)"')


def picture_of(text: str) -> Markup:
    """A QR code as an SVG element that grows with its place. `text`: what it says, of our own making."""
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    drawn = made.to_svg(add_quiet_zones=True)
    size = _SIZE.search(drawn)
    assert size is not None  # noqa: S101 - that is how they begin
    opened = f'<svg viewBox="0 0 {size[1]} {size[2]}" width="240" height="240" role="img" aria-labelledby="claim-code"'
    return Markup(_SIZE.sub(opened, drawn[size.start() :]))  # noqa: S704 - numbers and rectangles
