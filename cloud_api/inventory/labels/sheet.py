"""Labels as PDF, PNG and SVG: by Typst, from the template `label.typ`."""

import importlib
import json
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from cloud_api.inventory.labels.layout import Label, margin_mm
from cloud_api.inventory.labels.schemas import LabelSize
from cloud_api.telemetry.series.exports import NotInstalled

#: Typst brings the last one itself; of the others whatever the machine has
_FONTS = (
    "Noto Sans",
    "Noto Sans Devanagari",
    "Noto Sans Tamil",
    "Noto Sans Bengali",
    "Noto Sans Telugu",
    "DejaVu Sans",
    "Libertinus Serif",
)
_Compile = Callable[..., bytes]


def load_typst() -> Any:
    """What sets type: large, and asked for only when somebody wants a label.

    Raises:
        NotInstalled: when the extra `reports` is not.
    """
    try:
        return importlib.import_module("typst")
    except ImportError:
        raise NotInstalled(
            "labels as pdf, png and svg need the extra `reports`: pip install 'coldfleet[reports]' where the platform "
            "runs, or ask for zpl"
        ) from None


def typeset(
    labels: Sequence[Label], size: LabelSize, *, format: str, typst: Any, font_folder: Path | None = None
) -> bytes:
    """The labels, one a page; as png and svg there can be one only."""
    template = files("cloud_api.inventory.labels").joinpath("label.typ").read_bytes()
    font_paths = [] if font_folder is None else [str(font_folder)]
    known = set(typst.Fonts(font_paths=font_paths).families())
    data = {
        "width_mm": size.width_mm,
        "height_mm": size.height_mm,
        "margin_mm": margin_mm(size),
        "title_pt": 10 if size.height_mm >= 25 else 8,
        "fonts": [font for font in _FONTS if font in known] or sorted(known)[:1],
        "labels": [_shown(label) for label in labels],
    }
    options = {"ppi": float(size.dpi)} if format == "png" else {}
    compile_ = cast(_Compile, typst.compile)
    inputs = {"data": json.dumps(data, ensure_ascii=False)}
    return compile_(template, sys_inputs=inputs, format=format, font_paths=font_paths, **options)


def _shown(label: Label) -> dict[str, object]:
    return {
        "title": label.subject.title,
        "lines": list(label.subject.lines),
        "text": label.symbol.text,
        "svg": label.symbol.svg,
        "linear": label.symbol.is_linear,
        "width_mm": label.width_mm,
        "left_mm": label.left_mm,
        "height_mm": label.height_mm,
        "copies": label.copies,
    }
