"""Things to be found, put straight into the index."""

import itertools
import uuid
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.ids import new_id
from cloud_api.search import finding, service
from cloud_api.search.queries import Narrowed, Sight
from cloud_api.search.service import Entry

ALL_OF_IT = Sight()
_numbers = itertools.count(1)


async def put(
    db: AsyncSession,
    title: str,
    *,
    code: str = "",
    text: str = "",
    kind: str = "product",
    facets: Mapping[str, str] | None = None,
    warehouse_id: uuid.UUID | None = None,
    permission: str = "products:read",
    id: uuid.UUID | None = None,
) -> uuid.UUID:
    """One thing; its id."""
    id = id or new_id()
    code = code or f"X-{next(_numbers):04d}"
    await service.put(db, Entry(kind, id, title, code, text, facets or {}, permission, warehouse_id))
    return id


async def found(
    db: AsyncSession, asked: str, *, sight: Sight = ALL_OF_IT, narrowed: Narrowed | None = None, limit: int = 20
) -> list[str]:
    """The titles that a question finds, in order."""
    hits = await finding.search(db, sight, asked, narrowed=narrowed or Narrowed(), limit=limit)
    return [entry.title for entry in hits.entries]


async def suggested(db: AsyncSession, asked: str, *, sight: Sight = ALL_OF_IT) -> list[str]:
    """The titles that are suggested, in order."""
    return [entry.title for entry in await finding.suggest(db, sight, asked, limit=8)]
