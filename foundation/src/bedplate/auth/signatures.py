"""better-auth's signed tokens: `token.signature`, the signature base64 of HMAC-SHA256."""

import base64
import hashlib
import hmac
from urllib.parse import unquote_to_bytes

from pydantic import SecretStr

_SIGNATURE_LENGTH = 44


def secret_bytes(secret: SecretStr) -> bytes:
    """Return a secret as the bytes that the environment gave, whether they are UTF-8 or not."""
    return secret.get_secret_value().encode("utf-8", "surrogateescape")


def split_signature(value: bytes) -> tuple[bytes, bytes | None]:
    """Return the token and its signature, or None where there is none; the last dot parts them.

    A client may have copied the URL-encoded value of the cookie.
    """
    token, dot, signature = unquote_to_bytes(value).rpartition(b".")
    if dot and len(signature) == _SIGNATURE_LENGTH and signature.endswith(b"="):
        return token, signature
    return value, None


def without_signature(value: bytes) -> bytes:
    """Return the token alone, whichever of the two forms a client sent."""
    return split_signature(value)[0]


def sign(secret: SecretStr, token: bytes) -> bytes:
    """Return `token.signature` as better-auth makes it for its cookie."""
    digest = hmac.new(secret_bytes(secret), token, hashlib.sha256).digest()
    return token + b"." + base64.b64encode(digest)


def verified_token(secret: SecretStr, value: bytes, *, required: bool) -> bytes | None:
    """Return the token when its signature holds, or None.

    An unsigned token is returned as it is unless a signature is `required`.
    """
    token, signature = split_signature(value)
    if signature is None:
        return None if required or b"." in value else value
    signed = token + b"." + signature
    return token if hmac.compare_digest(signed, sign(secret, token)) else None
