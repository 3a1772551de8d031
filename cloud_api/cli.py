"""`coldfleet cloud ...`."""

import asyncio
import json
import socket
import sys
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO, TypeVar

import typer
import uvicorn
from fastapi import FastAPI
from filelock import FileLock, Timeout
from pydantic import ValidationError
from sqlalchemy import make_url, select
from sqlalchemy.exc import SQLAlchemyError

from cloud_api.all_models import metadata
from cloud_api.audit import chain_check, export, verify
from cloud_api.cold_chain.judging import replay
from cloud_api.identity.organizations.models import PLATFORM_SLUG, Organization
from cloud_api.identity.passwords import new_password
from cloud_api.identity.people import service as people
from cloud_api.identity.roles.catalogue import ADMIN, SUPER_ADMIN
from cloud_api.inventory.ledger.check import check
from cloud_api.kernel import clock, garbage, vault
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import AppError, NotFound
from cloud_api.kernel.rotation import reseal_all
from cloud_api.kernel.settings import Settings
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.main import background, create_app, prepare
from cloud_api.migrations.migrate import upgrade, write_revision
from cloud_api.realtime.direct import DirectProtocol
from cloud_api.realtime.hub import Hub
from cloud_api.telemetry.stores.opening import open_store
from cloud_api.telemetry.stores.sealing import ReadingSealer

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="The platform: API, worker, migrations.")


def _settings() -> Settings:
    try:
        settings = Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"COLDFLEET_{'_'.join(map(str, entry['loc'])).upper()}: {entry['msg']}"
            if entry["loc"]
            else str(entry["msg"]).removeprefix("Value error, ")
            for entry in error.errors()
        )
        raise typer.TyperException(f"the settings are wrong: {problems}") from None
    prepare(settings)
    return settings


def _owner_url(settings: Settings) -> str:
    return settings.migration_database_url or settings.database_url


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; COLDFLEET_HOST otherwise.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port, 0 for a free one; COLDFLEET_PORT otherwise.", min=0, max=65535)
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help='Written with {"url": ...} once requests are answered.')
    ] = None,
) -> None:
    """Serve the API. On SQLite this one process does everything, and brings the database up to date first."""
    settings = _settings()
    listener = listen_at(host or settings.host, settings.port if port is None else port)
    url = "http://{}:{}".format(*listener.getsockname()[:2])
    with _only_process(settings):
        if settings.database_url.startswith("sqlite"):
            _upgrade(settings.database_url)
        config = server_config(create_app(settings), settings)
        _Announcing(config, url, ready_file).run(sockets=[listener])


def server_config(api: FastAPI, settings: Settings) -> uvicorn.Config:
    """How the API is served. Nobody but a named proxy says where a caller is, or that they came by HTTPS."""
    return uvicorn.Config(
        api,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=75,  # phones that speak every few seconds keep their connection
        ws=DirectProtocol,
        ws_max_size=64 * 1024,  # nobody who watches has much to say
        ws_per_message_deflate=False,  # a compressor a socket, for messages that all of them share
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        server_header=False,
    )


class _Announcing(uvicorn.Server):
    """A server that says when it answers requests."""

    def __init__(self, config: uvicorn.Config, url: str, ready_file: Path | None) -> None:
        super().__init__(config)
        self._url = url
        self._ready_file = ready_file

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        garbage.settle()
        typer.echo(f"API at {self._url}/api/v1, documentation at {self._url}/docs")
        if self._ready_file is not None:
            partial = self._ready_file.with_suffix(".partial")
            partial.write_text(json.dumps({"url": self._url}))
            partial.replace(self._ready_file)


def listen_at(host: str, port: int) -> socket.socket:
    """The socket that requests come to.

    Raises:
        TyperException: when it is taken, or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # by its name: only of sockets that say TCP are small answers sent at once, not 40 ms later when Nagle lets them go
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = f"cannot listen on {host}:{port} ({error.strerror}): choose another with --port, or stop what has it"
        raise typer.TyperException(reason) from None
    return listener


@contextmanager
def _only_process(settings: Settings) -> Iterator[None]:
    """On SQLite one process does all: hold the database's lock file."""
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        yield
        return
    with _in_a_sentence():
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{url.database}.lock", timeout=0):
            yield
    except Timeout:
        raise typer.TyperException(
            f"another process works on {url.database}: on SQLite there can be one; stop it, or use PostgreSQL"
        ) from None


def _upgrade(url: str) -> None:
    """Bring the database up to date; what a person can mend is said in a sentence."""
    with _in_a_sentence():
        upgrade(url)


