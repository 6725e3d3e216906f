"""Authentication; `hashed_sessions`, `better_auth` and `jwt` each need an extra."""

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
