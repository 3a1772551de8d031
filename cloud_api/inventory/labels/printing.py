"""From what a label is wanted of to what a printer takes."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cloud_api.inventory.labels import sheet
from cloud_api.inventory.labels.layout import Label, divide
from cloud_api.inventory.labels.schemas import MOST_LABELS, LabelFormat, LabelSize, LabelWanted, SubjectKind
from cloud_api.inventory.labels.subjects import Subject
from cloud_api.inventory.labels.symbols import Symbology, draw
from cloud_api.inventory.labels.zpl import zpl
from cloud_api.kernel.errors import Invalid

#: what each format is sent as
MIMES: Mapping[LabelFormat, str] = {
    "pdf": "application/pdf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "zpl": "application/zpl",
}


@dataclass(frozen=True)
class Print:
    """How labels are wanted."""

    size: LabelSize
    format: LabelFormat
    #: None: what suits each
    symbology: Symbology | None = None
    font_folder: Path | None = None


async def printed(
    wanted: Sequence[LabelWanted], subjects: Mapping[tuple[SubjectKind, uuid.UUID], Subject], how: Print
) -> bytes:
    """The labels, in the order in which they are wanted. Not for inside a unit of work: it takes a while.

    Raises:
        Invalid: when they are too many for one batch.
        NoSuchSymbol, LabelTooSmall: when one cannot be written so, or could not be read.
        NotInstalled: when this platform can print ZPL only.
    """
    count = sum(one.copies for one in wanted)
    if count > MOST_LABELS:
        raise Invalid(f"{count} labels are too many for one batch: at most {MOST_LABELS:,}", field="labels")
    typst = None if how.format == "zpl" else sheet.load_typst()

    def print_them() -> bytes:
        labels = [_divided(one, subjects[one.kind, one.id], how) for one in wanted]
        if how.format == "zpl":
            return zpl(labels, how.size)
        return sheet.typeset(labels, how.size, format=how.format, typst=typst, font_folder=how.font_folder)

    return await asyncio.to_thread(print_them)


def _divided(wanted: LabelWanted, subject: Subject, how: Print) -> Label:
    symbology = how.symbology or subject.symbology
    symbol = draw(symbology, plain=subject.plain, elements=subject.elements)
    return divide(subject, symbol, how.size, copies=wanted.copies)
