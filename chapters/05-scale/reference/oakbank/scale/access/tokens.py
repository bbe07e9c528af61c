"""Who asks: tokens that a provider signs (JWT, RFC 7519), and the checks without which they prove nothing.

`Provider` stands in for the bank's OpenID Connect provider: signing keys, their JWKS document (RFC 7517), and tokens.
Nobody logs in to it: it has no passwords, pages or sessions.
"""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

ALGORITHM = "RS256"
"""The one algorithm taken, whatever the header of a token says; each OpenID provider has it."""
REQUIRED = ("iss", "sub", "aud", "iat", "exp")
LONGEST = 900
"""Seconds from a token's `iat` to its `exp`: a longer one is refused, for nobody can call it back."""


class TokenError(Exception):
    """The token proves nothing; the message says why, and repeats nothing of it."""


class KeysError(Exception):
    """The provider's keys cannot be had, so nothing can be said of the token."""


@dataclass(frozen=True)
class Caller:
    """Who asks, as the provider says."""

    subject: str
    roles: tuple[str, ...]


class Provider:
    """Keys and signatures. A key is published first, signs later, and is withdrawn when its last token has expired.

    Args:
        issuer: Its name, a URL.
        clock: Gives the seconds since 1970.
    """

    def __init__(self, issuer: str, clock: Callable[[], float] = time.time) -> None:
        self.issuer, self._clock = issuer, clock
        self._keys: dict[str, RSAPrivateKey] = {}
        self._signing = self.publish()

    def publish(self) -> str:
        """Draw a key and add it to the JWKS; return its `kid`. It does not sign yet: verifiers must see it first."""
        kid = secrets.token_hex(8)
        self._keys[kid] = generate_private_key(public_exponent=65537, key_size=2048)
        return kid

    def sign_with(self, kid: str) -> None:
        """Sign with a published key from now on. KeyError: there is no such key."""
        _ = self._keys[kid]
        self._signing = kid

    def withdraw(self, kid: str) -> None:
        """Take a key out of the JWKS: what it signed is worth nothing from here on.

        Raises:
            KeyError: There is no such key.
            ValueError: It is the one that signs.
        """
        if kid == self._signing:
            raise ValueError("this key signs: let another one sign first")
        del self._keys[kid]

    @property
    def signing(self) -> str:
        """The `kid` of the key that signs."""
        return self._signing

    def jwks(self) -> dict[str, Any]:
        """Return the public keys as the JWKS document that a provider serves."""
        told = {kid: RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) for kid, key in self._keys.items()}
        return {"keys": [told[kid] | {"kid": kid, "use": "sig", "alg": ALGORITHM} for kid in told]}

    def token(self, subject: str, roles: Sequence[str], audience: str, seconds: float = 300, **claims: Any) -> str:
        """Return a token.

        Args:
            subject: Whom it names.
            roles: What they are.
            audience: The one service that it is for.
            seconds: How long it is good for.
            claims: Others, or in the place of those; one that is None is left out.
        """
        now = int(self._clock())
        usual = {"iss": self.issuer, "sub": subject, "aud": audience, "iat": now, "exp": now + int(seconds)}
        told = {name: value for name, value in (usual | {"roles": [*roles]} | claims).items() if value is not None}
        return jwt.encode(told, self._keys[self._signing], ALGORITHM, headers={"kid": self._signing})


@contextmanager
def jwks_url(provider: Provider) -> Iterator[str]:
    """Serve a provider's JWKS on a free port of this machine while the block runs, and give its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(provider.jwks()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/jwks"
        finally:
            server.shutdown()


def bearer(token: str) -> dict[str, str]:
    """Return the header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


class Keys(Protocol):
    """Where a verifier has the provider's keys from, such as `jwt.PyJWKClient` or `Published`."""

    def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
        """Return the key that the token's header names by `kid`."""


class Published:
    """The keys of a provider in the same process, as its JWKS has them now."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
        """Return the key that the token's header names by `kid`."""
        kid = jwt.get_unverified_header(token).get("kid")
        for key in jwt.PyJWKSet.from_dict(self._provider.jwks()).keys:
            if key.key_id == kid:
                return key
        raise jwt.PyJWKClientError("no published key has this kid")


@dataclass(frozen=True)
class Verifier:
    """Says who asks, or refuses.

    Args:
        keys: Of the provider.
        issuer: The provider that is believed.
        audience: The name of this service.
        leeway: Seconds by which clocks may differ.
    """

    keys: Keys
    issuer: str
    audience: str
    leeway: float = 0.0

    def __call__(self, token: str) -> Caller:
        """Check a token.

        Raises:
            TokenError: It proves nothing.
            KeysError: The provider cannot be reached.
        """
        try:
            claims = jwt.decode(
                token,
                self.keys.get_signing_key_from_jwt(token),
                algorithms=[ALGORITHM],
                audience=self.audience,
                issuer=self.issuer,
                leeway=self.leeway,
                options={"require": [*REQUIRED]},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise KeysError("the provider's keys cannot be had: ask again") from error
        except jwt.PyJWTError as error:
            raise TokenError(_reason(error)) from error
        if claims["exp"] - claims["iat"] > LONGEST:
            raise TokenError(f"it is good for more than {LONGEST} s")
        return Caller(claims["sub"], _roles(claims.get("roles")))


def _roles(told: Any) -> tuple[str, ...]:
    if not isinstance(told, list) or not all(isinstance(role, str) for role in told):
        raise TokenError("its roles are no list of names")
    return tuple(told)


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (jwt.ExpiredSignatureError, "it has expired"),
    (jwt.ImmatureSignatureError, "it is not good yet"),
    (jwt.InvalidAudienceError, "it is for another service"),
    (jwt.InvalidIssuerError, "another provider issued it"),
    (jwt.InvalidAlgorithmError, f"it is not signed with {ALGORITHM}"),
    (jwt.InvalidSignatureError, "its signature is wrong"),
    (jwt.MissingRequiredClaimError, f"one of {', '.join(REQUIRED)} is missing"),
    (jwt.PyJWKClientError, "no published key has its kid"),
)


def _reason(error: Exception) -> str:
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), "it is no token of ours")
