"""A service for readings as most would write it: FastAPI, pydantic, SQLAlchemy. A peer of `coldfleet bench ingest`.

It takes a batch of JSON objects, checks each by pydantic, and inserts what is not there yet. It knows no organisation,
no limits, no last values and no hours.

    DATABASE_URL=postgresql+asyncpg://... uvicorn coldfleet.bench.peers.plain_ingest:app
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import FastAPI
from pydantic import BaseModel, Field
from sqlalchemy import DateTime, String
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["DATABASE_URL"])
sessions = async_sessionmaker(engine)


class Base(DeclarativeBase):
    """Declarative base."""


class StoredReading(Base):
    """One reading."""

    __tablename__ = "plain_readings"

    sensor_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    value: Mapped[float]
    unit: Mapped[str] = mapped_column(String(16))


class ReadingIn(BaseModel):
    """One reading, as it is sent."""

    sensor_id: str = Field(min_length=1, max_length=64)
    recorded_at: datetime
    value: float = Field(allow_inf_nan=False)
    unit: str


class BatchIn(BaseModel):
    """A batch."""

    readings: list[ReadingIn] = Field(max_length=10_000)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Make the table."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


@app.post("/readings")
async def take_in(batch: BatchIn) -> dict[str, dict[str, int]]:
    """Store what is new."""
    async with sessions() as session, session.begin():
        rows = [reading.model_dump() for reading in batch.readings]
        await session.execute(insert(StoredReading).on_conflict_do_nothing(), rows)
    return {"data": {"accepted": len(rows)}}
