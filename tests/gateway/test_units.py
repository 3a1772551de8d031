import pytest

from gateway.decoders.decoded import DecodeError
from gateway.decoders.units import CONVERSIONS, to_standard


@pytest.mark.parametrize(
    ("value", "written", "expected"),
    [
        (-18.4, "°C", (-18.4, "Cel")),
        (0.0, "[degF]", (-17.777777778, "Cel")),
        (-40.0, "°F", (-40.0, "Cel")),
        (255.15, "K", (-18.0, "Cel")),
        (61.5, "%RH", (61.5, "%")),
        (0.5, "/", (50.0, "%")),
        (101325.0, "Pa", (1013.25, "hPa")),
        (101.325, "kPa", (1013.25, "hPa")),
        (1013.25, "mbar", (1013.25, "hPa")),
        (29.92, "inHg", (1013.207489, "hPa")),
        (2985.0, "mV", (2.985, "V")),
        (12.5, "lb", (5.669904625, "kg")),
        (1000.0, "g", (1.0, "kg")),
        (2.5, "t", (2500.0, "kg")),
        (-71.0, "dBm", (-71.0, "dBm")),
        (350.0, " lux ", (350.0, "lx")),
    ],
)
def test_each_quantity_has_one_unit(value: float, written: str, expected: tuple[float, str]) -> None:
    converted, unit = to_standard(value, written)
    assert converted == pytest.approx(expected[0], abs=1e-6)
    assert unit == expected[1]


@pytest.mark.parametrize("written", ["", "furlong", "MV", "c"])
def test_a_unit_that_nobody_knows_is_refused(written: str) -> None:
    with pytest.raises(DecodeError, match="is not known"):
        to_standard(1.0, written)


def test_a_standard_unit_is_its_own() -> None:
    for conversion in CONVERSIONS.values():
        assert to_standard(1.5, conversion.unit) == (1.5, conversion.unit)
