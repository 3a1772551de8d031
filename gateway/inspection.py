"""`coldfleet gateway inspect`: the spool's state as tables, read beside the running gateway."""

from collections.abc import Iterable

import rich
from rich.table import Table
from sqlite_utils import Database

from gateway.spool import LANES, Store


def report(database: Database) -> None:
    """Print lanes, dead letters and who the gateway is."""
    store = Store(database.conn)
    facts = [
        ("gateway", store.meta("gateway_id") or "not yet provisioned"),
        ("epoch", store.meta("epoch")),
        ("configuration", f"version {store.config().version}, {len(store.config().limits)} limits"),
        ("alarms active", len(store.active_alarms())),
        ("dead letters", f"{store.dead_letters()} since the beginning, {database['dead_letters'].count} kept"),
    ]
    rich.print(_table("Gateway", ("", ""), facts))
    lanes = [(lane, *store.backlog(lane), store.acked_through(lane)) for lane in LANES]
    rich.print(_table("Lanes", ("lane", "waiting", "oldest (ms)", "acknowledged through"), lanes))
    reasons = database.query(
        "SELECT source, reason, count(*) AS times, max(topic) AS topic FROM dead_letters"
        " GROUP BY source, reason ORDER BY times DESC LIMIT 20"
    )
    letters = [(row["source"], row["times"], row["reason"], row["topic"]) for row in reasons]
    rich.print(_table("Dead letters", ("from", "times", "reason", "a topic"), letters))


def _table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    table = Table(*columns, title=title, title_justify="left", show_header=any(columns))
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    return table
