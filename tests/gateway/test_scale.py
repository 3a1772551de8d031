import pytest

from gateway import decoders
from gateway.contract import Quality, ScaleState, Weighing, WeightBasis
from gateway.decoders.decoded import Decoded, DecodeError
from tests.gateway.running import NOW_MS


def lines(text: str, topic: str = "scale/hall 2/dock-1/raw") -> Decoded:
    return decoders.decode(topic, text.encode("latin-1"), NOW_MS)


@pytest.mark.parametrize(
    ("line", "weight_kg", "state", "basis", "unit"),
    [
        ("S S     100.00 g", 0.1, "stable", "net", "g"),
        ("S D      -0.5 kg", -0.5, "dynamic", "net", "kg"),
        ("S S 1,250 t", 1250.0, "stable", "net", "t"),
        ("S S 10 lb", 4.5359237, "stable", "net", "lb"),
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
    ],
)
def test_a_line_is_read_as_the_scale_meant_it(
    line: str, weight_kg: float | None, state: ScaleState, basis: WeightBasis, unit: str
) -> None:
    quality: Quality = "bad" if weight_kg is None else "good"
    expected = Weighing(0, "scale:hall 2/dock-1", weight_kg, state, unit, NOW_MS, basis, "gateway", quality)
    assert lines(line + "\r\n").weighings == (expected,)


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
    "line", ["S I", "S L", "ES", "EL", "ET", "T S 1.2 kg", "Z A", 'I4 A "123"', "ST,TR,+ 1.0kg", ""]
)
def test_what_is_no_weight_says_nothing(line: str) -> None:
    assert lines(line) == Decoded()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("S S 12.345", "no line of a scale"),
        ("S S 12.3", "no line of a scale"),
        ("S S 12.3 N", "N is no unit of mass"),
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


def test_what_is_no_text_and_no_such_topic_is_refused() -> None:
    with pytest.raises(DecodeError, match="ASCII"):
        lines("S S 1 kg\xff")
    for topic in ("scale/dock", "scale/raw", "scale/dock/status"):
        with pytest.raises(DecodeError, match="scale/<name>/raw"):
            lines("S S 1 kg", topic)
