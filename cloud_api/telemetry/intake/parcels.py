"""One gateway's batch, opened: what can be said of it before the database is asked."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from cloud_api.kernel import clock
from cloud_api.kernel.settings import Settings
from cloud_api.telemetry.intake.reading_rows import ReadingRows, Window
from cloud_api.telemetry.intake.rows import OF_READINGS, Envelope, open_batch, raw_row, read_readings

#: rows from further ahead of our clock are refused: they would be "the latest" for as long
_AHEAD = timedelta(minutes=10)
_BACK = timedelta(days=Settings.model_fields["readings_max_age_days"].default)


def believed_now(settings: Settings | None = None) -> Window:
    """The times of readings that are believed at this moment."""
    back = _BACK if settings is None else timedelta(days=settings.readings_max_age_days)
    ahead = _AHEAD if settings is None else _AHEAD * max(1.0, settings.clock_speed)
    now_ms, step = clock.now_ms(), timedelta(milliseconds=1)
    return Window(max(0, now_ms - back // step), now_ms + ahead // step)


@dataclass(slots=True)
class Parcel:
    """A batch that makes sense as a whole; nothing else in it is trusted."""

    gateway_id: uuid.UUID
    epoch: str
    lane: str
    body: bytes
    window: Window
    #: of a lane of readings
    readings: ReadingRows | None
    #: what the gateway has shown to prove who it is; None: somebody else vouches for it
    secret_sha256: str | None
    _envelope: Envelope | None = None
    #: of readings that came in no batch: each as it came; their sequences the cloud counts itself
    own_rows: Sequence[bytes] | None = None

    @property
    def key(self) -> tuple[uuid.UUID, str, str]:
        """Its lane."""
        return self.gateway_id, self.epoch, self.lane

    @property
    def envelope(self) -> Envelope:
        """The batch as it came; of readings read anew, for its lists are larger than the arrays."""
        if self._envelope is None:
            self._envelope = open_batch(self.body)
        return self._envelope

    def raw_row(self, index: int) -> bytes:
        """A row, for those who look into what was refused."""
        return raw_row(self.envelope, index) if self.own_rows is None else self.own_rows[index]


def open_parcel(gateway_id: uuid.UUID, body: bytes, *, window: Window, secret_sha256: str | None = None) -> Parcel:
    """The batch in `body`.

    Raises:
        Invalid: when it cannot be understood as a whole.
    """
    batch = open_batch(body)
    readings = read_readings(batch, window) if batch.lane in OF_READINGS else None
    kept = batch if readings is None else None
    return Parcel(gateway_id, batch.epoch, batch.lane, body, window, readings, secret_sha256, kept)
