"""Authentication; `hashed_sessions`, `better_auth` and `jwt` each need an extra."""

from bedplate.auth.api_keys import APIKeyEntry, APIKeys
from bedplate.auth.guard import API_KEY, BEARER, SESSION_COOKIE, SESSION_COOKIE_NAME, Guard
from bedplate.auth.principal import (
    CheckedVerifier,
    Principal,
    Verifier,
    VerifierUnusable,
    unauthorized,
)

__all__ = [
    "API_KEY",
    "BEARER",
    "SESSION_COOKIE",
    "SESSION_COOKIE_NAME",
    "APIKeyEntry",
    "APIKeys",
    "CheckedVerifier",
    "Guard",
    "Principal",
    "Verifier",
    "VerifierUnusable",
    "unauthorized",
]
