"""JSON Web Tokens (RFC 7519), verified with the keys of a JWKS (RFC 7517)."""

import asyncio
from collections.abc import Sequence
from math import ceil
from typing import Self

import structlog
from fastapi.requests import HTTPConnection

from bedplate import clock
from bedplate.auth.credentials import bearer_token
from bedplate.auth.principal import AuthServerUnavailable, Principal, VerifierUnusable
from bedplate.auth.refusals import Refused, verified

try:
    import httpx2
    import jwt

    from bedplate.tls import trusted
except ImportError as error:  # pragma: no cover - the workspace has the extra
    raise ImportError("bedplate.auth.jwt needs PyJWT: pip install 'bedplate[jwt]'") from error

_FETCH_SECONDS = 5.0
_FRESH_SECONDS = 300.0
_COOLDOWN_SECONDS = 10.0
_RETRY_SECONDS = 1.0
_LEEWAY_SECONDS = 10
_MALFORMED = (jwt.PyJWTError, OverflowError, RecursionError, TypeError, ValueError)
_REASONS = (
    (jwt.ExpiredSignatureError, "token_expired"),
    (jwt.ImmatureSignatureError, "token_not_yet_valid"),
    (jwt.MissingRequiredClaimError, "missing_claim"),
    (jwt.InvalidSignatureError, "bad_signature"),
)
_OTHER = "malformed_token"
_UNUSABLE = (httpx2.HTTPError, TimeoutError, *_MALFORMED)


class KeySet:
    """The keys of a JWKS URL: cached, and fetched again for an unknown key id.

    Old keys stay in use while the URL is unreachable, and many unknown key ids cause at most one
    fetch in 10 s.
    """

    def __init__(
        self, url: str, client: httpx2.AsyncClient, *, timeout: float = _FETCH_SECONDS
    ) -> None:
        self._url = url
        self._client = client
        self._timeout = timeout
        self._reached = False
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key of this id, or None if there is none.

        Raises `AuthServerUnavailable` also when it isn't known, since the keys were fetched just
        before: it may have been made since then.
        """
        began = clock.monotonic()
        # While another request fetches the keys, an old key serves this one.
        is_served = key_id in self._keys and self._lock.locked()
        if self._is_due(key_id) and not is_served:
            async with self._lock:
                if self._is_due(key_id):
                    await self._refresh()
        key = self._keys.get(key_id)
        if key is None and not self._reached:
            raise AuthServerUnavailable(retry_after=5)
        if key is None and self._tried_at < began:
            raise AuthServerUnavailable(
                retry_after=ceil(max(1.0, _COOLDOWN_SECONDS - (began - self._tried_at)))
            )
        return key

    async def check(self, algorithms: Sequence[str]) -> None:
        """Fetch the keys if there are none yet.

        Raises `AuthServerUnavailable`, and `VerifierUnusable` when none has one of `algorithms`.
        """
        if not self._keys:
            async with self._lock:
                if self._is_due(None):
                    await self._refresh()
        if not self._keys:
            raise AuthServerUnavailable(retry_after=5)
        names = {key.algorithm_name for key in self._keys.values()}
        if names.isdisjoint(algorithms):
            raise VerifierUnusable(
                f"the keys at {self._url} are for {', '.join(sorted(map(str, names)))}, "
                f"and only {', '.join(algorithms)} is accepted"
            )

    def _is_due(self, key_id: str | None) -> bool:
        age = clock.monotonic() - self._tried_at
        if not self._keys:
            return age >= _RETRY_SECONDS
        return age >= (_FRESH_SECONDS if key_id in self._keys else _COOLDOWN_SECONDS)

    async def _refresh(self) -> None:
        try:
            self._keys = await self._fetch()
        except _UNUSABLE as error:
            self._reached = False
            response = getattr(error, "response", None)
            structlog.get_logger("bedplate.auth").warning(
                "jwks_unavailable",
                url=self._url,
                status=getattr(response, "status_code", None),
                error=type(error).__name__,
                known_keys=len(self._keys),
            )
        else:
            self._reached = True
        # Not after a fetch that was cancelled with its request: the next request tries at once.
        self._tried_at = clock.monotonic()

    async def _fetch(self) -> dict[str | None, jwt.PyJWK]:
        async with asyncio.timeout(self._timeout):
            response = await self._client.get(self._url)
        response.raise_for_status()
        document = response.json()
        if not isinstance(document, dict):
            raise TypeError("A JWKS is a JSON object.")
        return {key.key_id: key for key in jwt.PyJWKSet.from_dict(document).keys}


class JWTSessions:
    """Authenticates the subject of a signed token with the right issuer, audience and time.

    `algorithms` must be public-key ones: a JWKS has no shared secrets. `timeout` bounds one fetch
    of the keys, in seconds. Raises `ValueError` for a URL that isn't HTTP.
    """

    def __init__(
        self,
        jwks_url: str,
        *,
        issuer: str,
        audience: str,
        algorithms: Sequence[str] = ("EdDSA",),
        timeout: float = _FETCH_SECONDS,
    ) -> None:
        if httpx2.URL(jwks_url).scheme not in {"http", "https"}:
            raise ValueError("The address of the JWKS must begin with https:// or http://.")
        if any(name.startswith("HS") or name.lower() == "none" for name in algorithms):
            raise ValueError("JWTs that a JWKS verifies are signed with public-key algorithms.")
        self._issuer = issuer
        self._audience = audience
        self._algorithms = list(algorithms)
        self._client = httpx2.AsyncClient(timeout=timeout, verify=trusted())
        self._keys = KeySet(jwks_url, self._client, timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def verify(self, connection: HTTPConnection) -> Principal | None:
        """Return the subject of the bearer token, or None. Raises `AuthServerUnavailable`."""
        return await verified(self._prove, connection)

    async def _prove(self, connection: HTTPConnection) -> Principal:
        token = bearer_token(connection)
        if token is None:
            raise Refused("no_credentials")
        try:
            header = jwt.get_unverified_header(token)
        except _MALFORMED:
            raise Refused("malformed_token") from None
        if (algorithm := header.get("alg")) not in self._algorithms:
            accepted = ", ".join(self._algorithms)
            raise Refused("wrong_algorithm", received=algorithm, accepted=accepted)
        key = await self._keys.find(header.get("kid"))
        if key is None:
            raise Refused("unknown_key", key_id=header.get("kid"))
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=self._algorithms,
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
        except _MALFORMED as error:
            reason, expected = self._reason(error)
            raise Refused(reason, error=type(error).__name__, expected=expected) from None
        if not claims["sub"]:
            raise Refused("unusable_user_id")
        return Principal("user", claims["sub"])

    async def check(self) -> None:
        """Prove that the auth server's keys can be had and used.

        Raises `AuthServerUnavailable`, `VerifierUnusable`.
        """
        await self._keys.check(self._algorithms)

    def _reason(self, error: Exception) -> tuple[str, str]:
        """Return why a token with a known key is refused, and what was expected of it."""
        if isinstance(error, jwt.InvalidIssuerError):
            return "wrong_issuer", self._issuer
        if isinstance(error, jwt.InvalidAudienceError):
            return "wrong_audience", self._audience
        return next((reason for kind, reason in _REASONS if isinstance(error, kind)), _OTHER), ""