@contextmanager
def _in_a_sentence() -> Iterator[None]:
    try:
        yield
    except AppError as error:
        raise typer.TyperException(error.message) from None
    except SQLAlchemyError as error:
        reason = str(error).splitlines()[0]
        raise typer.TyperException(f"the database refused: {reason}; did you run `coldfleet cloud migrate`?") from None
    except OSError as error:
        raise typer.TyperException(f"the database cannot be reached ({error}): start it, or correct its URL") from None


def _run(work: Coroutine[None, None, T]) -> T:
    with _in_a_sentence():
        return asyncio.run(work)


@app.command()
def worker() -> None:
    """Deliver events and plan routes (PostgreSQL only: on SQLite `serve` does it)."""
    settings = _settings()
    if settings.database_url.startswith("sqlite"):
        raise typer.TyperException("on SQLite `coldfleet cloud serve` delivers events itself: no worker is needed")
    prepare(settings)
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    database = Database(settings.database_url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        await stack.enter_async_context(background(settings, database, Hub(), work_here=True))
        garbage.settle()
        await asyncio.Event().wait()


@app.command()
def migrate() -> None:
    """Bring the database up to date. Safe to run again."""
    _upgrade(_owner_url(_settings()))
    typer.echo("the database is up to date")


@app.command()
def migration(name: Annotated[str, typer.Argument(help="What changes, in a few words.")]) -> None:
    """Write a new migration from what the models have and the database has not."""
    write_revision(_owner_url(_settings()), name)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document, with the websocket paths under `x-websockets`."""
    document = create_app(_settings()).openapi()
    sys.stdout.write(json.dumps(document, indent=2, sort_keys=True) + "\n")


@app.command()
def create_organization(
    name: Annotated[str, typer.Option(help="As it stands on invoices.")],
    slug: Annotated[str, typer.Option(help="Short name: small letters, digits, hyphens; `platform` for your own.")],
    admin_username: Annotated[str, typer.Option()],
    admin_email: Annotated[str, typer.Option()],
    admin_password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    admin_full_name: Annotated[str, typer.Option()] = "",
) -> None:
    """Found an organisation with its first administrator; in `platform` that is a super administrator."""

    async def found() -> None:
        password_hash = await new_password(admin_password, about=(admin_username, admin_email, admin_full_name, name))
        database = Database(settings.database_url)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            db = await stack.enter_async_context(database.unit_of_work(SystemScope("found an organisation")))
            await people.found_organization(
                db,
                name=name,
                slug=slug,
                admin_username=admin_username,
                admin_email=admin_email,
                admin_full_name=admin_full_name or admin_username,
                admin_password_hash=password_hash,
                admin_role=SUPER_ADMIN if slug == PLATFORM_SLUG else ADMIN,
            )

    settings = _settings()
    with _only_process(settings):
        if settings.database_url.startswith("sqlite"):
            _upgrade(settings.database_url)
        _run(found())
    typer.echo(f"{name} is founded; {admin_username} may sign in")


@app.command()
def check_ledger(
    organization_slug: Annotated[
        str | None, typer.Argument(help="Of one organisation alone, by its short name; of all, unless said.")
    ] = None,
) -> None:
    """Recompute stock from the ledger, and name every difference, with lot, place, and both numbers.

    What lies there and what it weighs is compared with the movements, what is reserved with the active reservations.
    Undone entries must cancel what they undo, and both ends of a transfer each other. Nothing is changed. The exit
    status is 1 when anything differs.
    """

    async def compare() -> int:
        database = Database(settings.database_url)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            scope: OrganizationScope | SystemScope = SystemScope("check the ledger")
            if organization_slug is not None:
                async with database.unit_of_work(scope, read_only=True) as db:
                    of = await db.scalar(select(Organization.id).where(Organization.slug == organization_slug))
                if of is None:
                    raise NotFound(f"no organisation is called {organization_slug!r}")
                scope = OrganizationScope(of)
            count = 0
            async with database.unit_of_work(scope, read_only=True) as db:
                async for difference in check(db):
                    typer.echo(str(difference))
                    count += 1
            return count

    settings = _settings()
    if found := _run(compare()):
        typer.echo(f"{found} differences")
        raise typer.Exit(1)
    typer.echo("every level agrees with the ledger")


@app.command()
def replay_rules(
    organization_slug: Annotated[str, typer.Argument()],
    rule: Annotated[str, typer.Option(help="The rule's name.")],
    since: Annotated[datetime, typer.Option(help="In UTC.")],
    until: Annotated[datetime | None, typer.Option(help="In UTC; now, unless said.")] = None,
    set_at: Annotated[float | None, typer.Option(help="As it is, unless said; so are the others.")] = None,
    clear_at: Annotated[float | None, typer.Option()] = None,
    duration_s: Annotated[int | None, typer.Option(min=0)] = None,
    change: Annotated[float | None, typer.Option()] = None,
) -> None:
    """Show what a rule, changed so, would have raised of the readings that are there. Nothing is written."""
    wanted = {"set_at": set_at, "clear_at": clear_at, "duration_s": duration_s, "change": change}

    async def compare() -> Sequence[str]:
        database = Database(settings.database_url)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            store = open_store(settings)
            stack.push_async_callback(store.close)
            async with database.unit_of_work(SystemScope("replay a rule"), read_only=True) as db:
                found = await db.scalar(select(Organization.id).where(Organization.slug == organization_slug))
            if found is None:
                raise NotFound(f"no organisation is called {organization_slug!r}")
            async with database.unit_of_work(OrganizationScope(found), read_only=True) as db:
                return await replay.table(
                    db,
                    name=rule,
                    changes={field: value for field, value in wanted.items() if value is not None},
                    store=store,
                    since=since.replace(tzinfo=UTC),
                    until=clock.now() if until is None else until.replace(tzinfo=UTC),
                )

    settings = _settings()
    for line in _run(compare()):
        typer.echo(line)


@app.command()
def export_audit(
    organization_slug: Annotated[str, typer.Argument()],
    file: Annotated[Path, typer.Argument(help="Written as JSON lines; one that is there is replaced.")],
) -> None:
    """Write an organisation's sealed audit trail into a file that `verify-audit` can check."""

    async def write(out: TextIO) -> None:
        database = Database(settings.database_url)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            async with database.unit_of_work(SystemScope("export an audit trail"), read_only=True) as db:
                found = await db.scalar(select(Organization.id).where(Organization.slug == organization_slug))
            if found is None:
                raise NotFound(f"no organisation is called {organization_slug!r}")
            async for line in export.json_lines(database, OrganizationScope(found), _audit_key(settings)):
                out.write(line)

    settings, partial = _settings(), file.with_name(f"{file.name}.partial")
    try:
        out = partial.open("w", encoding="ascii", newline="\n")
    except OSError as error:
        raise typer.TyperException(f"{file} cannot be written: {error.strerror}") from None
    with out:
        _run(write(out))
    partial.replace(file)
    _verify(file, settings)


@app.command()
def verify_audit(file: Annotated[Path, typer.Argument(help="As `export-audit` or the API wrote it.")]) -> None:
    """Check an exported audit trail with the key COLDFLEET_AUDIT_KEY; needs no database."""
    _verify(file, _settings())


def _verify(file: Path, settings: Settings) -> None:
    try:
        with file.open(encoding="utf-8", newline="\n") as lines:
            found = verify.verify(lines, _audit_key(settings))
    except (verify.Broken, UnicodeDecodeError) as broken:
        typer.echo(f"{file} is BROKEN: {broken}")
        raise typer.Exit(1) from None
    except OSError as error:
        raise typer.TyperException(f"{file} cannot be read: {error.strerror}") from None
    typer.echo(f"{file} is intact: {found.count} entries, {found.from_sequence} to {found.to_sequence}")
    typer.echo(f"organisation {found.organization_id}, head {found.head}")


def _audit_key(settings: Settings) -> bytes:
    return settings.audit_key.get_secret_value().encode()


@app.command()
def check_audit() -> None:
    """Check every organisation's audit trail where it stands, in the database, and name what is wrong."""

    async def look() -> list[str]:
        database = Database(settings.database_url)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            scope = SystemScope("check the audit trails")
            db = await stack.enter_async_context(database.unit_of_work(scope, read_only=True))
            return await chain_check.problems(db, _audit_key(settings))

    settings = _settings()
    found = _run(look())
    for line in found:
        typer.echo(line)
    if found:
        raise typer.Exit(1)
    typer.echo("every audit trail is whole")


@app.command()
def rotate_secrets() -> None:
    """Seal every secret in the database with the newest of COLDFLEET_ENCRYPTION_KEYS. Safe to run again."""

    async def reseal() -> dict[str, int]:
        database = Database(settings.database_url)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            return await reseal_all(database, metadata, vault.current())

    settings = _settings()
    with _only_process(settings):
        try:
            resealed = _run(reseal())
        except vault.WrongKey as error:
            raise typer.TyperException(f"{error}: add the key it was sealed with at the end of the list") from None
    for column, count in resealed.items():
        typer.echo(f"{column}: {count}")
    typer.echo(f"{sum(resealed.values())} secrets were sealed with the newest key; older keys are needed no longer")


@app.command()
def seal_readings() -> None:
    """Seal now what days of readings are due; a worker does it all the time. Safe to run again."""

    async def seal() -> int:
        database = Database(settings.database_url)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            sealer, sealed = ReadingSealer(database, after_days=settings.seal_readings_after_days, rest=0), 0
            while found := await sealer.seal_due():
                sealed += found
            return sealed

    settings = _settings()
    with _only_process(settings):
        typer.echo(f"{_run(seal())} readings were sealed")
