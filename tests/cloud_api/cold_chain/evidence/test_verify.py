"""The check of evidence: RFC 8032's own vectors, and no byte can be changed without its place being named."""

import csv
import io
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_api.cold_chain.evidence import tables, verify
from cloud_api.cold_chain.evidence.bundle import Bundle
from tests.cloud_api.cold_chain.evidence.cases import make_case

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
SOMEBODY_ELSE = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))

#: RFC 8032, section 7.1: tests 1, 2 and 3: (public key, message, signature)
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
        "655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
        "b00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
        "c027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("public_key", "message", "signature"), VECTORS)
def test_the_vectors_of_the_standard_are_signatures(public_key: str, message: str, signature: str) -> None:
    assert verify.is_signature(*(bytes.fromhex(text) for text in (signature, message, public_key)))
    assert not verify.is_signature(bytes.fromhex(signature), b"other", bytes.fromhex(public_key))


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 95), st.integers(1, 255))
def test_what_another_library_signs_is_a_signature_and_with_any_byte_changed_it_is_none(
    message: bytes, at: int, flip: int
) -> None:
    signature = KEY.sign(message)
    assert verify.is_signature(signature, message, PUBLIC)
    both = bytearray(signature + PUBLIC)
    both[at] ^= flip
    assert not verify.is_signature(bytes(both[:64]), message, bytes(both[64:]))


def test_a_signature_whose_number_is_too_great_is_none() -> None:
    signature = KEY.sign(b"x")
    order = 2**252 + 27742317777372353535851937790883648493
    greater = int.from_bytes(signature[32:], "little") + order
    assert not verify.is_signature(signature[:32] + greater.to_bytes(32, "little"), b"x", PUBLIC)


def sealed(key: Ed25519PrivateKey = KEY) -> bytes:
    bundle = Bundle(make_case())
    manifest = bundle.write("https://coldfleet.example/api/v1/evidence/key")
    signature = key.sign(verify.DOMAIN + manifest).hex()
    bundle.seal(manifest, public_key=key.public_key().public_bytes_raw().hex(), signature=signature)
    with bundle.file as file:
        return file.read()


@cache
def files() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(sealed())) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def run(*arguments: str, folder: Path) -> tuple[int, str]:
    """As an auditor does: the program that lies in the folder, in an interpreter that has nothing else."""
    found = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert found.stderr == "" or found.returncode == 2
    return found.returncode, found.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, contents in files().items():
        (tmp_path / name).write_bytes(contents)
    return tmp_path


def test_an_auditor_needs_the_folder_and_an_interpreter(folder: Path) -> None:
    code, said = run(folder=folder)
    assert (code, said.splitlines()[0]) == (0, "intact: place 1; 1410 readings, 5 files")
    assert said.splitlines()[1] == f"signed with {PUBLIC.hex()}"
    assert run("--key", PUBLIC.hex(), folder=folder)[0] == 0
    (folder / "whole.zip").write_bytes(sealed())
    assert run("whole.zip", folder=folder)[0] == 0
    assert run("nowhere", folder=folder)[0] == 2


def test_whoever_signs_it_anew_is_somebody_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(sealed(SOMEBODY_ELSE))) as opened:
        opened.extractall(tmp_path)
    assert run(folder=tmp_path)[0] == 0
    code, said = run("--key", PUBLIC.hex(), folder=tmp_path)
    assert (code, "another key" in said) == (1, True)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_byte_changed_anywhere_is_refused_and_its_file_is_named(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(files())))
    changed = bytearray(files()[name])
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(verify.Changed, match=name.replace(".", r"\.")):
        verify.verify({**files(), name: bytes(changed)})


def row_of(at: int) -> int:
    return files()["readings.csv"].count(b"\n", 0, at) + 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(tables.READINGS_HEADER) + 80_000), st.integers(1, 255))
def test_of_the_readings_the_day_and_the_row_are_named(at: int, flip: int) -> None:
    contents = bytearray(files()["readings.csv"])
    at %= len(contents)
    contents[at] ^= flip
    with pytest.raises(verify.Changed) as refused:
        verify.verify({**files(), "readings.csv": bytes(contents)})
    number = row_of(at)
    if number == 1:
        assert "row 1, its heading" in str(refused.value)
    else:
        day = files()["readings.csv"].splitlines()[number - 1][:10].decode()
        assert f"on {day}, in row {number}:" in str(refused.value)


def test_a_row_less_and_a_row_more_are_named() -> None:
    lines = files()["readings.csv"].splitlines(keepends=True)
    for contents, said in (
        (lines[:-1], "cut off on 2026-02-01, after row 1410"),
        ([*lines[:700], *lines[701:]], "in row 701"),
        ([*lines, lines[-1]], "from row 1412"),
        ([*lines[:10], lines[11], lines[10], *lines[12:]], "in row 11"),
    ):
        with pytest.raises(verify.Changed, match=said):
            verify.verify({**files(), "readings.csv": b"".join(contents)})


def test_a_day_whose_marks_were_reckoned_anew_is_named() -> None:
    lines = files()["readings.csv"].decode().splitlines()
    lines[5] = lines[5].replace("z2m", "Z2M")
    previous = verify.FIRST
    for number, line in enumerate(lines[1:], 1):
        text = line.rpartition(",")[0]
        previous = verify.mark(previous, text)
        lines[number] = f"{text},{previous}"
    contents = "".join(f"{line}\r\n" for line in lines).encode()
    with pytest.raises(verify.Changed, match="was written anew on 2026-01-31, rows 2 to"):
        verify.verify({**files(), "readings.csv": contents})


def test_a_file_less_and_a_file_more_are_named() -> None:
    for name in sorted(files()):
        fewer = {other: contents for other, contents in files().items() if other != name}
        with pytest.raises(verify.Changed, match=f"{name} is missing"):
            verify.verify(fewer)
    with pytest.raises(verify.Changed, match=r"more\.csv does not belong"):
        verify.verify({**files(), "more.csv": b""})


def test_a_damaged_zip_is_named(folder: Path) -> None:
    (folder / "half.zip").write_bytes(sealed()[:5000])
    code, said = run("half.zip", folder=folder)
    assert (code, "half.zip is damaged" in said) == (1, True)


def test_readings_keep_raw_corrected_quality_and_sequence() -> None:
    rows = list(csv.DictReader(io.StringIO(files()["readings.csv"].decode())))
    assert len(rows) == 1410
    first = rows[0]
    assert (first["recorded_at"], first["sensor"], first["unit"]) == ("2026-01-31T08:00:00.000Z", "z2m:room-0", "Cel")
    assert float(first["corrected"]) == pytest.approx(float(first["raw"]) - 0.2)
    assert (first["quality"], first["lane"], first["sequence"]) == ("good", "1", "0")
    assert [row["recorded_at"] for row in rows] == sorted(row["recorded_at"] for row in rows)


def test_a_name_with_commas_quotes_and_line_ends_tears_no_row() -> None:
    case = make_case(code='z2m:"a,b"\r\n=1+1')
    days = list(tables.ReadingRows(case.series).days())
    text = tables.READINGS_HEADER + "".join(row for _, rows in days for row in rows)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {row["sensor"] for row in rows} == {'z2m:"a,b"  =1+1'}
    assert case.made_at <= datetime.now(UTC)
