"""Pictures in other sizes and formats: upright, without what the camera wrote into them, and made once."""

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from cloud_api.kernel.errors import NotFound, Unavailable
from cloud_api.media.content import MOST_PIXELS, PICTURES
from cloud_api.media.errors import NoPicture
from cloud_api.media.models import Media
from cloud_api.media.schemas import Fit, PictureFormat
from cloud_api.media.storage import Files

#: pictures that are worked on at the same time, in each process; and that wait for it
_AT_ONCE = 2
_MOST_WAITING = 32
#: sizes and formats of one picture that are kept; further ones are made each time
_MOST_KEPT = 64
_MOST_BYTES = 50_000_000
_WITHOUT_ALPHA = frozenset({"jpeg"})

_workers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="pictures")
_at_work: set[object] = set()


@dataclass(frozen=True)
class Shape:
    """How a picture is wanted. None: as it comes of the other, or as it is."""

    width: int | None
    height: int | None
    #: inside: whole, never enlarged; cover: filled and cut; contain: whole on an empty ground; fill: distorted
    fit: Fit
    format: PictureFormat
    quality: int

    @property
    def name(self) -> str:
        """What it is called among a picture's other shapes."""
        return f"{self.width or 0}x{self.height or 0}-{self.fit}-{self.quality}.{self.format}"

    @property
    def mime(self) -> str:
        """What it is sent as."""
        return f"image/{self.format}"


async def shaped(files: Files, media: Media, shape: Shape) -> bytes:
    """A picture as it is wanted; from the store when it was made before. Not for inside a unit of work.

    Raises:
        NoPicture: when the file is none, or cannot be read.
        Unavailable: when too many pictures are being worked on.
    """
    if media.mime not in PICTURES or media.size_bytes > _MOST_BYTES:
        raise NoPicture(f"the file is {media.mime}: only pictures have other sizes and formats", field="id")
    key = f"{media.derived_prefix}/{shape.name}"
    try:
        return await files.read(key)
    except NotFound:
        pass
    made = await _made(await files.read(media.key), shape)
    if len(await files.keys(media.derived_prefix)) < _MOST_KEPT:
        await files.put(key, made)
    return made


async def _made(content: bytes, shape: Shape) -> bytes:
    if len(_at_work) >= _MOST_WAITING:
        raise Unavailable("too many pictures are being worked on", retry_after_s=2)
    mine = object()
    _at_work.add(mine)
    try:
        return await asyncio.get_running_loop().run_in_executor(_workers, painted, content, shape)
    finally:
        _at_work.discard(mine)


def painted(content: bytes, shape: Shape) -> bytes:
    """A picture's bytes in another shape.

    Raises:
        NoPicture: when they cannot be read, or are too many once they are unpacked.
    """
    try:
        with Image.open(io.BytesIO(content), formats=tuple(PICTURES.values())) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise NoPicture(f"the picture has more than {MOST_PIXELS:,} pixels", field="id")
            return _written(_sized(_upright(picture, shape), shape), shape)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NoPicture(f"the picture has more than {MOST_PIXELS:,} pixels", field="id") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, RuntimeError):  # the last: AVIF's
        raise NoPicture("the picture cannot be read: it is broken, or not all of it is there", field="id") from None


def _upright(picture: Image.Image, shape: Shape) -> Image.Image:
    """As the camera was held, in plain colours."""
    if shape.width and shape.height and picture.format == "JPEG":
        longest = max(shape.width, shape.height)
        picture.draft("RGB", (longest, longest))  # unpacks an eighth of a photo when no more is needed
    turned = ImageOps.exif_transpose(picture)
    transparent = turned.mode in {"RGBA", "LA", "PA"} or "transparency" in turned.info
    return turned.convert("RGBA" if transparent else "RGB")


def _sized(picture: Image.Image, shape: Shape) -> Image.Image:
    if shape.width is None and shape.height is None:
        return picture
    ratio = picture.width / picture.height
    width = shape.width or max(1, round((shape.height or 1) * ratio))
    height = shape.height or max(1, round(width / ratio))
    size = (width, height)
    match shape.fit:
        case "inside":
            picture.thumbnail(size, Image.Resampling.LANCZOS)
            return picture
        case "cover":
            return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
        case "contain":
            ground = (255, 255, 255, 0) if picture.mode == "RGBA" else (255, 255, 255)
            return ImageOps.pad(picture, size, Image.Resampling.LANCZOS, color=ground)
    return picture.resize(size, Image.Resampling.LANCZOS)


def _written(picture: Image.Image, shape: Shape) -> bytes:
    """Nothing but pixels: no place, no camera, no name."""
    if shape.format in _WITHOUT_ALPHA and picture.mode == "RGBA":
        ground = Image.new("RGB", picture.size, (255, 255, 255))
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    picture.info = {}
    written = io.BytesIO()
    options = {} if shape.format == "png" else {"quality": shape.quality}
    picture.save(written, format=shape.format.upper(), **options)
    return written.getvalue()
