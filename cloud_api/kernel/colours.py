"""Colours, and whether they can be told from each other (WCAG 2.1, success criterion 1.4.3)."""

#: of text and what it stands on
LEAST_CONTRAST = 4.5
WHITE = "#ffffff"


def contrast(one: str, other: str) -> float:
    """From 1, not to be told apart, to 21, black on white; both as `#rrggbb`."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)
