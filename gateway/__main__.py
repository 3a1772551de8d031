"""The gateway's own process: `python -m gateway`, what `coldfleet gateway run` turns into.

The command line of the other commands (typer, which brings pydantic) costs 20 MB, too much for what runs for years.
"""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from gateway.app import run_until_signalled
from gateway.config import load
from gateway.errors import GatewayError

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def main() -> int:
    """Run until a signal; returns the exit code."""
    parser = argparse.ArgumentParser(prog="coldfleet gateway run", allow_abbrev=False)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--ready-file", type=Path)
    parser.add_argument("--log-level", choices=LOG_LEVELS, default="INFO")
    told = parser.parse_args()
    logging.basicConfig(level=told.log_level, format="%(asctime)s %(levelname).1s %(name)s: %(message)s")
    try:
        asyncio.run(run_until_signalled(load(told.config, os.environ), _announce, told.ready_file))
    except GatewayError as error:
        return _fail(str(error))
    except ExceptionGroup as group:
        expected, others = group.split(GatewayError)
        if expected is None or others is not None:
            raise
        return _fail(" ".join(str(error) for error in expected.exceptions))
    return 0


def _announce(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _fail(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
