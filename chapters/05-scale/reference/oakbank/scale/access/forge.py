"""Tokens as an attacker makes them, and a verifier with omissions, to see which attack needs which omission."""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from oakbank.scale.access.tokens import ALGORITHM, Provider, TokenError


def _part(told: Mapping[str, Any]) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=")


def unsigned(claims: Mapping[str, Any], kid: str) -> str:
    """Return a token that says of itself that it needs no signature."""
    return b".".join([_part({"alg": "none", "typ": "JWT", "kid": kid}), _part(claims), b""]).decode()


def confused(claims: Mapping[str, Any], kid: str, jwk: Mapping[str, Any]) -> str:
    """Return a token whose header turns the provider's public key into a shared password (HS256)."""
    signed = b".".join([_part({"alg": "HS256", "typ": "JWT", "kid": kid}), _part(claims)])
    mac = hmac.digest(pem(jwk), signed, "sha256")
    return b".".join([signed, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


def with_own_key(claims: Mapping[str, Any], kid: str) -> str:
    """Return a token signed with a key of one's own, which its header brings along."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    own = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return jwt.encode(dict(claims), key, ALGORITHM, headers={"kid": kid, "jwk": own})


def pem(jwk: Mapping[str, Any]) -> bytes:
    """Return a public key as the text that stands in files."""
    key: Any = jwt.PyJWK(dict(jwk)).key
    return bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def attacks(provider: Provider, audience: str, seconds_ago: float = 3_600) -> dict[str, str]:
    """Return a token for each attack, by the check that stops it. The last four are really signed by the provider.

    Args:
        provider: Of the bank. The attacker knows its public keys; it signs for other services, and signed long ago.
        audience: The service attacked.
        seconds_ago: When the old token expired.
    """
    (jwk,) = (key for key in provider.jwks()["keys"] if key["kid"] == provider.signing)
    honest = provider.token("mallory", ["applicant"], audience)
    claims = jwt.decode(honest, options={"verify_signature": False}) | {"sub": "grace", "roles": ["approver"]}
    issued = claims["iat"] - seconds_ago - 300
    return {
        "signature": unsigned(claims, jwk["kid"]),
        "algorithm": confused(claims, jwk["kid"], jwk),
        "key": with_own_key(claims, jwk["kid"]),
        "audience": provider.token("mallory", ["approver"], "cafeteria"),
        "issuer": provider.token("mallory", ["approver"], audience, iss="https://test.oakbank.example"),
        "expiry": provider.token("grace", ["approver"], audience, iat=issued, exp=issued + 300),
        "end": provider.token("grace", ["approver"], audience, exp=None),
    }


def takes(verify: Callable[[str], Any], token: str) -> bool:
    """Say whether a verifier takes a token."""
    try:
        verify(token)
    except (jwt.PyJWTError, TokenError):
        return False
    return True


def try_all(verifiers: Mapping[str, Callable[[str], Any]], tokens: Mapping[str, str]) -> dict[str, dict[str, bool]]:
    """Return which verifier takes which token."""
    return {
        name: {attack: takes(verify, token) for attack, token in tokens.items()} for name, verify in verifiers.items()
    }


Careless = Callable[[str], dict[str, Any]]


def careless(provider: Provider, audience: str) -> dict[str, Careless]:
    """Return a verifier for each check that it leaves out, named as `attacks` names it; never use one."""
    return {name: _careless(provider, audience, name) for name in attacks(provider, audience)}


def _careless(provider: Provider, audience: str, omitted: str) -> Careless:
    (jwk,) = (key for key in provider.jwks()["keys"] if key["kid"] == provider.signing)
    checks = {"verify_aud": "audience", "verify_iss": "issuer", "verify_exp": "expiry"}
    options: dict[str, Any] = {check: omitted != name for check, name in checks.items()}
    options["require"] = [] if omitted == "end" else ["exp"]
    told: dict[str, Any] = {"audience": audience, "issuer": provider.issuer, "options": options}

    def verify(token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        if omitted == "signature" and header["alg"] == "none":
            return jwt.decode(token, algorithms=["none"], **told | {"options": options | {"verify_signature": False}})
        if omitted == "algorithm" and header["alg"] == "HS256":
            return _with_password(token, pem(jwk))
        key = jwt.PyJWK(header["jwk"] if omitted == "key" and "jwk" in header else jwk, ALGORITHM)
        return jwt.decode(token, key, algorithms=[ALGORITHM], **told)

    return verify


def _with_password(token: str, password: bytes) -> dict[str, Any]:
    # PyJWT refuses a public key as a password, so the mistake has to be written by hand.
    signed, _, mac = token.rpartition(".")
    wanted = base64.urlsafe_b64encode(hmac.digest(password, signed.encode(), "sha256")).rstrip(b"=")
    if not hmac.compare_digest(mac.encode(), wanted):
        raise jwt.InvalidSignatureError
    return jwt.decode(token, options={"verify_signature": False})
