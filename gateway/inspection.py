"""`coldfleet gateway inspect`: the spool's state as tables, read beside the running gateway."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import rich
from rich.table import Table
from sqlite_utils import Database

from gateway.credentials import open_credentials
from gateway.spool.backlog import Backlog
from gateway.spool.salvage import spoilt_files
from gateway.spool.store import LANES, TABLES, Store
from gateway.upkeep.health import ALARMS_FILE


def report(database: Database, data_dir: Path) -> None:
    """Print lanes, dead letters, what was thinned, and who the gateway is."""
    store = Store(database.conn)
    store.load_last()
    rich.print(_table("Gateway", ("", ""), _facts(store, database, data_dir)))
    backlog = Backlog(store)
    extents = {table: store.extent(table) for table in TABLES}
    lanes = []
    for lane in LANES:
        extent = extents["readings" if lane == "backlog" else lane]
        oldest = _instant(extent.oldest_ms) if extent and backlog.waiting(lane) else None
        lanes.append((lane, backlog.waiting(lane), oldest, backlog.range_of(lane)[0], backlog.last_sequence(lane)))
    rich.print(_table("Lanes", ("lane", "waiting", "oldest", "settled through", "given through"), lanes))
    reasons = database.query(
        "SELECT source, reason, count(*) AS times, max(topic) AS topic FROM dead_letters"
        " GROUP BY source, reason ORDER BY times DESC LIMIT 20"
    )
    letters = [(row["source"], row["times"], row["reason"], row["topic"]) for row in reasons]
    rich.print(_table("Dead letters", ("from", "times", "reason", "a topic"), letters))


def _facts(store: Store, database: Database, data_dir: Path) -> list[tuple[str, object]]:
    anchors = store.anchors()
    clock = "told by the cloud" if anchors and anchors[-1].confirmed else "not yet told by the cloud"
    series = database["series"].count
    used_mb = store.used_bytes() / 1e6
    facts: list[tuple[str, object]] = [
        ("gateway", open_credentials(data_dir).gateway_id or "not yet provisioned"),
        ("epoch", store.meta("epoch")),
        ("clock", clock),
        ("series heard", series),
        ("alarms active", len(_alarms(data_dir))),
        ("used", f"{used_mb:.1f} MB"),
        ("thinned", f"{store.number('rows_thinned')} readings became summaries"),
        ("dropped", f"{store.number('rows_dropped')} summaries"),
        ("dead letters", f"{store.dead_letters()} since the beginning, {database['dead_letters'].count} kept"),
    ]
    spoilt = [path.name for path in spoilt_files(data_dir)]
    if spoilt:
        facts.append(("being salvaged", ", ".join(spoilt)))
    waiting = database["salvaged"].count
    if waiting:
        facts.append(("salvaged", f"{waiting} blocks wait to be sent"))
    return facts


def _alarms(data_dir: Path) -> list[object]:
    try:
        return msgspec.json.decode((data_dir / ALARMS_FILE).read_bytes(), type=list[object])
    except (OSError, msgspec.DecodeError):
        return []


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


def _table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    table = Table(*columns, title=title, title_justify="left", show_header=any(columns))
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    return table
