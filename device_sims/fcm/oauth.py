"""The token endpoint: a signed assertion in, a short-lived access token out (RFC 7523, RFC 6749)."""

import secrets
from collections.abc import Callable
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from device_sims.fcm.answers import Answer, Json, oauth_error, unauthenticated

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
#: google-auth signs this audience whatever `token_uri` says
GOOGLE_AUDIENCE = "https://oauth2.googleapis.com/token"
#: one of these lets a token send messages
SENDING_SCOPES = frozenset(
    {
        "https://www.googleapis.com/auth/cloud-platform",
        "https://www.googleapis.com/auth/firebase.messaging",
    }
)
LONGEST_ASSERTION_S = 3600
CLOCK_SKEW_S = 300


class Authority:
    """Google's side of one service account: knows its public key, hands out access tokens and forgets none."""

    def __init__(
        self, project_id: str, *, key: rsa.RSAPrivateKey | None, token_lifetime_s: int, now_s: Callable[[], float]
    ) -> None:
        self.client_email = f"push@{project_id}.iam.gserviceaccount.com"
        self._project_id = project_id
        self._token_lifetime_s = token_lifetime_s
        self._now_s = now_s
        self._key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._key_id = secrets.token_hex(20)
        #: access token -> when it expires, in seconds since 1970
        self._tokens: dict[str, float] = {}

    def service_account(self, token_uri: str) -> dict[str, str]:
        """The key file that a project's owner downloads, with the token endpoint pointing here."""
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": self._project_id,
            "private_key_id": self._key_id,
            "private_key": pem.decode(),
            "client_email": self.client_email,
            "client_id": "100000000000000000001",
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        }

    def exchange(self, form: bytes, token_uri: str) -> Answer:
        """Answer `POST /token`.

        Raises:
            RefusedError: wrong grant, signature, audience, issuer, scope or times.
        """
        fields = parse_qs(form.decode("utf-8", "replace"))
        if fields.get("grant_type") != [GRANT_TYPE]:
            raise oauth_error(
                "unsupported_grant_type", "Invalid grant_type: " + ", ".join(fields.get("grant_type", []))
            )
        assertion = fields.get("assertion", [""])[0]
        try:
            claims = jwt.decode(
                assertion,
                self._key.public_key(),
                algorithms=["RS256"],
                audience=[GOOGLE_AUDIENCE, token_uri],
                issuer=self.client_email,
                # Times are judged below, by this double's own clock.
                options={"require": ["iss", "aud", "iat", "exp"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.InvalidSignatureError:
            raise oauth_error("invalid_grant", "Invalid JWT Signature.") from None
        except jwt.InvalidTokenError as error:
            raise oauth_error("invalid_grant", f"Invalid JWT: {error}") from None
        self._judge_times(claims)
        scopes = set(str(claims.get("scope", "")).split())
        if not scopes & SENDING_SCOPES:
            raise oauth_error("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        token = "ya29.double." + secrets.token_urlsafe(48)
        self._tokens[token] = self._now_s() + self._token_lifetime_s
        return Answer(200, {"access_token": token, "expires_in": self._token_lifetime_s, "token_type": "Bearer"})

    def _judge_times(self, claims: Json) -> None:
        issued, expires, now_s = claims["iat"], claims["exp"], self._now_s()
        if not isinstance(issued, int | float) or not isinstance(expires, int | float):
            raise oauth_error("invalid_grant", "Invalid JWT: iat and exp must be numbers.")
        too_long = expires - issued > LONGEST_ASSERTION_S
        if too_long or expires + CLOCK_SKEW_S < now_s or issued - CLOCK_SKEW_S > now_s:
            raise oauth_error(
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
                "Check your iat and exp values in the JWT claim.",
            )

    def check(self, authorization: str | None) -> None:
        """Let a request's `Authorization` header pass.

        Raises:
            RefusedError: it carries no token, an unknown one, or one that has expired.
        """
        if not authorization:
            raise unauthenticated("CREDENTIALS_MISSING")
        kind, _, token = authorization.partition(" ")
        expires = self._tokens.get(token)
        if kind != "Bearer" or expires is None:
            raise unauthenticated("ACCESS_TOKEN_TYPE_UNSUPPORTED" if kind != "Bearer" else "ACCESS_TOKEN_INVALID")
        if self._now_s() >= expires:
            raise unauthenticated("ACCESS_TOKEN_EXPIRED")

    def expire_tokens(self) -> None:
        """Let every access token handed out so far expire now."""
        self._tokens = dict.fromkeys(self._tokens, 0.0)
