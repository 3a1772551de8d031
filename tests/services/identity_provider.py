"""A small, true OpenID provider: real keys, discovery, codes that work once, PKCE checked; and switches to misbehave.

It runs in a thread of its own with uvicorn on a port of its own, so that it is spoken to over real sockets. Nobody is
asked for a password: whoever is in `person` when the browser comes is signed in.
"""

import base64
import hashlib
import json
import secrets
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode

import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.services.waiting import wait_until

CONFIGURATION = ".well-known/openid-configuration"
CLIENT_ID = "coldfleet"
CLIENT_SECRET = "a secret of two, & more"

Fault = Literal[
    "",
    "down",
    "wrong_nonce",
    "wrong_audience",
    "wrong_issuer",
    "expired",
    "from_tomorrow",
    "tampered",
    "alg_none",
    "hs256_with_the_public_key",
    "another_key_of_the_same_id",
    "wrong_at_hash",
    "no_id_token",
    "endless_keys",
    "not_json",
    "not_itself",
    "redirecting",
]


@dataclass
class Grant:
    """What a code stands for."""

    challenge: str
    redirect_uri: str
    nonce: str
    claims: dict[str, Any]


@cache
def _first_key() -> RSAKey:
    """Drawing one takes longer than most tests."""
    return new_key("first")


def new_key(kid: str) -> RSAKey:
    """A key that signs ID tokens."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


@dataclass
class IdentityProvider:
    """The provider, as its administrator sees it."""

    issuer: str
    #: claims about whoever signs in next
    person: dict[str, Any] = field(default_factory=dict)
    fault: Fault = ""
    #: how it expects clients to prove themselves
    auth_method: Literal["client_secret_basic", "client_secret_post"] = "client_secret_post"
    #: it lets a code be traded in again and again
    forgetful: bool = False
    #: seconds that its clock is ahead
    ahead_s: float = 0
    requests: Counter[str] = field(default_factory=Counter)
    grants: dict[str, Grant] = field(default_factory=dict)
    key: RSAKey = field(default_factory=_first_key)
    #: instead of its own key
    published: dict[str, Any] | None = None

    def rotate(self) -> None:
        """Sign with another key from now on; the former is published no longer."""
        self.key = new_key(secrets.token_hex(4))

    def sign_in(self, **claims: Any) -> None:
        """Who comes next, with a verified address unless `claims` says otherwise."""
        self.person = {"email_verified": True, **claims}

    async def answer(self, request: Request) -> Response:
        """What a request gets, by the path below the issuer."""
        path: str = request.path_params["path"]
        self.requests[path] += 1
        if self.fault == "down":
            return PlainTextResponse("closed for today", 502)
        if self.fault == "not_json":
            return PlainTextResponse("<html>welcome to the guest network</html>")
        if self.fault == "redirecting":
            return RedirectResponse(f"{self.issuer}/elsewhere")
        pages = {
            CONFIGURATION: self._configuration,
            "keys": self._keys,
            "authorize": self._authorize,
            "token": self._token,
        }
        return await pages[path](request)

    async def _configuration(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": "https://somebody-else.example" if self.fault == "not_itself" else self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": [self.auth_method],
            }
        )

    async def _keys(self, _request: Request) -> Response:
        if self.fault == "endless_keys":
            return PlainTextResponse("[" + " " * 1_000_000)
        shared = {"kty": "oct", "kid": "shared", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}
        nonsense = {"kty": "RSA", "kid": "nonsense", "n": "?"}
        return JSONResponse({"keys": [shared, nonsense, self.published or self.key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        """Signs `person` in and sends the browser back."""
        asked = request.query_params
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        claims = {"nonce": asked["nonce"], **self.person}
        self.grants[code] = Grant(asked["code_challenge"], asked["redirect_uri"], asked["nonce"], claims)
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)

    async def _token(self, request: Request) -> Response:
        sent = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if self._credentials(request, sent) != (CLIENT_ID, CLIENT_SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        grant = self.grants.get(sent.get("code", ""))
        if not self.forgetful:
            self.grants.pop(sent.get("code", ""), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if grant is None or grant.redirect_uri != sent.get("redirect_uri") or grant.challenge != challenge:
            return JSONResponse({"error": "invalid_grant"}, 400)
        access_token = secrets.token_urlsafe(16)
        answer = {"access_token": access_token, "token_type": "Bearer", "expires_in": 3600}
        if self.fault != "no_id_token":
            answer["id_token"] = self._id_token(grant, access_token)
        return JSONResponse(answer)

    def _credentials(self, request: Request, sent: dict[str, str]) -> tuple[str, str]:
        if self.auth_method == "client_secret_post":
            return sent.get("client_id", ""), sent.get("client_secret", "")
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        assert scheme == "Basic"
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
        return name, secret

    def _id_token(self, grant: Grant, access_token: str) -> str:
        now = int(time.time() + self.ahead_s)
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="),
            **grant.claims,
        }
        wrong: dict[str, dict[str, Any]] = {
            "wrong_nonce": {"nonce": secrets.token_urlsafe(16)},
            "wrong_audience": {"aud": "another-client"},
            "wrong_issuer": {"iss": "https://somebody-else.example"},
            "expired": {"iat": now - 600, "exp": now - 300},
            "from_tomorrow": {"iat": now + 86_400, "exp": now + 86_700},
            "wrong_at_hash": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        }
        return self._signed(claims | wrong.get(self.fault, {}))

    def _signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": "RS256", "kid": self.key.kid}
        if self.fault == "alg_none":
            return f"{_part({'alg': 'none'})}.{_part(claims)}."
        if self.fault == "hs256_with_the_public_key":
            public = OctKey.import_key(base64.b64encode(self.key.as_pem(private=False)))
            return jwt.encode({**header, "alg": "HS256"}, claims, public, algorithms=["HS256"])
        key = new_key(str(self.key.kid)) if self.fault == "another_key_of_the_same_id" else self.key
        token = jwt.encode(header, claims, key)
        if self.fault == "tampered":
            head, _, signature = token.split(".")
            token = f"{head}.{_part({**claims, 'sub': 'the-owner'})}.{signature}"
        return token


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


class IdentityProviders:
    """One server with as many issuers as are asked for."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opened: dict[int, IdentityProvider] = {}
        pages = Route("/{number:int}/{path:path}", self._answer, methods=["GET", "POST"])
        self.app = Starlette(routes=[pages])

    def open(self) -> IdentityProvider:
        """Another provider, which nobody has heard of."""
        number = len(self._opened) + 1
        self._opened[number] = IdentityProvider(f"{self._url}/{number}")
        return self._opened[number]

    async def _answer(self, request: Request) -> Response:
        return await self._opened[request.path_params["number"]].answer(request)


@contextmanager
def running_identity_providers() -> Iterator[IdentityProviders]:
    """A server for the length of the block."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        providers = IdentityProviders(f"http://127.0.0.1:{listener.getsockname()[1]}")
        server = uvicorn.Server(uvicorn.Config(providers.app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="identity-providers")
        thread.start()
        try:
            wait_until(lambda: server.started, what="the identity providers take connections")
            yield providers
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def identity_providers() -> Iterator[IdentityProviders]:
    """A server for the tests of a module."""
    with running_identity_providers() as providers:
        yield providers


@pytest.fixture
def identity_provider(identity_providers: IdentityProviders) -> IdentityProvider:
    """A provider of this test's own."""
    return identity_providers.open()
