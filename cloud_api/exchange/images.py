"""Pictures of products, many in one zip: each is named after the stock-keeping number, as `SPINACH-BABY.jpg`.

More of one product have a number or a folder: `SPINACH-BABY_2.jpg`, `SPINACH-BABY/side.jpg`. Their bytes go to the
store before the unit of work that shows them with the product.
"""

import hashlib
import uuid
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import images
from cloud_api.catalog.products.image_models import ProductImage
from cloud_api.catalog.products.models import Product
from cloud_api.exchange.entities.kinds import By, Outcome, RowRefused
from cloud_api.exchange.errors import TooMuch, UnreadableFile
from cloud_api.kernel.errors import Detail
from cloud_api.media import service as media
from cloud_api.media.landing import Landed
from cloud_api.media.zips import parts_of

NAME = "images"
MOST_PICTURES = 2_000
_MOST_UNPACKED_BYTES = 200_000_000
MIMES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class Picture:
    """One file of a zip; its number stands for a row's."""

    number: int
    #: its path in the zip
    name: str
    #: stock-keeping numbers that it may be named after, the likeliest first
    skus: Sequence[str]


def pictures_of(path: Path) -> list[Picture]:
    """What a zip holds, folders and what programs add left out.

    Raises:
        UnreadableFile: when it is no zip.
        TooMuch: when it has too many files, or unpacks to too much.
    """
    everything = parts_of(path)
    if everything is None:
        raise UnreadableFile("these bytes are no zip: pack the pictures into one")
    parts = [part for part in everything if not part.is_dir()]
    if len(parts) > MOST_PICTURES or sum(part.file_size for part in parts) > _MOST_UNPACKED_BYTES:
        raise TooMuch(
            f"a zip may hold {MOST_PICTURES:,} pictures of together {_MOST_UNPACKED_BYTES:,} bytes: send several"
        )
    wanted = [part.filename for part in parts if not _is_noise(part.filename)]
    return [Picture(number, name, _skus(name)) for number, name in enumerate(wanted, start=1)]


def unpack(path: Path, picture: Picture, into: Path) -> tuple[str, int]:
    """Write one picture's bytes into a file: their SHA-256 and how many they are.

    Raises:
        RowRefused: when they cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as whole:
            content = whole.read(picture.name)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError):
        raise RowRefused([Detail("file", f"{picture.name} cannot be unpacked: pack it again")]) from None
    into.write_bytes(content)
    return hashlib.sha256(content).hexdigest(), len(content)


def mime_of(picture: Picture) -> str:
    """What its name says it is.

    Raises:
        RowRefused: when that is no picture.
    """
    mime = MIMES.get(PurePosixPath(picture.name).suffix.lower())
    if mime is None:
        raise RowRefused([Detail("file", f"{picture.name} is no picture: send {', '.join(MIMES)}")])
    return mime


async def product_of(db: AsyncSession, picture: Picture) -> uuid.UUID:
    """The product that it is named after.

    Raises:
        RowRefused: when there is none.
    """
    rows = await db.execute(select(Product.sku, Product.id).where(Product.sku.in_(picture.skus)))
    by_sku = dict(rows.tuples().all())
    for sku in picture.skus:
        if sku in by_sku:
            return by_sku[sku]
    raise RowRefused([Detail("file", f"no product has the sku {picture.skus[0]!r}: name the file after one")])


async def show(db: AsyncSession, product_id: uuid.UUID, picture: Picture, landed: Landed, by: By) -> Outcome:
    """Show a picture with its product; one that it shows already stays as it is."""
    kept = await media.keep(db, landed, name=PurePosixPath(picture.name).name, by=by.user_id, listed=True)
    shown = select(ProductImage.id).where(ProductImage.product_id == product_id, ProductImage.media_id == kept.id)
    if await db.scalar(shown) is not None:
        return Outcome.UNCHANGED
    await images.attach(db, product_id, media_id=kept.id, position=None, main=False)
    return Outcome.CREATED


def _is_noise(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name.startswith(".") or "__MACOSX" in path.parts or path.name == "Thumbs.db"


def _skus(name: str) -> list[str]:
    path = PurePosixPath(name)
    stem, folder = path.stem, path.parent.name
    numbered, _, number = stem.rpartition("_")
    return [stem, *([numbered] if numbered and number.isdigit() else []), *([folder] if folder else [])]
