"""Sealing every secret anew with the newest key, so that an older one can be forgotten.

Which columns are sealed is asked of the tables themselves. Rows are changed in small units of work, each only where
its secret is still the one that was read: what somebody changes meanwhile is sealed with the newest key anyway. What
already is sealed with it stays, so that running it again, or after it was interrupted, is harmless.

The rows change through Core and not through objects: the secret stays the same, and a trail of who changed what has
nothing to say about it.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Column, MetaData, String, Table, literal, select, tuple_, type_coerce, update

from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.kernel.vault import Sealed, Vault

_SCOPE = SystemScope("seal secrets with the newest key")
_BATCH = 200


def sealed_columns(metadata: MetaData) -> Iterator[tuple[Table, Sequence[Column[str]]]]:
    """Every table with sealed columns, and those columns."""
    for table in metadata.sorted_tables:
        columns = [column for column in table.columns if isinstance(column.type, Sealed)]
        if columns:
            yield table, columns


async def reseal_all(database: Database, metadata: MetaData, vault: Vault) -> dict[str, int]:
    """Seal everything in `metadata`'s sealed columns with the newest key.

    Returns:
        How many secrets were sealed anew, by `table.column`.

    Raises:
        WrongKey: at a secret that no known key opens; everything before it stays as it was done.
    """
    return {
        f"{table.name}.{column.name}": await _reseal(database, table, column, vault)
        for table, columns in sealed_columns(metadata)
        for column in columns
    }


async def _reseal(database: Database, table: Table, column: Column[str], vault: Vault) -> int:
    keys = list(table.primary_key.columns)
    ciphertext = type_coerce(column, String)
    following = select(*keys, ciphertext).where(column.is_not(None)).order_by(*keys).limit(_BATCH)
    resealed, last = 0, None
    while True:
        statement = following if last is None else following.where(tuple_(*keys) > last)
        async with database.unit_of_work(_SCOPE) as db:
            rows = (await db.execute(statement)).all()
            for *key, text in rows:
                anew = vault.reseal(text)
                if anew != text:
                    same = [own == value for own, value in zip(keys, key, strict=True)]
                    await db.execute(
                        update(table).where(*same, ciphertext == text).values({column: literal(anew, String)})
                    )
                    resealed += 1
        if len(rows) < _BATCH:
            return resealed
        last = tuple_(*(literal(value, own.type) for own, value in zip(keys, rows[-1], strict=False)))
