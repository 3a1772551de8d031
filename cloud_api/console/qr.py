"""A text as a QR code that a page can show: a picture in its own address."""

import base64

import zxingcpp


def picture_of(text: str) -> str:
    """The `data:` address of an SVG; dark on light, whatever the page's theme, as phones read it best."""
    drawn = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_svg(add_quiet_zones=True)
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()}"
