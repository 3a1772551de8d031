"""Structured logs: one JSON object a line; in development lines for people. Both carry the request id, no secrets."""

import logging
import sys

import structlog

from cloud_api.kernel.masking import mask_fields, mask_line


def configure(*, level: str, for_people: bool) -> None:
    """Send everything, the libraries' logs too, through one pipeline to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
        if for_people
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                mask_fields,
                *renderer,
                mask_line,
            ],
        )
    )
    root = logging.getLogger()
    ours = structlog.stdlib.ProcessorFormatter
    root.handlers = [other for other in root.handlers if not isinstance(other.formatter, ours)] + [handler]
    root.setLevel(level.upper())
    for noisy in (
        "aiosqlite",
        "alembic",
        "uvicorn.access",
        "httpx",
        "httpx2",
        "httpcore",
        "httpcore2",
        "google",
        "urllib3",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
