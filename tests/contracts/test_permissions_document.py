"""Who may do what stands in one page, written from the routes; `make snapshots` writes it anew."""

from pathlib import Path

from cloud_api.policy import policies, table
from tests.contracts.test_snapshots import WRITE
from tests.platform_under_test import app_to_read

PAGE = Path(__file__).parents[2] / "docs" / "security" / "permissions.md"


def test_the_page_says_what_the_routes_ask() -> None:
    now = table(policies(app_to_read()))
    if WRITE:
        PAGE.write_text(now, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == now, "read the difference: if that is meant, make snapshots"
