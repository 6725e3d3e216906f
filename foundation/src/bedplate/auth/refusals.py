"""Why credentials were refused: for the log, a metric and a command, never for the client."""

from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from fastapi.requests import HTTPConnection

from bedplate.auth.principal import Principal

REASONS: Final = {
    "no_credentials": "The request has no credentials: no bearer token, cookie or key where one is "
    "looked for.",
    "malformed_token": "The token isn't one of this kind.",
    "unsigned_token": "The token has no signature, which is required for a cookie, and for a "
    "bearer token where only signed ones are accepted.",
    "bad_signature": "The signature is another secret's or key's.",
    "unknown_session": "No session has this token: it was signed out, it expired and was deleted, "
    "or it is in another database or was hashed with another secret.",
    "session_expired": "The session has expired.",
    "session_revoked": "The session was revoked.",
    "user_gone": "The session's user doesn't exist any more.",
    "wrong_algorithm": "The token is signed with an algorithm that isn't accepted.",
    "unknown_key": "None of the auth server's keys, or of the API keys, is this one.",
    "token_expired": "The token has expired.",
    "token_not_yet_valid": "The token isn't valid yet: compare the clocks.",
    "wrong_issuer": "The token's issuer isn't the one that is expected.",
    "wrong_audience": "The token is for another audience.",
    "missing_claim": "The token lacks its expiry, subject, issuer or audience.",
    "unusable_user_id": "The session is valid, but its user's id is empty or too long.",
    "unknown": "The verifier gave no reason.",
}
"""What each reason means. They are labels of a metric, so there are only these."""

_KEY = "refusal"
_MAX_DETAIL_LENGTH = 200


class Refused(Exception):
    """Credentials are refused for one of `REASONS`; nothing secret belongs in the details."""

    def __init__(self, reason: str, **details: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details


async def verified(
    prove: Callable[[HTTPConnection], Awaitable[Principal]], connection: HTTPConnection
) -> Principal | None:
    """Return what `prove` returns; note a `Refused` and return None."""
    try:
        return await prove(connection)
    except Refused as refused:
        note_refusal(connection, refused)
        return None


def note_refusal(connection: HTTPConnection, refused: Refused) -> None:
    """Note why the credentials of a request are refused, and log it at level DEBUG."""
    connection.scope.setdefault("state", {})[_KEY] = refused.reason
    details = {name: str(value)[:_MAX_DETAIL_LENGTH] for name, value in refused.details.items()}
    if structlog.is_configured():  # its default would print each refusal
        log = structlog.get_logger("bedplate.auth")
        log.debug("credentials_refused", reason=refused.reason, **details)


def refusal_of(connection: HTTPConnection) -> str:
    """Return the reason that a verifier noted."""
    reason: str = connection.scope.get("state", {}).get(_KEY, "unknown")
    return reason


def count_refusal(connection: HTTPConnection) -> None:
    """Count a refusal in `session_refusals_total`, where the lifespan's state has metrics."""
    metrics = connection.scope.get("state", {}).get("metrics")
    if metrics is not None:
        counter = metrics.counter(
            "session_refusals", "Credentials that were refused, by reason", ["reason"]
        )
        counter.add(refusal_of(connection))
