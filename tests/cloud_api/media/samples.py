"""Files of every kind that is kept, made here, and how a test sends them."""

import hashlib
import io
from pathlib import Path
from typing import Any

import httpx2
import openpyxl
from PIL import Image

from cloud_api.media.content import XLSX
from tests.platform_under_test import Tenant

MEDIA = "/api/v1/media"
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
CSV = "sku,name\nSPN-1,Spinach\nPLK-1,பாலக்\n".encode()


def picture(width: int = 60, height: int = 40, *, kind: str = "PNG", **options: Any) -> bytes:
    """Left half red, right half blue."""
    image = Image.new("RGB", (width, height), (200, 30, 30))
    image.paste((30, 30, 200), (width // 2, 0, width, height))
    written = io.BytesIO()
    image.save(written, format=kind, **options)
    return written.getvalue()


def workbook() -> bytes:
    """One cell."""
    book = openpyxl.Workbook()
    book.active["A1"] = "sku"
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, by its path there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def send(tenant: Tenant, content: bytes, *, name: str = "a.png", mime: str = "image/png", **headers: str) -> Any:
    """What the platform says of a file that is sent at once."""
    return await tenant.client.post(
        MEDIA, params={"name": name}, content=content, headers={"Content-Type": mime, **headers}
    )


async def sent(tenant: Tenant, content: bytes, *, name: str = "a.png", mime: str = "image/png") -> Any:
    """The `data` of a file that was kept."""
    answer = await send(tenant, content, name=name, mime=mime)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, str(answer.json()["error"]["code"])


ALL_KINDS = [
    ("photo.jpg", "image/jpeg", picture(kind="JPEG")),
    ("photo.png", "image/png", picture()),
    ("photo.webp", "image/webp", picture(kind="WEBP")),
    ("photo.gif", "image/gif", picture(kind="GIF")),
    ("photo.avif", "image/avif", picture(kind="AVIF")),
    ("note.pdf", "application/pdf", PDF),
    ("products.csv", "text/csv", CSV),
    ("note.txt", "text/plain; charset=utf-8", b"kept cold"),
    ("products.xlsx", XLSX, workbook()),
]
