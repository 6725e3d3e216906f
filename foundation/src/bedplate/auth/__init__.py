"""Who asks, and how it is proven: API keys, session tokens, better-auth, JWT.

The verifiers that read a database are in `bedplate.auth.hashed_sessions` and
`bedplate.auth.better_auth`, JSON Web Tokens in `bedplate.auth.jwt`: each needs its extra.
"""

from bedplate.auth.api_keys import APIKeyEntry, APIKeys
from bedplate.auth.guard import API_KEY, BEARER, SESSION_COOKIE, Guard
from bedplate.auth.principal import Principal, Verifier, unauthorized

__all__ = [
    "API_KEY",
    "BEARER",
    "SESSION_COOKIE",
    "APIKeyEntry",
    "APIKeys",
    "Guard",
    "Principal",
    "Verifier",
    "unauthorized",
]
