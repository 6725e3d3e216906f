"""Authentication: API keys, session tokens, better-auth, JWT.

`bedplate.auth.hashed_sessions`, `bedplate.auth.better_auth` and `bedplate.auth.jwt` each need an
extra.
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
