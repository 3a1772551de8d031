"""Nothing secret stands in the log of a whole run, at its most talkative, in any writing of it."""

import base64
import json
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pyotp
import pytest
import websockets

from cloud_api.kernel import clock
from tests.factories.batches import make_batch, make_epoch, make_reading
from tests.services.processes import RunningProcess, running
from tests.services.waiting import until

ROOT = Path(__file__).parents[2]
SERVER_SECRETS = {
    "COLDFLEET_SECRET_KEY": "the-key-that-signs-access-tokens-0001",
    "COLDFLEET_ENCRYPTION_KEYS": "the-key-that-encrypts-at-rest-000002",
    "COLDFLEET_AUDIT_KEY": "the-key-that-seals-the-trail-0000003",
    "COLDFLEET_METRICS_TOKEN": "the-token-of-the-scraper-00000000004",
}
PASSWORDS = {"first": "Cold-room-1!", "wrong": "Wrong-Room-7!", "reset": "Warm-Depot-2!", "changed": "Mild-Porch-3!"}
#: a token in a mail, as its link has it
_MAILED = re.compile(r"token=([\w%-]{20,})")


@dataclass
class Run:
    """The process, a client of it, and every secret that came up."""

    process: RunningProcess
    client: httpx2.AsyncClient
    mails: Path
    secrets: dict[str, str] = field(default_factory=dict)
    tokens_read: set[str] = field(default_factory=set)

    def note(self, **secrets: str) -> None:
        """Remember these."""
        self.secrets.update(secrets)

    async def ask(self, method: str, path: str, body: object = None, token: str = "", **options: Any) -> Any:
        """The data of an answer, whatever its status."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = await self.client.request(method, f"/api/v1{path}", json=body, headers=headers, **options)
        said = answer.json() if answer.content else {}
        return said.get("data", said) if isinstance(said, dict) else said

    async def mailed(self) -> str:
        """The token of the next mail that has one; other mails may come meanwhile."""
        await until(lambda: bool(self._new_tokens()), what="a mail with a token is written")
        [token] = self._new_tokens()
        self.tokens_read.add(token)
        return token

    def _new_tokens(self) -> set[str]:
        texts = [mail.read_text().replace("=\n", "").replace("=3D", "=") for mail in self.mails.glob("*.eml")]
        return {token for text in texts for token in _MAILED.findall(text)} - self.tokens_read


@pytest.fixture
async def run(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Run]:
    """As in production, but for what it says."""
    ready, mails = tmp_path / "cloud.json", tmp_path / "mail"
    command = [sys.executable, "-m", "coldfleet", "cloud", "serve", "--ready-file", str(ready)]
    environment = {
        "PYTHONPATH": str(ROOT),
        "COLDFLEET_ENVIRONMENT": "production",
        "COLDFLEET_DATABASE_URL": sqlite_url,
        "COLDFLEET_LOG_LEVEL": "debug",
        "COLDFLEET_MAIL_FOLDER": str(mails),
        "COLDFLEET_MEDIA_FOLDER": str(tmp_path / "media"),
        "COLDFLEET_SIGN_INS_PER_MINUTE": "1000",
        **SERVER_SECRETS,
    }
    async with AsyncExitStack() as stack:
        outside = running([*command, "--port", "0"], cwd=tmp_path, environment=environment)
        process = stack.enter_context(outside)
        await until(lambda: ready.exists() or process.exit_code is not None, what="the cloud answers", timeout_s=60)
        assert process.exit_code is None, process.output()
        url = json.loads(ready.read_bytes())["url"]
        client = await stack.enter_async_context(httpx2.AsyncClient(base_url=url, timeout=20))
        yield Run(process, client, mails)


async def sign_up(run: Run) -> str:
    """Register, confirm the address, enrol a second factor: the administrator's access token."""
    run.note(**PASSWORDS)
    admin = {
        "username": "asha",
        "email": "asha@farm.example",
        "full_name": "Asha Patil",
        "password": PASSWORDS["first"],
    }
    await run.ask("POST", "/auth/register", {"organization_name": "Farm", "slug": "farm", **admin})
    run.note(verification=await run.mailed())
    await run.ask("POST", "/auth/verify-email", {"token": run.secrets["verification"]})
    signed_in = await run.ask("POST", "/auth/login", {"login": "asha", "password": PASSWORDS["first"]})
    run.note(first_access=signed_in["access_token"], first_refresh=signed_in["refresh_token"])
    begun = await run.ask("POST", "/auth/2fa/setup", {}, signed_in["access_token"])
    code = pyotp.TOTP(begun["secret"]).at(clock.now())
    enabled = await run.ask("POST", "/auth/2fa/enable", {"code": code}, signed_in["access_token"])
    backup = {f"backup_{number}": text for number, text in enumerate(enabled["backup_codes"])}
    run.note(seed=begun["secret"], otpauth=begun["otpauth_uri"], **backup)
    return str(signed_in["access_token"])


async def sign_in_again(run: Run) -> str:
    """With the second factor, after failures; then trade the refresh token, twice the same."""
    await run.ask("POST", "/auth/login", {"login": "asha", "password": PASSWORDS["wrong"]})
    challenge = (await run.ask("POST", "/auth/login", {"login": "asha", "password": PASSWORDS["first"]}))["challenge"]
    await run.ask("POST", "/auth/2fa/challenge", {"challenge": challenge, "code": "abcdef"})
    answer = {"challenge": challenge, "code": run.secrets["backup_0"]}
    signed_in = await run.ask("POST", "/auth/2fa/challenge", answer)
    run.note(challenge=challenge, access=signed_in["access_token"], refresh=signed_in["refresh_token"])
    renewed = await run.ask("POST", "/auth/refresh", {"refresh_token": signed_in["refresh_token"]})
    run.note(next_access=renewed["access_token"], next_refresh=renewed["refresh_token"])
    await run.ask("POST", "/auth/refresh", {"refresh_token": "no-such-refresh-token-of-anybody"})
    run.note(invented="no-such-refresh-token-of-anybody")
    return str(renewed["access_token"])


