"""The instant at which the tests' messages arrive."""

#: 2026-01-15T10:12:30Z
NOW_MS = 1_768_471_950_000
