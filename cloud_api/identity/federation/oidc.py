"""OpenID Connect, our side: authorization code with PKCE (RFC 7636), the ID token verified by the provider's keys.

Every call goes out through the guarded client and stands outside any unit of work. What the provider publishes is kept
for five minutes; its keys are asked for once more when a token names one that is not among them.
"""

import asyncio
import json
import ssl
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import httpx2
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import Key, KeySet, import_key

from cloud_api.identity.federation.assertion import Assertion
from cloud_api.identity.federation.errors import AnswerRefused, ProviderUnavailable
from cloud_api.identity.federation.models import IdentityProvider
from cloud_api.kernel import clock, outbound
from cloud_api.kernel.outbound import OutboundPolicy, OutboundRefused

T = TypeVar("T")

#: signed by a key that only the provider has; neither `none` nor an HMAC, whose key would be one that we publish
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_KEY_TYPES = frozenset({"RSA", "EC"})
#: how a provider says that it asked for a second factor: in `amr` (RFC 8176), or in `acr` (PAPE, REFEDS)
_FACTOR = "mfa"
_FACTOR_CLASSES = frozenset(
    {_FACTOR, "http://schemas.openid.net/pape/policies/2007/06/multi-factor", "https://refeds.org/profile/mfa"}
)
#: how far the provider's clock may be off
_LEEWAY_S = 60
_STEP_TIMEOUT_S = 5.0
_WHOLE_TIMEOUT_S = 15.0
_MAX_ANSWER_BYTES = 256 * 1024
_KEPT_FOR = timedelta(minutes=5)


