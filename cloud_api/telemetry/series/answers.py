"""Long answers, encoded at once: of many thousand numbers, a model of each would cost more than reading them."""

import uuid
from collections.abc import Sequence
from datetime import datetime

import msgspec
import numpy as np
import numpy.typing as npt

from cloud_api.kernel import clock
from cloud_api.telemetry.series import kinetics
from cloud_api.telemetry.series.aggregates import Answer, Asked
from cloud_api.telemetry.series.holding import longest_ms
from cloud_api.telemetry.series.service import PLACES, Latest

_encode = msgspec.json.Encoder().encode

#: NaN is written as null
Numbers = npt.NDArray[np.float64]


def enveloped(data: object) -> bytes:
    """`data` in the success envelope."""
    return _encode({"success": True, "data": data, "meta": {"limit": None, "next_cursor": None}, "message": None})


class _Latest(msgspec.Struct):
    """`schemas.LatestRead`, quickly."""

    sensor_id: uuid.UUID
    location_id: uuid.UUID | None
    code: str
    quantity: str
    unit: str
    value: float
    raw_value: float
    quality: str
    recorded_at: datetime
    age_s: float
    expected_s: float | None
    stale: bool | None


def latest(rows: Sequence[Latest]) -> bytes:
    """A list of `schemas.LatestRead`."""
    return enveloped([_Latest(*row[:8], clock.from_ms(row.recorded_at_ms), *row[9:]) for row in rows])


def aggregate(asked: Asked, answer: Answer) -> bytes:
    """`schemas.AggregateRead`."""
    edges = answer.edges_ms
    return enveloped(
        {
            "bucket": asked.bucket.name,
            "zone": asked.zone,
            "since": clock.from_ms(int(edges[0])),
            "until": clock.from_ms(int(edges[-1])),
            "begins_ms": edges[:-1].tolist(),
            "series": _series(asked, answer),
        }
    )


def _series(asked: Asked, answer: Answer) -> list[dict[str, object]]:
    tally, extras = answer.tally, answer.extras
    none = tally.counts == 0
    minima = np.where(none, np.nan, np.round(tally.minima, PLACES))
    means, maxima = np.round(tally.means(), PLACES), np.where(none, np.nan, np.round(tally.maxima, PLACES))
    made = []
    for index, stream in enumerate(answer.streams):
        sensor, lists, whole = stream.sensor, dict[str, object](), dict[str, object]()
        if extras is not None:
            known_s = extras.known_s[index] if asked.lasting else None
            lists["above_s"], whole["above_s"] = _beyond(asked.above, extras.above_s[index], known_s)
            lists["below_s"], whole["below_s"] = _beyond(asked.below, extras.below_s[index], known_s)
            if known_s is not None:
                lists["known_s"], whole["known_s"] = known_s.tolist(), float(known_s.sum())
            if asked.kinetic and answer.warm[index]:
                rates, counts = extras.rates[index], extras.rate_counts[index]
                lists["mkt_c"] = np.round(kinetics.mean_kinetic_c(rates, counts), PLACES).tolist()
                total, number = np.array([rates.sum()]), np.array([counts.sum()])
                whole["mkt_c"] = round(float(kinetics.mean_kinetic_c(total, number)[0]), PLACES)
        count = int(tally.counts[index].sum())
        made.append(
            {
                "sensor_id": sensor.id,
                "location_id": sensor.location_id,
                "code": sensor.code,
                "quantity": sensor.quantity,
                "unit": sensor.unit,
                "counts": tally.counts[index].tolist(),
                "minima": minima[index].tolist(),
                "means": means[index].tolist(),
                "maxima": maxima[index].tolist(),
                **dict.fromkeys(("above_s", "below_s", "known_s", "mkt_c")),
                **lists,
                "hold_s": longest_ms(stream.expected_ms) / 1000,
                "whole": {
                    "count": count,
                    "minimum": round(float(tally.minima[index].min()), PLACES) if count else None,
                    "mean": round(float(tally.totals[index].sum() / count), PLACES) if count else None,
                    "maximum": round(float(tally.maxima[index].max()), PLACES) if count else None,
                    **dict.fromkeys(("above_s", "below_s", "known_s", "mkt_c")),
                    **whole,
                },
            }
        )
    return made


def _beyond(limit: float | None, seconds: Numbers, known_s: Numbers | None) -> tuple[list[float] | None, float | None]:
    """(each bucket's, all together); None where nobody asked, and NaN where nothing is known."""
    if limit is None or known_s is None:
        return None, None
    all_s = float(seconds.sum()) if known_s.any() else None
    listed: list[float] = np.where(known_s > 0, seconds, np.nan).tolist()
    return listed, all_s
