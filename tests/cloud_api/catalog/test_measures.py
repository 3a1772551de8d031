"""Units: there and back without a drift, whatever was said; and what stock cannot hold is refused, never rounded."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from cloud_api.catalog.errors import ContradictoryUnits, UnknownUnit, WrongQuantity
from cloud_api.catalog.products import measures
from cloud_api.catalog.products.measures import COUNT, MASS, VOLUME, Pack, convert, factors, resolve, stock_quantity

quantities = st.decimals(min_value=Decimal("-99999"), max_value=Decimal(99999), places=6)
held = st.integers(min_value=-(10**12), max_value=10**12).map(lambda value: Decimal(value).scaleb(-3))
sizes = st.integers(min_value=1, max_value=10_000)


@st.composite
def said(draw: st.DrawFn) -> tuple[str, list[Pack]]:
    """A product counted in something, and packs of it that hold one another, in whatever order."""
    stock_unit = draw(st.sampled_from([*MASS, *VOLUME, *COUNT, "crate", "bunch"]))
    names = draw(st.lists(st.sampled_from(["tray", "box_of", "layer", "truck", "net"]), unique=True))
    packs = []
    known = [*factors(stock_unit, {})]
    for name in names:
        of = draw(st.sampled_from(known))
        packs.append(Pack(name, Decimal(draw(sizes)) / 8, of, per=draw(sizes)))
        known.append(name)
    try:
        resolve(stock_unit, packs)
    except WrongQuantity:  # a truck of ounces in milligrams: no column holds that
        reject()
    return stock_unit, draw(st.permutations(packs))


@given(said(), quantities, st.data())
def test_there_and_back_is_where_one_was(packs: tuple[str, list[Pack]], quantity: Decimal, data: st.DataObject) -> None:
    stock_unit, lines = packs
    known = factors(stock_unit, resolve(stock_unit, lines))
    unit = data.draw(st.sampled_from(sorted(known)))
    there = convert(quantity, factor=known[unit])
    assert there / known[unit] == Fraction(quantity)


@given(said(), st.data())
def test_two_ways_lead_to_the_same(packs: tuple[str, list[Pack]], data: st.DataObject) -> None:
    stock_unit, lines = packs
    known = factors(stock_unit, resolve(stock_unit, lines))
    for pack in lines:
        assert known[pack.unit] * pack.per == known[pack.of] * Fraction(pack.quantity)
    for family in measures.FAMILIES:
        if family.keys() & known.keys():
            assert family.keys() <= known.keys()
            assert len({known[unit] / size for unit, size in family.items()}) == 1, "a kilogram is a thousand grams"
    assert resolve(stock_unit, data.draw(st.permutations(lines))) == resolve(stock_unit, lines)


@given(said(), held, st.data())
def test_what_stock_holds_is_exactly_what_was_meant(
    packs: tuple[str, list[Pack]], quantity: Decimal, data: st.DataObject
) -> None:
    """A hundred conversions of the same thing change nothing (grocy#1769: 0.333 x 3 were no 1)."""
    stock_unit, lines = packs
    known = factors(stock_unit, resolve(stock_unit, lines))
    unit = data.draw(st.sampled_from(sorted(known)))
    try:
        kept = stock_quantity(quantity, unit, stock_unit=stock_unit, known=known)
    except WrongQuantity:
        assert (Fraction(quantity) * known[unit] * 1000).denominator != 1 or abs(
            quantity * known[unit].numerator
        ) > 10**9
        return
    assert Fraction(kept) == Fraction(quantity) * known[unit]
    for _ in range(100):
        back = Fraction(kept) / known[unit]
        assert back == Fraction(quantity)
        kept = stock_quantity(Decimal(back.numerator) / back.denominator, unit, stock_unit=stock_unit, known=known)
    assert Fraction(kept) == Fraction(quantity) * known[unit]


def test_constants_are_what_the_law_says() -> None:
    """grocy#2578: 28 g for an ounce loses an egg in every cake."""
    in_kg = factors("kg", {})
    assert in_kg["lb"] == Fraction("0.45359237")
    assert in_kg["oz"] * 16 == in_kg["lb"]
    in_liters = factors("liter", {})
    assert in_liters["us_gallon"] == Fraction(231 * 254**3, 10**6 * 1000), "231 cubic inches of 2.54 cm"
    assert in_liters["imperial_gallon"] == Fraction("4.54609")
    assert in_liters["us_gallon"] / in_liters["us_fluid_ounce"] == 128
    assert in_liters["imperial_gallon"] / in_liters["imperial_fluid_ounce"] == 160
    assert factors("piece", {})["dozen"] == 12


def test_a_pallet_of_crates_of_kilograms_whatever_comes_first() -> None:
    lines = [Pack("pallet", Decimal(40), "crate"), Pack("crate", Decimal(12), "kg"), Pack("bunch", Decimal(1), "kg", 8)]
    packs = resolve("kg", lines)
    assert packs == {"crate": 12, "pallet": 480, "bunch": Fraction(1, 8)}
    known = factors("kg", packs)
    assert stock_quantity(Decimal("2.5"), "pallet", stock_unit="kg", known=known) == Decimal("1200.000")
    assert stock_quantity(Decimal(3), "bunch", stock_unit="kg", known=known) == Decimal("0.375")
    assert stock_quantity(Decimal(250), "g", stock_unit="kg", known=known) == Decimal("0.250")


def test_goods_counted_in_crates_are_sold_by_the_kilogram() -> None:
    known = factors("crate", resolve("crate", [Pack("kg", Decimal(1), "crate", per=12)]))
    assert known["g"] == Fraction(1, 12_000)
    assert stock_quantity(Decimal(6), "kg", stock_unit="crate", known=known) == Decimal("0.500")


def test_what_three_decimals_cannot_hold_is_refused_with_the_nearest_that_they_can() -> None:
    with pytest.raises(WrongQuantity, match=r"1 lb are 0\.45359237 kg.*say 0\.453 or 0\.454 kg"):
        stock_quantity(Decimal(1), "lb", stock_unit="kg", known=factors("kg", {}))
    known = factors("crate", resolve("crate", [Pack("kg", Decimal(1), "crate", per=12)]))
    with pytest.raises(WrongQuantity, match="1/12 crate"):
        stock_quantity(Decimal(1), "kg", stock_unit="crate", known=known)
    with pytest.raises(WrongQuantity, match="more kg than can be kept"):
        stock_quantity(Decimal(10**9), "t", stock_unit="kg", known=factors("kg", {}))


def test_a_unit_nobody_knows_is_named_with_those_that_are() -> None:
    with pytest.raises(UnknownUnit, match=r"how many kg one crate is: use one of g, kg, lb, mg, oz, t"):
        stock_quantity(Decimal(1), "crate", stock_unit="kg", known=factors("kg", {}))
    with pytest.raises(UnknownUnit, match="one barrel is"):
        resolve("kg", [Pack("crate", Decimal(1), "barrel")])


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([Pack("g", Decimal(1), "kg")], "one g is 0.001 kg already"),
        ([Pack("kg", Decimal(2), "kg")], "one kg is 1 kg already"),
        ([Pack("crate", Decimal(12), "kg"), Pack("crate", Decimal(10), "kg")], "one crate is 12 kg already"),
        ([Pack("crate", Decimal(2), "box"), Pack("box", Decimal(1), "crate", 2)], "crate, box hold one another"),
        ([Pack("crate", Decimal(1), "crate")], "crate hold one another"),
        # eggs at 50 g and dozens at 650 g: which of the two?
        ([Pack("piece", Decimal(50), "g"), Pack("dozen", Decimal(650), "g")], "one dozen is 0.6 kg already"),
    ],
)
def test_packs_that_contradict_are_refused(lines: list[Pack], problem: str) -> None:
    with pytest.raises(ContradictoryUnits, match=problem):
        resolve("kg", lines)
