"""The report that people read: A4, by Typst, from the template `report.typ`."""

import importlib
import json
from collections.abc import Callable
from datetime import datetime
from importlib.resources import files
from typing import cast

from cloud_api.cold_chain.evidence.chart import svg
from cloud_api.cold_chain.evidence.figures import Figures, Series, figures_of
from cloud_api.cold_chain.evidence.gathering import Case, ExcursionFacts
from cloud_api.kernel import clock
from cloud_api.telemetry.series.exports import NotInstalled

#: of one series; more of the same helps nobody
_GAPS = 12
_SYMBOLS = {"Cel": "°C", "%": "%"}
_Compile = Callable[..., bytes]


def load_typst() -> _Compile:
    """What writes PDFs: large, and asked for only when somebody wants one.

    Raises:
        NotInstalled: when the extra `reports` is not.
    """
    try:
        typst = importlib.import_module("typst")
    except ImportError:
        raise NotInstalled(
            "PDF reports need the extra `reports`: pip install 'coldfleet[reports]' where the platform runs"
        ) from None
    return cast(_Compile, typst.compile)


def pdf(case: Case, compiler: _Compile) -> bytes:
    """The report of a case."""
    return rendered(case, compiler, format="pdf")


def rendered(case: Case, compiler: _Compile, **options: object) -> bytes:
    """The same, in another format that Typst knows."""
    template = files("cloud_api.cold_chain.evidence").joinpath("report.typ").read_bytes()
    data = json.dumps(contents(case), ensure_ascii=False)
    return compiler(template, sys_inputs={"data": data}, timestamp=int(case.made_at.timestamp()), **options)


def contents(case: Case) -> dict[str, object]:
    """What the template shows: texts that are ready, and pictures."""
    figures = [(series, figures_of(series)) for series in case.series]
    return {
        "title": case.title,
        "organization": case.organization,
        "facts": [
            *case.facts,
            ("Period", f"{_time(clock.from_ms(case.from_ms))} to {_time(clock.from_ms(case.to_ms))}"),
            ("Made", _time(case.made_at)),
            ("Readings", f"{sum(len(series.readings) for series in case.series):,}"),
            ("Excursions", str(len([facts for facts in case.excursions if facts.row.retracted_at is None]))),
        ],
        "summary": [_summary(series, its) for series, its in figures],
        "series": [_series(case, series, its) for series, its in figures],
        "excursions": [_excursion(facts) for facts in case.excursions],
        "exposures": [
            [number, place, f"{minutes:,.0f}", f"{degrees:,.0f}", _value(peak, ""), _value(kinetic, "")]
            for number, place, minutes, degrees, peak, kinetic in case.exposures
        ],
        "calibrations": [
            [
                facts.sensor,
                "from the beginning" if facts.row.from_ms <= 0 else _time(clock.from_ms(facts.row.from_ms)),
                f"× {facts.row.gain:g} {'−' if facts.row.offset < 0 else '+'} {abs(facts.row.offset):g}",
                facts.row.certificate or "none",
                "not said" if facts.row.due_on is None else facts.row.due_on.isoformat(),
            ]
            for facts in case.calibrations
        ],
    }


def _summary(series: Series, its: Figures) -> list[str]:
    unit = _SYMBOLS.get(series.watch.sensor.unit, series.watch.sensor.unit)
    share = "no limits" if its.share_in_range is None else f"{its.share_in_range:.1%}"
    return [
        series.title,
        series.place,
        *(_value(value, unit) for value in (its.minimum, its.mean, its.maximum, its.mean_kinetic_c)),
        share,
        str(len(its.gaps)),
    ]


def _series(case: Case, series: Series, its: Figures) -> dict[str, object]:
    mine = [facts.row for facts in case.excursions if facts.row.sensor_id == series.watch.sensor.id]
    spans = [
        (
            max(clock.to_ms(row.started_at), series.watch.from_ms),
            min(case.to_ms if row.ended_at is None else clock.to_ms(row.ended_at), series.watch.to_ms),
        )
        for row in mine
        if row.retracted_at is None
    ]
    gaps = [f"{_time(clock.from_ms(begin))}, {_length(end - begin)}" for begin, end in its.gaps[:_GAPS]]
    more = len(its.gaps) - len(gaps)
    shown = [span for span in spans if span[0] < span[1]]
    return {
        "title": series.title,
        "place": series.place,
        "unit": _SYMBOLS.get(series.watch.sensor.unit, series.watch.sensor.unit),
        "count": f"{its.count:,} readings" + (f", {its.bad:,} of them bad" if its.bad else ""),
        "chart": svg(series, its, shown),
        "gaps": [*gaps, f"and {more} more, see readings.csv"] if more else gaps,
    }


def _excursion(facts: ExcursionFacts) -> dict[str, object]:
    row = facts.row
    unit = _SYMBOLS.get(row.unit, row.unit)
    until = "goes on" if row.ended_at is None else _time(row.ended_at)
    steps = []
    if row.acknowledged_at is not None:
        steps.append(f"{_time(row.acknowledged_at)} acknowledged by {facts.acknowledged_by}: {row.acknowledgement}")
    steps += [f"{_time(at)} action by {who}: {what}" for at, who, what in facts.actions]
    if row.closed_at is not None:
        steps.append(f"{_time(row.closed_at)} closed by {facts.closed_by}, goods: {row.disposition}. {row.note}")
    if row.retracted_at is not None:
        steps.append(f"{_time(row.retracted_at)} retracted: readings that came late show that it never was")
    return {
        "head": f"{row.number} {row.severity}: {row.quantity} {row.kind}, limit {row.set_at:g} {unit}, "
        f"worst {row.peak_value:.1f} {unit}",
        "where": f"{facts.place}, sensor {facts.sensor}: {_time(row.started_at)} to {until}, {row.status}",
        "steps": steps,
    }


def _value(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:.1f} {unit}".rstrip()


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _length(length_ms: int) -> str:
    minutes = round(length_ms / 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
