"""better-auth's signed tokens: `token.signature`, where the signature is base64(HMAC-SHA256)."""

import base64
import hashlib
import hmac

from pydantic import SecretStr

_SIGNATURE_LENGTH = 44


def secret_bytes(secret: SecretStr) -> bytes:
    """Return the bytes of a secret as the environment holds them, UTF-8 or not."""
    return secret.get_secret_value().encode("utf-8", "surrogateescape")


def split_signature(value: bytes) -> tuple[bytes, bytes | None]:
    """Return the token and its signature, if any, of a value that is decoded already."""
    token, dot, signature = value.rpartition(b".")
    if dot and len(signature) == _SIGNATURE_LENGTH and signature.endswith(b"="):
        return token, signature
    return value, None


def sign(secret: SecretStr, token: bytes) -> bytes:
    """Return `token.signature` as in better-auth's cookie."""
    digest = hmac.new(secret_bytes(secret), token, hashlib.sha256).digest()
    return token + b"." + base64.b64encode(digest)


def verified_token(secret: SecretStr, value: bytes, *, required: bool) -> bytes | None:
    """Return the token if its signature is valid, or absent and not `required`; else None."""
    token, signature = split_signature(value)
    if signature is None:
        return None if required or b"." in value else value
    signed = token + b"." + signature
    return token if hmac.compare_digest(signed, sign(secret, token)) else None
