"""Authentication; all verifiers but `APIKeys` are in modules that need an extra."""

from bedplate.auth.api_keys import APIKeyEntry, APIKeys
from bedplate.auth.guard import (
    API_KEY,
    BEARER,
    SESSION_COOKIE,
    SESSION_COOKIE_NAME,
    Guard,
    session_cookie,
)
from bedplate.auth.principal import (
    AuthServerUnavailable,
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
    "AuthServerUnavailable",
    "CheckedVerifier",
    "Guard",
    "Principal",
    "Verifier",
    "VerifierUnusable",
    "session_cookie",
    "unauthorized",
]