@dataclass(frozen=True)
class Discovered:
    """What a provider publishes about itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    #: how a client may prove itself at the token endpoint
    auth_methods: frozenset[str]


class Published(Generic[T]):
    """Documents that providers publish, by their URL, as they were understood: so many, so long."""

    def __init__(self, *, at_most: int = 256) -> None:
        self._at_most = at_most
        self._kept: OrderedDict[str, tuple[datetime, T]] = OrderedDict()

    async def get(
        self, url: str, policy: OutboundPolicy, read: Callable[[Mapping[str, object]], T], *, afresh: bool = False
    ) -> T:
        """What `read` makes of the document at `url`; asked for when it is not known, too old, or wanted `afresh`.

        Raises:
            ProviderUnavailable: when it cannot be had, or `read` makes nothing of it; then nothing of it is kept.
        """
        kept = self._kept.get(url)
        if kept is not None and not afresh and kept[0] > clock.now() - _KEPT_FOR:
            return kept[1]
        status, document = await _ask(policy, "GET", url)
        if status != 200:
            raise ProviderUnavailable(f"{url} answered {status}")
        understood = read(document)
        self._kept[url] = (clock.now(), understood)
        self._kept.move_to_end(url)
        while len(self._kept) > self._at_most:
            self._kept.popitem(last=False)
        return understood


_configurations = Published[Discovered]()
_key_sets = Published[KeySet]()


async def discover(issuer: str, policy: OutboundPolicy) -> Discovered:
    """What the provider of `issuer` publishes (OpenID Connect Discovery 1.0).

    Raises:
        ProviderUnavailable: when it does not answer, or says that it is somebody else.
    """
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    return await _configurations.get(url, policy, lambda document: _configuration(document, issuer, policy))


def _configuration(document: Mapping[str, object], issuer: str, policy: OutboundPolicy) -> Discovered:
    names = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
    texts = {name: value for name in names if isinstance(value := document.get(name), str)}
    if len(texts) < len(names) or texts["issuer"] != issuer:
        raise ProviderUnavailable(f"{issuer} publishes no configuration of its own")
    schemes = {"https", "http"} if policy.plain_http else {"https"}
    if urlsplit(texts["authorization_endpoint"]).scheme not in schemes:
        raise ProviderUnavailable(f"{issuer} would send browsers to {texts['authorization_endpoint']!r}")
    methods = document.get("token_endpoint_auth_methods_supported")
    known = frozenset(map(str, methods)) if isinstance(methods, list) else frozenset({"client_secret_basic"})
    return Discovered(**texts, auth_methods=known)


def authorization_url(
    provider: IdentityProvider, discovered: Discovered, *, state: str, nonce: str, code_verifier: str
) -> str:
    """Where the browser goes."""
    return str(
        prepare_grant_uri(
            discovered.authorization_endpoint,
            client_id=provider.client_id,
            response_type="code",
            redirect_uri=provider.redirect_url,
            scope=provider.scopes,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(code_verifier),
            code_challenge_method="S256",
        )
    )


async def trade_in(
    provider: IdentityProvider, *, code: str, code_verifier: str, nonce: str, policy: OutboundPolicy
) -> Assertion:
    """Who the provider says that `code` is.

    Raises:
        AnswerRefused: when it takes the code back, or its ID token does not hold.
        ProviderUnavailable: when it does not answer; the code may still be good.
    """
    discovered = await discover(provider.url, policy)
    await _keys(discovered, policy)  # first: a code that cannot be verified is not spent
    body = prepare_token_request(
        "authorization_code", redirect_uri=provider.redirect_url, code=code, code_verifier=code_verifier
    )
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    method = _client_auth_method(provider, discovered)
    url, headers, body = ClientAuth(provider.client_id, provider.secret, method).prepare(
        "POST", discovered.token_endpoint, headers, body
    )
    status, answer = await _ask(policy, "POST", url, headers=headers, content=body)
    if status >= 500 or status == 429:
        raise ProviderUnavailable(f"{url} answered {status}")
    id_token, access_token = answer.get("id_token"), answer.get("access_token")
    if status != 200 or not isinstance(id_token, str):
        raise AnswerRefused(f"the token endpoint answered {status} {answer.get('error', '')!s:.60}")
    claims = await _verified(provider, discovered, id_token, nonce=nonce, access_token=access_token, policy=policy)
    return _asserted(provider, claims)


def _client_auth_method(provider: IdentityProvider, discovered: Discovered) -> str:
    if not provider.secret:
        return "none"
    return "client_secret_post" if "client_secret_post" in discovered.auth_methods else "client_secret_basic"


async def _verified(
    provider: IdentityProvider,
    discovered: Discovered,
    id_token: str,
    *,
    nonce: str,
    access_token: object,
    policy: OutboundPolicy,
) -> Mapping[str, Any]:
    """The claims of an ID token that holds (OpenID Connect Core 1.0, section 3.1.3.7), by our clock."""
    try:
        key = await _signing_key(discovered, id_token, policy)
        token = jwt.decode(id_token, key, algorithms=ALGORITHMS)
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": discovered.issuer},
                "aud": {"essential": True, "value": provider.client_id},
            },
            params={"nonce": nonce, "client_id": provider.client_id, "access_token": access_token},
        )
        claims.validate(now=int(clock.now().timestamp()), leeway=_LEEWAY_S)
    except (JoseError, ValueError, TypeError) as error:
        raise AnswerRefused(f"the ID token does not hold: {type(error).__name__} {error}"[:200]) from None
    if not isinstance(claims["sub"], str) or not 1 <= len(claims["sub"]) <= 255:
        raise AnswerRefused("the ID token names no subject")
    verified: Mapping[str, Any] = claims
    return verified


async def _signing_key(discovered: Discovered, id_token: str, policy: OutboundPolicy) -> Key:
    """The published key that the token names; asked for anew, once, when it is not known yet."""
    key_id = jws.extract_compact(id_token.encode()).headers().get("kid")
    try:
        return (await _keys(discovered, policy)).get_by_kid(key_id)
    except InvalidKeyIdError:
        return (await _keys(discovered, policy, afresh=True)).get_by_kid(key_id)


async def _keys(discovered: Discovered, policy: OutboundPolicy, *, afresh: bool = False) -> KeySet:
    return await _key_sets.get(discovered.jwks_uri, policy, _key_set, afresh=afresh)


def _key_set(document: Mapping[str, object]) -> KeySet:
    published = document.get("keys")
    keys = [key for entry in published if (key := _key(entry))] if isinstance(published, list) else []
    if not keys:
        raise ProviderUnavailable("the provider publishes no key to verify with")
    return KeySet(keys)


def _key(entry: object) -> Key | None:
    """A key to verify signatures with; None for any other."""
    if not isinstance(entry, dict) or entry.get("kty") not in _KEY_TYPES or entry.get("use", "sig") != "sig":
        return None
    try:
        return import_key(entry)
    except (JoseError, ValueError, TypeError):
        return None


def _asserted(provider: IdentityProvider, claims: Mapping[str, Any]) -> Assertion:
    def text(name: str) -> str:
        value = claims.get(name)
        return value.strip() if isinstance(value, str) else ""

    vouched = claims.get("email_verified") is True
    groups = claims.get(provider.role_claim)
    listed = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
    methods = claims.get("amr")
    return Assertion(
        subject=claims["sub"],
        email=text("email").lower() if vouched else "",
        username=text("preferred_username"),
        full_name=text("name"),
        groups=frozenset(value for value in listed if isinstance(value, str)),
        second_factor=(isinstance(methods, list) and _FACTOR in methods) or text("acr") in _FACTOR_CLASSES,
    )


@cache
def _tls() -> ssl.SSLContext:
    """The authorities that the system trusts; reading them takes longer than most calls."""
    return ssl.create_default_context()


async def _ask(
    policy: OutboundPolicy, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: str = ""
) -> tuple[int, Mapping[str, object]]:
    """Status and JSON object of an answer; only so long and only so much of it."""
    body = bytearray()
    # nothing is decompressed: a small answer must not become a large one here
    sent = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
    try:
        async with (
            asyncio.timeout(_WHOLE_TIMEOUT_S),
            outbound.client(policy, timeout_s=_STEP_TIMEOUT_S, verify=_tls()) as client,
            client.stream(method, url, headers=sent, content=content.encode() or None) as answer,
        ):
            async for part in answer.aiter_raw():
                body += part
                if len(body) > _MAX_ANSWER_BYTES:
                    raise ProviderUnavailable(f"{url} answers more than {_MAX_ANSWER_BYTES} bytes")
            status = answer.status_code
        document = json.loads(body) if body else {}
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, RecursionError, OutboundRefused) as error:
        raise ProviderUnavailable(f"{url}: {type(error).__name__} {error}"[:200]) from error
    return status, document if isinstance(document, dict) else {}
