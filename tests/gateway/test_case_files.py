"""`coldfleet gateway decode FILE...`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app
from tests.gateway.test_corpus import PAYLOADS


def decode(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["decode", *map(str, arguments)])


def lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def case(path: Path, **fields: object) -> Path:
    path.write_text(json.dumps({"topic": "zigbee2mqtt/room", "received_at": "2026-01-15T10:12:30.000Z"} | fields))
    return path


def test_a_line_a_file_in_the_words_of_the_corpus(tmp_path: Path) -> None:
    tag, scale = PAYLOADS / "zebra" / "fx_custom_single.json", PAYLOADS / "scale" / "us_nt_negative.json"
    result = decode(tag, scale, case(tmp_path / "a.json", payload={"temperature": 4, "contact": True}))
    assert result.exit_code == 0
    assert lines(result)[:2] == [
        {"file": str(path), "readings": json.loads(path.read_text())["expected"], "error": None}
        for path in (tag, scale)
    ]
    assert lines(result)[2]["readings"] == [
        {"sensor": "z2m:room", "quantity": name, "value": value, "unit": unit}
        | {"ts": None, "ts_source": "receive", "quality": "good"}
        for name, value, unit in (("temperature", 4, "Cel"), ("contact", True, "bool"))
    ]


def test_what_one_file_teaches_the_next_one_knows() -> None:
    description, reading = PAYLOADS / "homie" / "v5_description.json", PAYLOADS / "homie" / "v5_property.json"
    (alone,) = lines(decode(reading))
    _, taught = lines(decode(description, reading))
    assert taught["readings"] == json.loads(reading.read_text())["expected"]
    assert alone["readings"] != taught["readings"]


def test_what_cannot_be_decoded_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    broken = case(tmp_path / "a.json", payload_text='{"temperature": 4')
    half = case(tmp_path / "b.json", payload={"temperature": "warm", "humidity": 60})
    good = case(tmp_path / "c.json", payload_b64="eyJ0ZW1wZXJhdHVyZSI6IDR9")
    result = decode(broken, half, good)
    assert result.exit_code == 0
    first, second, third = lines(result)
    assert (first["readings"], third["error"]) == ([], None)
    assert "JSON" in str(first["error"])
    assert second["error"] == "temperature: 'warm' is no value in Cel."
    assert [len(list(line["readings"])) for line in (second, third)] == [1, 1]  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "no case file"),
        ("[]", "no case file"),
        ('{"topic": "a"}', "neither payload"),
        ('{"payload": {}}', "`topic`"),
        ('{"topic": "a", "payload_b64": "?"}', "no base64"),
        ('{"topic": "a", "payload": 1, "received_at": "soon"}', "received_at"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_no_case_is_told_and_the_others_go_on(
    tmp_path: Path, content: str | None, sentence: str
) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_text(content)
    result = decode(path, case(tmp_path / "b.json", payload={"temperature": 4}))
    assert result.exit_code == 1
    first, second = lines(result)
    assert first["readings"] == []
    assert sentence in str(first["error"])
    assert second["error"] is None


def test_the_mappings_of_a_configuration_are_asked_first(tmp_path: Path) -> None:
    settings = tmp_path / "gateway.toml"
    settings.write_text(
        """
        data_dir = "/var/lib/coldfleet"
        [cloud]
        url = "https://cold.example.com"
        [listener]
        anonymous = true
        [[mappings]]
        topic = "zigbee2mqtt/{name}"
        sensor = "mine:{name}"
        [[mappings.values]]
        path = "$.t"
        quantity = "temperature"
        unit = "K"
        """
    )
    message = case(tmp_path / "a.json", payload={"t": 255.15})
    (line,) = lines(decode("--config", settings, message))
    (reading,) = list(line["readings"])  # type: ignore[call-overload]
    assert (reading["sensor"], reading["value"]) == ("mine:room", -18.0)
    settings.write_text(settings.read_text().replace('"K"', '"furlong"'))
    result = decode("--config", settings, message)
    assert result.exit_code == 1
    assert "mappings[0].values[0].unit: 'furlong'" in result.output
