"""Running migrations from code: `coldfleet cloud migrate`, and tests."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import make_url


def configuration(url: str) -> Config:
    """Alembic's configuration for the database at `url`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def upgrade(url: str) -> None:
    """Bring the database to the newest revision; a SQLite file's folder is made. Safe to run again."""
    path = make_url(url).database
    if url.startswith("sqlite") and path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(configuration(url), "head")


@cache
def revisions() -> Sequence[tuple[str, str]]:
    """Every revision there is, oldest first, with its title."""
    scripts = ScriptDirectory.from_config(configuration("sqlite+aiosqlite://"))
    return [(script.revision, script.doc) for script in scripts.walk_revisions()][::-1]


def write_revision(url: str, name: str) -> None:
    """Write a new revision from the difference between the models and the database at `url`."""
    revisions = sorted((Path(__file__).parent / "versions").glob("[0-9]*.py"))
    command.revision(configuration(url), message=name, autogenerate=True, rev_id=f"{len(revisions) + 1:04d}")
