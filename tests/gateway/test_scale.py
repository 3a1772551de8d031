import pytest

from gateway import decoders
from gateway.contract import Quality, ScaleState, Weighing, WeightBasis
from gateway.decoders.decoded import Decoded, DecodeError
from tests.gateway.instants import NOW_MS


def lines(text: str, topic: str = "scale/hall 2/dock-1/raw") -> Decoded:
    return decoders.decode(topic, text.encode("latin-1"), NOW_MS)


@pytest.mark.parametrize(
    ("line", "weight_kg", "state", "basis", "unit"),
    [
        ("S S     100.00 g", 0.1, "stable", "net", "g"),
        ("S D      -0.5 kg", -0.5, "dynamic", "net", "kg"),
        ("S S 1,250 t", 1250.0, "stable", "net", "t"),
        ("S S 10 lb", 4.5359237, "stable", "net", "lb"),
        ("S S     19.6133 N", 2.0, "stable", "net", "N"),
        ("SI S 1.5 kg", 1.5, "stable", "net", "kg"),
        ("S M 0.002 kg", 0.002, "stable", "net", "kg"),
        ("S S   -   0,5 kg", -0.5, "stable", "net", "kg"),
        ("S +", None, "overload", "net", "kg"),
        ("S -", None, "underload", "net", "kg"),
        ("ST,GS,+  12.34kg", 12.34, "stable", "gross", "kg"),
        ("ST,NT,-  12,34 kg", -12.34, "stable", "net", "kg"),
        ("US,GS,+   0.86kg", 0.86, "dynamic", "gross", "kg"),
        ("ST,GS     1.000KG", 1.0, "stable", "gross", "kg"),
        ("01ST,GS,     0.0,kg", 0.0, "stable", "gross", "kg"),
        ("ST,+00012.345  g", 0.012345, "stable", "unknown", "g"),
        ("OL,GS,+      . kg", None, "overload", "gross", "kg"),
        ("OL,+9999999E+19", None, "overload", "unknown", "kg"),
        ("UL,NT,-  -----  kg", None, "underload", "net", "kg"),
        ("02OL,GS,  ^^^^^,g", None, "overload", "gross", "g"),
        ("ST,-00000.5 lb", -0.226796185, "stable", "unknown", "lb"),
        ("ST,NT,\x01\x40,+  12.345 kg", 12.345, "stable", "net", "kg"),
        ("US,GS,\x01\xc4,-   0.345 kg", -0.345, "dynamic", "gross", "kg"),
        ("1ST,     0.5,PT   20.8,         0,kg", 0.5, "stable", "net", "kg"),
        ("011US,    12.5,     0.0,         0,kg,01/02/19 11:12:13", 12.5, "dynamic", "net", "kg"),
        ("ST,1,     100.0kg,PT      20.0kg", 100.0, "stable", "gross", "kg"),
        ("+   1255.7 g  ", 1.2557, "stable", "unknown", "g"),
        ("-    123.5[6] g", -0.12356, "stable", "unknown", "g"),
        ("N     +  123.56 kg ", 123.56, "stable", "net", "kg"),
        ("G#    +  1255.7 g  ", 1.2557, "stable", "gross", "g"),
        ("Stat        H", None, "overload", "unknown", "kg"),
        ("      Low     ", None, "underload", "unknown", "kg"),
        ("       12.73 g    ?", 0.01273, "dynamic", "unknown", "g"),
        ("        0.85 oz     NET", 0.02409709465625, "stable", "net", "oz"),
        ("^^^^^^^^^ kg", None, "overload", "unknown", "kg"),
        (" 1G        12.345kg ", 12.345, "stable", "gross", "kg"),
        (" 1NM       -2.000lb ", -0.90718474, "dynamic", "net", "lb"),
        ("NET  12.34 kg", 12.34, "dynamic", "net", "kg"),
        ("ww0012.34kg", 12.34, "dynamic", "gross", "kg"),
        ("O1G    ---------kg ", None, "overload", "gross", "kg"),
    ],
)
def test_a_line_is_read_as_the_scale_meant_it(
    line: str, weight_kg: float | None, state: ScaleState, basis: WeightBasis, unit: str
) -> None:
    quality: Quality = "bad" if weight_kg is None else "good"
    decoded = lines(line + "\r\n")
    assert decoded.problems == ()
    (weighing,) = decoded.weighings
    assert weighing.weight_kg == (None if weight_kg is None else pytest.approx(weight_kg))
    expected = Weighing(0, "scale:hall 2/dock-1", weighing.weight_kg, state, unit, NOW_MS, basis, "gateway", quality)
    assert weighing == expected


def test_one_message_may_hold_several_lines() -> None:
    decoded = lines("S D 1.5 kg\r\nS D 2.0 kg\r\n\r\nS S 2.1 kg\r\nS S 2.1 kg\r\n")
    assert [(one.state, one.weight_kg) for one in decoded.weighings] == [
        ("dynamic", 1.5),
        ("dynamic", 2.0),
        ("stable", 2.1),
        ("stable", 2.1),
    ]
    assert decoded.problems == ()


@pytest.mark.parametrize(
    "line",
    [
        "S I",
        "S L",
        "ES",
        "EL",
        "ET",
        "T S 1.2 kg",
        "Z A",
        'I4 A "123"',
        "ST,TR,+ 1.0kg",
        "",
        "ST,VL, 1203,uV",
        "ST A",
        "Stat        C",
        "T1    +   0.500 kg ",
    ],
)
def test_what_is_no_weight_says_nothing(line: str) -> None:
    assert lines(line) == Decoded()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("S S 12.345", "no line of a scale"),
        ("S S 12.3", "no line of a scale"),
        ("S S 12.3 PCS", "PCS is no unit of mass"),
        ("   12.34 kg", "no line of a scale"),
        ("ST,GS,+  12.", "no line of a scale"),
        ("E1G    ---------kg ", "reports an error"),
        ("S S 1 kg\xff", "ASCII"),
        ("ST,GS,+ 120PCS", "PCS is no unit of mass"),
        ("ST,GS,+      kg", "no line of a scale"),
        ("T,GS,+  12.34kg", "no line of a scale"),
        ("12.34 kg", "no line of a scale"),
        ("S S 1.2.3 kg", "no line of a scale"),
        ("nonsense", "no line of a scale"),
    ],
)
def test_a_line_that_is_cut_or_no_mass_is_a_problem_and_spares_its_neighbours(line: str, reason: str) -> None:
    decoded = lines(f"{line}\r\nS S 1 kg")
    assert [one.weight_kg for one in decoded.weighings] == [1.0]
    assert len(decoded.problems) == 1
    assert reason in decoded.problems[0]


def test_another_topic_is_refused() -> None:
    for topic in ("scale/dock", "scale/raw", "scale/dock/status"):
        with pytest.raises(DecodeError, match="scale/<name>/raw"):
            lines("S S 1 kg", topic)
