"""A memory card that forgets: pages of the spool's file turn to noise, unseen or under the writer's hands."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

from device_sims.own_process import Answer
from tests.faults import ledger
from tests.faults.site import Site, seed

PAGE = 4096


#: the first pages, in which the tables begin and the epoch stands: without them nobody can say what is missing
ROOTS = 24


def spoil(path: Path, chance: random.Random, pages: int, *, header: bool = False) -> None:
    """Overwrite pages with noise."""
    there = path.stat().st_size // PAGE
    assert there > 2 * pages, "too small to be a test"
    chosen = chance.sample(range(ROOTS, there), pages) + [0] * header
    with path.open("r+b") as file:
        for page in chosen:
            file.seek(page * PAGE)
            file.write(chance.randbytes(PAGE))


def spoil_the_end(path: Path, chance: random.Random) -> None:
    """Overwrite the page that holds the newest readings: what comes after the rest of them, no other page tells."""
    with closing(sqlite3.connect(path)) as connection:
        (body,) = connection.execute("SELECT body FROM readings ORDER BY first DESC LIMIT 1").fetchone()
    page = path.read_bytes().rindex(body[:64]) // PAGE
    assert page >= ROOTS, "too small to be a test"
    with path.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(chance.randbytes(PAGE))


def lost(seen: Answer) -> int:
    """Rows that gaps speak of."""
    return ledger.unreadable_rows(seen)


def backlog(site: Site, messages: int) -> None:
    """Fill the spool while the cloud, which knew the gateway, is away."""
    site.start()
    site.send(rate=1000)
    site.wait_for_messages(500)
    site.cloud.ask("go")
    site.load.ask("pace", rate=8000)
    site.wait_for_messages(messages)


def test_a_file_spoilt_while_the_gateway_was_off_is_salvaged_and_the_rest_told(site: Site) -> None:
    chance = random.Random(seed())
    backlog(site, 30_000)
    assert site.gateway is not None
    site.gateway.terminate()
    spoil(site.data_dir / "spool.sqlite3", chance, 3)
    site.cloud.ask("come")
    site.start()
    seen = site.verdict()
    assert lost(seen) < seen["acknowledged"] / 2


def test_a_spoilt_end_is_told_though_nobody_knows_how_much_it_held(site: Site) -> None:
    chance = random.Random(seed())
    backlog(site, 10_000)
    assert site.gateway is not None
    site.gateway.terminate()
    spoil_the_end(site.data_dir / "spool.sqlite3", chance)
    site.cloud.ask("come")
    site.start()
    seen = site.verdict()
    assert [gap["rows"] for gap in seen["gaps"] if gap["lane"] in ("readings", "backlog")] == [0]


def test_a_file_whose_first_page_is_gone_costs_its_rows_and_not_the_gateway(site: Site) -> None:
    chance = random.Random(seed())
    backlog(site, 10_000)
    assert site.gateway is not None
    site.gateway.terminate()
    spoil(site.data_dir / "spool.sqlite3", chance, 1, header=True)
    site.cloud.ask("come")
    site.start()
    site.wait_for_messages(1000)
    assert site.gateway is not None
    assert site.gateway.exit_code is None  # with the page that names the epoch gone too, nobody can say what is missing


def test_a_file_spoilt_under_the_writers_hands_stops_nobody(site: Site) -> None:
    chance = random.Random(seed())
    backlog(site, 20_000)
    spoil(site.data_dir / "spool.sqlite3", chance, 3)
    site.wait_for_messages(2000)
    site.cloud.ask("come")
    site.wait_for_messages(2000)
    seen = site.verdict()
    assert lost(seen) < seen["acknowledged"] / 2
    assert site.gateway is not None
    assert site.gateway.exit_code is None
