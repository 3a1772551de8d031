"""What `docs/security/asvs.md` claims is there: each requirement has one line, and each test it names exists."""

import ast
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.architecture.source import ROOT

SECURITY = ROOT / "docs" / "security"
PAGE = SECURITY / "asvs.md"
IDS = tuple(
    line
    for line in Path(__file__).with_name("asvs_5_0_level_2.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
VERDICTS = ("met", "not met", "not applicable")
LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Line:
    """One row of the page."""

    id: str
    verdict: str
    ground: str

    @property
    def ids(self) -> tuple[str, ...]:
        """Itself, or all that `V3.3.*` stands for."""
        if not self.id.endswith(".*"):
            return (self.id,)
        return tuple(id for id in IDS if id.startswith(self.id.removesuffix("*")))


def rows(text: str, begin: str) -> Iterator[list[str]]:
    """The cells of each row of a table whose first cell fits `begin` whole."""
    for row in text.splitlines():
        if row.startswith("|"):
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            if re.fullmatch(begin, cells[0]):
                yield cells


def lines(text: str) -> list[Line]:
    return [Line(cells[0], cells[2], "|".join(cells[3:])) for cells in rows(text, r"V\d[\d.]*\*?")]


@cache
def functions(path: Path) -> frozenset[str]:
    """What is defined at the top of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def headings(path: Path) -> set[str]:
    """The anchors of a page."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}


def dead_links(text: str, folder: Path) -> list[str]:
    """Links that lead nowhere: no such file, test or heading."""
    dead = []
    for label, target in LINK.findall(text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = (folder / name).resolve()
        shown, _, test = label.partition("::")
        found = path.exists() and (not anchor or anchor in headings(path))
        if test:
            found = found and path == ROOT / shown and test in functions(path)
        if not found:
            dead.append(f"{label} -> {target}")
    return dead


def ungrounded(line: Line) -> bool:
    """Whether a verdict says nothing for itself: what is met names its proof, and comes one by one."""
    if line.verdict == "met":
        return not LINK.search(line.ground) or line.id.endswith("*")
    return not line.ground or (line.id.endswith("*") and line.verdict != "not applicable")


def complaints(text: str) -> list[str]:
    """All that is wrong with the page."""
    written = lines(text)
    stand = Counter(id for line in written for id in line.ids)
    found = [f"{id} stands in it {stand[id]} times" for id in IDS if stand[id] != 1]
    found += [f"{id} is no requirement of level 1 or 2" for id in stand if id not in IDS]
    found += [f"{line.id}: {line.verdict!r} is no verdict" for line in written if line.verdict not in VERDICTS]
    found += [f"{line.id} is {line.verdict} without a ground" for line in written if ungrounded(line)]
    found += [f"{dead} leads nowhere" for dead in dead_links(text, SECURITY)]
    return found + wrong_sums(text, written)


def wrong_sums(text: str, written: Sequence[Line]) -> list[str]:
    """Rows of the summary that say something else than the lines."""
    summary = {cells[0].split()[0]: cells[1:] for cells in rows(text, r"V\d+ .+|all")}
    chapters = dict.fromkeys(id.partition(".")[0] for id in IDS)
    found = []
    for chapter in (*chapters, "all"):
        counted = Counter(
            line.verdict for line in written for id in line.ids if chapter in {"all", id.partition(".")[0]}
        )
        right = [str(counted[verdict]) for verdict in VERDICTS]
        if summary.get(chapter) != right:
            found.append(f"the summary of {chapter} says {summary.get(chapter)}, the lines {right}")
    return found


def test_the_page_claims_what_there_is() -> None:
    found = complaints(PAGE.read_text(encoding="utf-8"))
    assert not found, "\n".join(found)


def test_the_list_is_that_of_levels_one_and_two() -> None:
    """70 and 183 requirements, in 17 chapters."""
    assert len(IDS) == len(set(IDS)) == 253
    assert len({id.partition(".")[0] for id in IDS}) == 17


@pytest.mark.parametrize("page", ["docs/security/measures.md", "SECURITY.md"])
def test_the_pages_beside_it_lead_somewhere(page: str) -> None:
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    assert dead_links(text, path.parent) == []
    paths = re.findall(r"`((?:cloud_api|gateway|tests|deploy)/[\w/.]+)`", text)
    assert [named for named in paths if not (ROOT / named).exists()] == []


PROOF = "tests/architecture/test_security_document.py"


@pytest.mark.parametrize(
    ("true", "lie", "complaint"),
    [
        ("| V1.1.1 |", "| V1.1.2 |", "V1.1.1 stands in it 0 times"),
        ("| V1.1.1 |", "| V1.1.2 |", "V1.1.2 stands in it 2 times"),
        ("| V1.1.1 |", "| V1.2.10 |", "V1.2.10 is no requirement of level 1 or 2"),
        ("| no XPath |", "| |", "V1.2.7 is not applicable without a ground"),
        ("| V17.* |", "| V16.* |", "V17.1.1 stands in it 0 times"),
        ("not applicable | no WebRTC", "not met | no WebRTC", "V17.* is not met without a ground"),
        ("not applicable | no XPath", "met | no XPath", "V1.2.7 is met without a ground"),
        ("not applicable | no XPath", "met, mostly | no XPath", "V1.2.7: 'met, mostly' is no verdict"),
        ("not applicable | no XPath", "not met | no XPath", "the summary of V1 says"),
        ("not applicable | no XPath", "not met | no XPath", "the summary of all says"),
        (f"{PROOF}::test_a_new", f"{PROOF}::test_no_new", "::test_no_new_installation_has_no_account"),
        (f"(../../{PROOF})", "(../../tests/nowhere.py)", "tests/nowhere.py leads nowhere"),
        ("(measures.md#guessing)", "(measures.md#no-such-heading)", "#no-such-heading leads nowhere"),
    ],
)
def test_a_lie_is_found(true: str, lie: str, complaint: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert true in text
    assert any(complaint in found for found in complaints(text.replace(true, lie)))


async def test_a_new_installation_has_no_account(sqlite_url: str) -> None:
    with sqlite3.connect(str(make_url(sqlite_url).database)) as database:
        kept = {
            table: database.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - names of ours
            for table in ("users", "api_keys", "oauth_clients", "gateways")
        }
    database.close()
    assert kept == dict.fromkeys(kept, (0,))
