"""Labels, as they are asked for over HTTP."""

import uuid
from typing import Annotated, Literal

from pydantic import Field

from cloud_api.inventory.labels.symbols import Symbology
from cloud_api.kernel.http import RequestModel

SubjectKind = Literal["product", "lot", "item", "location"]
#: what a printer or an office can do with it
LabelFormat = Literal["pdf", "png", "svg", "zpl"]
Millimetres = Annotated[float, Field(ge=15, le=210, allow_inf_nan=False)]
Dpi = Literal[203, 300, 600]
Copies = Annotated[int, Field(ge=1, le=200)]
#: labels of one batch, copies counted
MOST_LABELS = 1_000


class LabelSize(RequestModel):
    """How large a label is, and how fine its printer prints."""

    width_mm: Millimetres = 60
    height_mm: Millimetres = 40
    dpi: Dpi = 203


class LabelWanted(RequestModel):
    """A label for one thing."""

    kind: SubjectKind
    id: uuid.UUID
    copies: Copies = 1


class LabelBatch(LabelSize):
    """Labels for many things, one after the other."""

    format: Literal["pdf", "zpl"] = "pdf"
    #: None: what suits each: an element string where there is a GTIN, a QR code otherwise
    symbology: Symbology | None = None
    labels: Annotated[list[LabelWanted], Field(min_length=1, max_length=500)]