async def use_machines(run: Run, token: str) -> None:
    """An API key, a client of OAuth, a gateway: made, used, and used wrong."""
    key = await run.ask("POST", "/api-keys", {"name": "ERP", "scopes": ["products:read"]}, token)
    run.note(api_key=key["key"], signing_secret=key["signing_secret"])
    await run.client.get("/api/v1/warehouse/products", headers={"X-API-Key": key["key"]})
    await run.ask("GET", "/warehouse/products", token=key["key"][:-1] + ("0" if key["key"][-1] != "0" else "1"))
    made = await run.ask("POST", "/admin/oauth-clients", {"name": "Shop", "scopes": ["products:read"]}, token)
    run.note(client_secret=made["client_secret"])
    credentials = {"client_id": made["client_id"], "client_secret": made["client_secret"]}
    form = {"grant_type": "client_credentials", **credentials}
    granted = await run.client.post("/api/v1/auth/oauth/token", data=form)
    run.note(client_token=granted.json()["access_token"])
    await run.client.post("/api/v1/auth/oauth/token?client_secret=" + quote(made["client_secret"]), data={"x": "y"})
    gateway = await run.ask("POST", "/edge/gateways", {"name": "Box"}, token)
    secret = "5e" * 32
    run.note(claim_code=gateway["claim_code"], gateway_secret=secret)
    claim = {"claim_code": gateway["claim_code"], "secret": secret, "software_version": "0.1.0"}
    claimed = await run.ask("POST", "/edge/provision", claim)
    credential = f"gateway.{claimed['gateway_id']}.{secret}"
    batch = make_batch([make_reading(1)], epoch=make_epoch())
    await run.ask("POST", "/telemetry/readings", batch, credential)
    await run.ask("POST", "/edge/provision", claim)


async def lose_the_password(run: Run) -> None:
    """Forget it, reset it by the mail, twice with one token."""
    await run.ask("POST", "/auth/forgot-password", {"login": "asha"})
    run.note(reset_token=await run.mailed())
    for _ in range(2):
        body = {"token": run.secrets["reset_token"], "new_password": PASSWORDS["reset"]}
        await run.ask("POST", "/auth/reset-password", body)


async def invite_and_misuse(run: Run, token: str) -> None:
    """A mailed token in a path; tokens in queries; a websocket; bodies that make no sense."""
    await run.ask("POST", "/invites", {"email": "ravi@farm.example", "roles": ["viewer"]}, token)
    run.note(invitation=await run.mailed())
    body = {"username": "ravi", "full_name": "Ravi", "password": PASSWORDS["changed"]}
    await run.ask("POST", f"/invites/{run.secrets['invitation']}/accept", body)
    await run.client.get(f"/api/v1/auth/me?access_token={token}&refresh_token={run.secrets['next_refresh']}")
    await run.client.post("/api/v1/auth/login", content=b'{"password": "' + PASSWORDS["first"].encode() + b'", oops')
    await run.ask("POST", "/auth/login", {"login": PASSWORDS["changed"], "password": 7})
    url = str(run.client.base_url).replace("http", "ws", 1).rstrip("/")
    for path in ("/ws/admin/security-events", "/ws/tracking/00000000-0000-7000-8000-000000000000"):
        for query, protocols in ((f"?access_token={token}", None), ("", ["bearer", token])):
            with suppress(websockets.InvalidStatus):  # which of them are let in is not the point here
                async with websockets.connect(f"{url}{path}{query}", subprotocols=protocols):  # type: ignore[arg-type]
                    pass


def writings(secret: str) -> Iterator[str]:
    """The ways a secret could stand in a text."""
    yield secret
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    raw = secret.encode()
    yield raw.hex()
    for lead in (b"", b"x", b"xx"):  # base64 of a longer text has it at any of three offsets
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            inner = encode(lead + raw + b"xx").decode()
            yield inner[4 if lead else 0 : -8]


async def test_a_whole_run_at_its_most_talkative_names_no_secret(run: Run) -> None:
    token = await sign_up(run)
    token = await sign_in_again(run)
    await use_machines(run, token)
    await invite_and_misuse(run, token)
    await lose_the_password(run)
    await run.client.get("/api/v1/monitoring/metrics", headers={"Authorization": f"Bearer {run.secrets['access']}"})
    run.note(**{name.lower(): secret for name, secret in SERVER_SECRETS.items()})
    log = run.process.output()
    assert "unexpected_error" not in log
    assert log.count("\n") > 20, "it said so little that this test shows nothing"
    assert all(len(secret) >= 6 for secret in run.secrets.values())
    shown = [
        f"{name}: {line[:300]}"
        for name, secret in run.secrets.items()
        for writing in {*writings(secret)}
        for line in log.splitlines()
        if writing in line
    ]
    assert not shown, "\n".join(shown)


def test_a_secret_is_found_however_it_is_written() -> None:
    secret = "Cold-room-1!/+ü"
    for log in (
        secret,
        quote(secret, safe=""),
        base64.b64encode(f"asha:{secret}".encode()).decode(),
        base64.b64encode(f"as:{secret} and more".encode()).decode(),
        base64.urlsafe_b64encode(f"a:{secret}".encode()).decode(),
        json.dumps({"password": secret}),
    ):
        assert any(writing in log for writing in writings(secret)), log
