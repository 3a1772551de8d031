"""An organisation with a warehouse full of lots for `coldfleet bench stock`, and the databases it lies in.

Rows go in by the quickest way that each database has, past the application: what is measured is asking, not filling.
Each lot came in once and left in parts; levels say what is left, so that `coldfleet cloud check-ledger` finds nothing.
"""

import asyncio
import itertools
import secrets
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import asyncpg
from sqlalchemy import Table, make_url

from cloud_api.catalog.products.models import Product
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement
from cloud_api.kernel.db import Base, Database
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.migrations.migrate import upgrade
from cloud_api.places.models import Location, Warehouse
from cloud_api.search.models import CODE, CODE_PART, TEXT, TITLE, SearchEntry, SearchWord
from cloud_api.search.words import squashed, words
from coldfleet.bench.cloud_farm import FarmDatabase, farm_database

_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_UNIT_COST = 400_000


@dataclass(frozen=True)
class Engine:
    """One migrated database."""

    name: str
    #: as the application signs in
    url: str
    #: None: SQLite, in this file
    server: FarmDatabase | None
    file: Path

    def fill(self, model: type[Base], rows: Iterable[dict[str, object]]) -> None:
        """Put rows into a table, as they come."""
        table = cast(Table, model.__table__)
        if self.server is None:
            self._insert(table, rows)
        else:
            asyncio.run(self._copy(self.server, table, rows))

    def settle(self) -> None:
        """Let the database learn how much it holds."""
        if self.server is not None:
            asyncio.run(self.server.server.execute("VACUUM ANALYZE", database="coldfleet"))
            return
        with sqlite3.connect(self.file) as connection:
            connection.execute("ANALYZE")

    async def _copy(self, database: FarmDatabase, table: Table, rows: Iterable[dict[str, object]]) -> None:
        connection = await asyncpg.connect(database.server.url("coldfleet"))
        try:
            await connection.execute("SET session_replication_role = replica")  # keys are right: we made them
            columns, records = self._encoded(table, rows)
            await connection.copy_records_to_table(table.name, columns=columns, records=records)
        finally:
            await connection.close()

    def _insert(self, table: Table, rows: Iterable[dict[str, object]]) -> None:
        columns, records = self._encoded(table, rows)
        connection = sqlite3.connect(self.file)
        try:
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("PRAGMA cache_size=-500000")
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})", records)  # noqa: S608 - our own names
            connection.commit()
        finally:
            connection.close()

    def _encoded(
        self, table: Table, rows: Iterable[dict[str, object]]
    ) -> tuple[list[str], Iterator[tuple[object, ...]]]:
        """Names of columns, and of each row what the driver takes for them."""
        walk = iter(rows)
        first = next(walk)
        dialect = make_url(self.url).get_dialect()()
        encoders = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in first]

        def encode(row: dict[str, object]) -> tuple[object, ...]:
            return tuple(
                value if encoder is None or value is None else encoder(value)
                for encoder, value in zip(encoders, row.values(), strict=True)
            )

        return list(first), map(encode, itertools.chain([first], walk))


@contextmanager
def on_postgresql() -> Iterator[Engine]:
    """A PostgreSQL of one's own."""
    with farm_database() as database:
        yield Engine("PostgreSQL", database.url, database, Path())


@contextmanager
def on_sqlite(folder: Path) -> Iterator[Engine]:
    """A file in the folder."""
    file = folder / f"stock-{secrets.token_hex(4)}.db"
    url = f"sqlite+aiosqlite:///{file}"
    upgrade(url)
    try:
        yield Engine("SQLite", url, None, file)
    finally:
        for path in folder.glob(f"{file.name}*"):
            path.unlink()


