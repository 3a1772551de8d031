"""A series as a picture: SVG that is readable in black and white."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np

from cloud_api.cold_chain.evidence.figures import Figures, Series
from cloud_api.kernel import clock

_WIDTH, _HEIGHT = 540.0, 168.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 8.0, 8.0, 20.0
#: points across: more than a printer shows
_BUCKETS = 480
_HOUR = timedelta(hours=1)
#: how far the labels of the axis may lie apart
_PACES = (_HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, 24 * _HOUR, 48 * _HOUR, 7 * 24 * _HOUR, 14 * 24 * _HOUR)
_FONT = 'font-family="DejaVu Sans Mono" font-size="6.5"'


class _Frame:
    """Where times and values lie on the paper."""

    def __init__(self, series: Series, figures: Figures) -> None:
        self.from_ms, self.to_ms = series.watch.from_ms, series.watch.to_ms
        limits = (series.limits.low, series.limits.high)
        known = [value for value in (figures.minimum, figures.maximum, *limits) if value is not None]
        low, high = min(known, default=0.0), max(known, default=1.0)
        margin = max((high - low) * 0.08, 0.5)
        self.low, self.high = low - margin, high + margin

    def x(self, at_ms: float) -> float:
        """Across, in points."""
        share = (at_ms - self.from_ms) / max(self.to_ms - self.from_ms, 1)
        return _LEFT + min(max(share, 0.0), 1.0) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Down, in points."""
        return _TOP + (self.high - value) / (self.high - self.low) * (_HEIGHT - _TOP - _BOTTOM)


def svg(series: Series, figures: Figures, excursions: Sequence[tuple[int, int]]) -> str:
    """The series with its limits, gaps and excursions ([from, to) in milliseconds).

    A line is the mean of a stretch, the band around it reaches from its least to its greatest value. Limits are dashed,
    excursions striped, gaps dotted.
    """
    frame = _Frame(series, figures)
    parts = [
        *_head(),
        *_areas(frame, excursions, "stripes"),
        *_areas(frame, figures.gaps, "dots"),
        *_axes(frame),
        *_line(frame, series),
        *_limits(frame, series),
    ]
    return "".join([*parts, "</svg>"])


def _head() -> Iterator[str]:
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}">'
    yield '<defs><pattern id="stripes" width="5" height="5" patternUnits="userSpaceOnUse"'
    yield ' patternTransform="rotate(45)"><rect width="5" height="5" fill="#f3d9d3"/>'
    yield '<line x1="0" y1="0" x2="0" y2="5" stroke="#8a3324" stroke-width="1.4"/></pattern>'
    yield '<pattern id="dots" width="4" height="4" patternUnits="userSpaceOnUse">'
    yield '<circle cx="2" cy="2" r="0.6" fill="#777"/></pattern></defs>'


def _areas(frame: _Frame, spans: Sequence[tuple[int, int]], pattern: str) -> Iterator[str]:
    for begin, end in spans:
        left, right = frame.x(begin), frame.x(end)
        yield f'<rect x="{left:.1f}" y="{_TOP:g}" width="{max(right - left, 0.8):.1f}" '
        yield f'height="{_HEIGHT - _TOP - _BOTTOM:g}" fill="url(#{pattern})"/>'


def _axes(frame: _Frame) -> Iterator[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    yield f'<path d="M{_LEFT:g} {_TOP:g}V{bottom:g}H{right:g}" fill="none" stroke="#000" stroke-width="0.6"/>'
    for value in _round_values(frame.low, frame.high):
        y = frame.y(value)
        yield f'<path d="M{_LEFT:g} {y:.1f}H{right:g}" stroke="#ccc" stroke-width="0.3"/>'
        yield f'<text x="{_LEFT - 4:g}" y="{y + 2.2:.1f}" text-anchor="end" {_FONT}>{value:g}</text>'
    for at, label in _labels(frame):
        x = frame.x(clock.to_ms(at))
        yield f'<path d="M{x:.1f} {bottom:g}v3" stroke="#000" stroke-width="0.6"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 10:g}" text-anchor="middle" {_FONT}>{label}</text>'


def _round_values(low: float, high: float) -> list[float]:
    """Four to eight values of a pace that people count in."""
    pace = next(pace for pace in _paces() if (high - low) / pace <= 8)
    return [round(index * pace, 6) for index in range(int(np.ceil(low / pace)), int(np.floor(high / pace)) + 1)]


def _paces() -> Iterator[float]:
    power = 0.01
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def _labels(frame: _Frame) -> Iterator[tuple[datetime, str]]:
    """Where the axis of time is labelled: whole hours or days, in UTC."""
    since, until = clock.from_ms(frame.from_ms), clock.from_ms(frame.to_ms)
    pace = next((pace for pace in _PACES if (until - since) / pace <= 9), 60 * 24 * _HOUR)
    at = since.replace(hour=0, minute=0, second=0, microsecond=0)
    while at <= until:
        if at >= since:
            yield at, f"{at:%d %b}" if pace >= 24 * _HOUR or at.hour == 0 else f"{at:%H:%M}"
        at += pace


def _line(frame: _Frame, series: Series) -> Iterator[str]:
    """Stretches without a gap, each a band and a line."""
    steps = series.steps
    if not len(steps):
        return
    width = max((frame.to_ms - frame.from_ms) // _BUCKETS, 1)
    torn = np.concatenate(([0], np.cumsum(steps.begins_ms[1:] > steps.ends_ms[:-1])))
    buckets = (steps.begins_ms - frame.from_ms) // width
    starts = np.flatnonzero(np.concatenate(([True], (np.diff(buckets) != 0) | (np.diff(torn) != 0))))
    counts = np.diff(np.append(starts, len(steps)))
    means = np.add.reduceat(steps.values, starts) / counts
    lows, highs = np.minimum.reduceat(steps.values, starts), np.maximum.reduceat(steps.values, starts)
    begins, ends = steps.begins_ms[starts], steps.ends_ms[starts + counts - 1]
    for piece in range(int(torn[-1]) + 1):
        its = np.flatnonzero(torn[starts] == piece)
        # drawn to its very end, so that a lone reading is seen too
        times = [*((begins[its] + ends[its]) / 2), float(ends[its[-1]])]
        upper = [*highs[its], highs[its[-1]]]
        lower = [*lows[its], lows[its[-1]]]
        there = [f"{frame.x(at):.1f} {frame.y(value):.1f}" for at, value in zip(times, upper, strict=True)]
        back = [f"{frame.x(at):.1f} {frame.y(value):.1f}" for at, value in zip(times, lower, strict=True)]
        yield f'<path d="M{"L".join([*there, *reversed(back)])}Z" fill="#999" fill-opacity="0.45"/>'
        middle = [*means[its], means[its[-1]]]
        points = [f"{frame.x(at):.1f} {frame.y(value):.1f}" for at, value in zip(times, middle, strict=True)]
        yield f'<path d="M{"L".join(points)}" fill="none" stroke="#000" stroke-width="0.8"/>'


def _limits(frame: _Frame, series: Series) -> Iterator[str]:
    for value in (series.limits.low, series.limits.high):
        if value is not None:
            y = frame.y(value)
            yield f'<path d="M{_LEFT:g} {y:.1f}H{_WIDTH - _RIGHT:g}" stroke="#000" stroke-width="0.7" '
            yield 'stroke-dasharray="5 2.5"/>'
            yield f'<text x="{_WIDTH - _RIGHT:g}" y="{y - 2:.1f}" text-anchor="end" {_FONT}>limit {value:g}</text>'
