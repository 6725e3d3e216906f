"""Sessions that a better-auth server itself is asked about, wherever it keeps them."""

import re
from typing import Any, Final, Self

import structlog
from fastapi.requests import HTTPConnection

from bedplate.auth.credentials import bearer_token, cookie_names, raw_cookies
from bedplate.auth.guard import SESSION_COOKIE_NAME
from bedplate.auth.principal import AuthServerUnavailable, Principal, VerifierUnusable
from bedplate.auth.refusals import Refused, verified
from bedplate.clients import UpstreamRefused, UpstreamUnavailable
from bedplate.clients.client import ServiceClient

_PATH: Final = "get-session"
# The store of sessions is read, not the cookie of an earlier answer; and no expiry moves here,
# since better-auth would not set the browser's cookie again afterwards.
_QUERY: Final = {"disableCookieCache": "true", "disableRefresh": "true"}
_TIMEOUT_SECONDS: Final = 2.0
_ATTEMPTS: Final = 2  # the second for a connection that was closed meanwhile
_MAX_ANSWER_BYTES: Final = 1_048_576  # a user's image may be a data: URL
_MAX_COOKIE_LENGTH: Final = 8_192
_RETRY_SECONDS: Final = 5
# better-auth's tokens are ASCII; control characters would end a header.
_SENDABLE: Final = re.compile(rb"[\t\x20-\x7e]*")


class IntrospectedSessions:
    """Authenticates the user of a better-auth session by asking the auth server for it.

    `url` is where better-auth's routes are, such as `https://auth.example.com/api/auth`. It gets
    the bearer token and the session cookie as they came, nothing else of the request, and decides
    as it does for its own routes: about signatures, its `bearer()` plugin, and expiry. Nothing is
    cached. `cookie` is the name without better-auth's prefix `__Secure-`; both forms are sent, and
    the auth server takes its own. `timeout` bounds each of two attempts, in seconds.
    """

    def __init__(
        self, url: str, *, cookie: str = SESSION_COOKIE_NAME, timeout: float = _TIMEOUT_SECONDS
    ) -> None:
        self.cookies = cookie_names(cookie, secure=None)
        """The names of the cookie that are sent."""
        self._url = f"{url.rstrip('/')}/{_PATH}"
        self._client = ServiceClient.at(
            self._url,
            url,
            timeout=timeout,
            attempts=_ATTEMPTS,
            max_answer_bytes=_MAX_ANSWER_BYTES,
        )
        self._reached = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.client.aclose()

    async def verify(self, connection: HTTPConnection) -> Principal | None:
        """Return the user of the session, or None. Raises `AuthServerUnavailable`."""
        return await verified(self._prove, connection)

    async def _prove(self, connection: HTTPConnection) -> Principal:
        user_id = await self._user_id(self._credentials(connection))
        if user_id is None:
            raise Refused("unknown_session", asked=self._url)
        return Principal("user", user_id)

    async def check(self) -> None:
        """Ask the auth server once, if it has never answered.

        Raises `AuthServerUnavailable`, and `VerifierUnusable` when it has a session for anybody.
        """
        if not self._reached and await self._user_id({}) is not None:
            self._reached = False
            raise VerifierUnusable(
                f"{self._url} answers a request without credentials with a session"
            )

    def _credentials(self, connection: HTTPConnection) -> dict[str, str]:
        sent = {}
        if (token := bearer_token(connection)) is not None:
            sent["Authorization"] = b"Bearer " + token
        cookies = raw_cookies(connection, *self.cookies)
        pairs = b"; ".join(name.encode() + b"=" + value for name, value in cookies.items())
        if pairs and len(pairs) <= _MAX_COOKIE_LENGTH:
            sent["Cookie"] = pairs
        if not sent:
            raise Refused("no_credentials", expected=" or ".join(self.cookies))
        if not all(_SENDABLE.fullmatch(value) for value in sent.values()):
            raise Refused("malformed_token")
        return {name: value.decode() for name, value in sent.items()}

    async def _user_id(self, credentials: dict[str, str]) -> str | None:
        """Return the id of the session's user, None if the auth server knows no such session."""
        try:
            answer = await self._client.call(
                "GET", _PATH, query=_QUERY, headers=credentials, body_required=True
            )
        except UpstreamRefused as error:
            raise self._unusable(f"status {error.answered}") from error
        except UpstreamUnavailable as error:  # the client logged why
            raise AuthServerUnavailable(retry_after=error.retry_after) from error
        user_id = _id_in(answer)
        if answer is not None and user_id is None:
            raise self._unusable("an answer without session and user")
        self._reached = True
        return user_id

    def _unusable(self, reason: str) -> AuthServerUnavailable:
        log = structlog.get_logger("bedplate.auth")
        log.warning("introspection_unusable", url=self._url, reason=reason)
        return AuthServerUnavailable(retry_after=_RETRY_SECONDS)


def _id_in(answer: Any) -> str | None:
    """Return the user's id in `{"session": {…}, "user": {"id": …}}`, or None in any other."""
    match answer:
        case {"session": {}, "user": {"id": str() as user_id}} if user_id:
            return user_id
    return None
