"""What no answer may show: how secrets are kept, and how the server works inside."""

import re

#: names that only the database knows, hashes as they are kept, and what a failing server lets slip
_LEAKS = re.compile(
    # the trail names columns, and shows three stars for what stands in these
    r"(password_hash|(?<!photo)(?<!public)(?<!signature)_sha256|totp_seed|sealed_\w+)\":\s*\"(?!\*\*\*\")|"
    r"\$argon2|Traceback|File \\?\"/|sqlalchemy|asyncpg|aiosqlite|psycopg|pydantic_core|"
    r"SELECT .{1,80} FROM|INSERT INTO|UPDATE \w+ SET|violates",
    re.IGNORECASE,
)


def leak_in(text: str) -> str:
    """The first thing that should not stand in an answer; empty when there is none."""
    found = _LEAKS.search(text)
    return text[max(0, found.start() - 40) : found.end() + 40] if found else ""