class Ids:
    """Ids that grow, as those of rows that are made one after the other do."""

    def __init__(self, at: datetime) -> None:
        self._next = (int(at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | secrets.randbits(40) << 20

    def __call__(self) -> uuid.UUID:
        """The next."""
        self._next += 1
        return uuid.UUID(int=self._next)


@dataclass
class Site:
    """What an organisation has, and where more of it is put."""

    engine: Engine
    organization: OrganizationScope
    warehouse_id: uuid.UUID
    location_ids: Sequence[uuid.UUID]
    product_ids: Sequence[uuid.UUID]
    lot_ids: list[uuid.UUID] = field(default_factory=list)
    movements: int = 0

    def add_lots(self, count: int, *, movements_a_lot: int) -> None:
        """So many lots more; each came in, and left in parts of one unit but for one or more that are left."""
        begin, ids = len(self.lot_ids), Ids(_BEGAN + timedelta(hours=len(self.lot_ids)))
        made = [ids() for _ in range(count)]
        self.lot_ids += made
        numbered = list(enumerate(made, begin))
        self.engine.fill(Lot, (self._lot(number, id) for number, id in numbered))
        if not movements_a_lot:
            return
        level, entry = Ids(_BEGAN + timedelta(days=100, hours=begin)), Ids(_BEGAN + timedelta(days=200, hours=begin))
        self.engine.fill(StockLevel, (self._level(number, id, level()) for number, id in numbered))
        self.engine.fill(
            StockMovement,
            (
                self._movement(number, id, turn, movements_a_lot, entry())
                for turn in range(movements_a_lot)
                for number, id in numbered
            ),
        )
        self.movements += count * movements_a_lot

    def index(self) -> None:
        """Let its lots be found, as `search.service.put` would."""
        entry = Ids(_BEGAN + timedelta(days=300))
        made = [(entry(), number, id) for number, id in enumerate(self.lot_ids)]
        self.engine.fill(SearchEntry, (self._entry(number, lot_id, id) for id, number, lot_id in made))
        self.engine.fill(SearchWord, (word for id, number, _ in made for word in self._words(number, id)))

    def _entry(self, number: int, lot_id: uuid.UUID, id: uuid.UUID) -> dict[str, object]:
        sku, title = self._called(number)
        return {
            "id": id,
            "organization_id": self.organization.organization_id,
            "kind": "lot",
            "entity_id": lot_id,
            "warehouse_id": self.warehouse_id,
            "title": title,
            "code": _lot_number(number),
            "text": sku,
            "facets": {"sku": sku},
            "permission": "stock:read",
            "put_at": _BEGAN,
        }

    def _words(self, number: int, id: uuid.UUID) -> list[dict[str, object]]:
        sku, title = self._called(number)
        code = _lot_number(number)
        weights = {
            **dict.fromkeys(words(sku), TEXT),
            **dict.fromkeys(words(title), TITLE),
            **dict.fromkeys(words(code), CODE_PART),
            squashed(code): CODE,
        }
        organization_id = self.organization.organization_id
        return [
            {"organization_id": organization_id, "entry_id": id, "word": word, "weight": weight}
            for word, weight in weights.items()
        ]

    def _called(self, number: int) -> tuple[str, str]:
        """Its product's number, and what it is called."""
        product = number % len(self.product_ids)
        return _sku(product), f"{_name(product)} {_lot_number(number)}"

    def _of(self, number: int) -> tuple[uuid.UUID, uuid.UUID]:
        return self.product_ids[number % len(self.product_ids)], self.location_ids[number % len(self.location_ids)]

    def _lot(self, number: int, id: uuid.UUID) -> dict[str, object]:
        received_at = _BEGAN + timedelta(minutes=number)
        return {
            "id": id,
            "organization_id": self.organization.organization_id,
            "product_id": self._of(number)[0],
            "lot_number": _lot_number(number),
            "expires_on": date(2027, 1, 1) + timedelta(days=number % 700),
            "supplier": f"supplier:{number % 97}",
            "unit_cost": _UNIT_COST,
            "received_at": received_at,
        }

    def _level(self, number: int, lot_id: uuid.UUID, id: uuid.UUID) -> dict[str, object]:
        product_id, location_id = self._of(number)
        return {
            "id": id,
            "organization_id": self.organization.organization_id,
            "product_id": product_id,
            "lot_id": lot_id,
            "location_id": location_id,
            "on_hand": Decimal(1 + number % 5),
            "reserved": Decimal(0),
            "weight_g": 0,
            "status": "available",
        }

    def _movement(self, number: int, lot_id: uuid.UUID, turn: int, turns: int, id: uuid.UUID) -> dict[str, object]:
        product_id, location_id = self._of(number)
        at = _BEGAN + timedelta(minutes=number % 400_000, hours=turn)
        return {
            "id": id,
            "organization_id": self.organization.organization_id,
            "movement_type": "outbound" if turn else "inbound",
            "product_id": product_id,
            "lot_id": lot_id,
            "location_id": location_id,
            "quantity": Decimal(-1) if turn else Decimal(turns + number % 5),
            "unit_cost": None if turn else _UNIT_COST,
            "reference": f"order:{number}-{turn}" if turn else f"receipt:{number}",
            "source": "system",
            "effective_at": at,
            "recorded_at": at,
        }


async def build(
    engine: Engine, organization: OrganizationScope, *, products: int, places: int
) -> tuple[uuid.UUID, list[uuid.UUID], list[uuid.UUID]]:
    """A warehouse, its places and the products, made by the models: their ids."""
    database = Database(engine.url)
    try:
        async with database.unit_of_work(organization) as db:
            warehouse = Warehouse(code="BENCH", name="Bench", created_at=_BEGAN)
            db.add(warehouse)
            await db.flush()
            rooms = [
                Location(
                    warehouse_id=warehouse.id,
                    code=f"BENCH-{number}",
                    name=f"Room {number}",
                    location_type="room",
                    storage_type="cold_storage",
                    created_at=_BEGAN,
                )
                for number in range(places)
            ]
            goods = [
                Product(sku=_sku(number), name=_name(number), unit="piece", created_at=_BEGAN)
                for number in range(products)
            ]
            db.add_all([*rooms, *goods])
            await db.flush()
            return warehouse.id, [room.id for room in rooms], [product.id for product in goods]
    finally:
        await database.close()


_WHAT = ("Spinach", "Tomato", "Paneer", "Mango", "Okra", "Coriander", "Potato", "Curd", "Banana", "Cauliflower")
_HOW = ("fresh", "baby", "organic", "washed", "cut", "frozen", "ripe", "small", "large", "first choice")


def _name(number: int) -> str:
    return f"{_HOW[number // 10 % 10].capitalize()} {_WHAT[number % 10].lower()} {number // 100}"


def _sku(number: int) -> str:
    return f"BENCH-{number:05d}"


def _lot_number(number: int) -> str:
    return f"LOT-{number:07d}"
