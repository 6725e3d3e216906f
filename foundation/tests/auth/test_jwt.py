"""JSON Web Tokens, verified with keys that a real HTTP server hands out."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.requests import HTTPConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedplate.auth import AuthServerUnavailable, Principal, VerifierUnusable
from bedplate.auth.jwt import JWTSessions
from bedplate.auth.refusals import refusal_of
from bedplate.observability.masking import MASK
from bedplate.testing.clock import SettableClock
from bedplate.testing.stand_ins import StandIn

ORIGIN = "https://auth.example"


class AuthServer(StandIn):
    """An HTTP server with a JWKS; it counts how often it is asked, and can hang or fail."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, Ed25519PrivateKey] = {"k1": Ed25519PrivateKey.generate()}
        self.asked = 0
        self.status = 200
        self.body: bytes | None = None
        self.was_asked = asyncio.Event()

    @property
    def url(self) -> str:
        """Where its keys are."""
        return f"http://127.0.0.1:{self.port}/api/auth/jwks"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        self.was_asked.set()
        await self.answering.wait()
        body = self._document() if self.body is None else self.body
        head = f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        await writer.drain()

    def _document(self) -> bytes:
        return json.dumps(
            {"keys": [_public(name, key) for name, key in self.keys.items()]}
        ).encode()

    def token(self, key: str = "k1", **claims: Any) -> bytes:
        """Return what the auth server would hand out; a claim of None is left out."""
        return _signed(self.keys[key], claims, {"kid": key})


def _public(name: str, key: Ed25519PrivateKey) -> dict[str, str]:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": name, "x": _base64url(raw)}


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _claims(**changed: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    claims = {
        "sub": "u1",
        "iat": now,
        "exp": now + timedelta(minutes=15),
        "iss": ORIGIN,
        "aud": ORIGIN,
        "email": "ada@example.org",
        **changed,
    }
    return {name: value for name, value in claims.items() if value is not None}


def _signed(key: Any, claims: dict[str, Any], header: dict[str, Any], alg: str = "EdDSA") -> bytes:
    return jwt.encode(_claims(**claims), key, alg, headers=header).encode()


def _bearer(token: bytes) -> HTTPConnection:
    return HTTPConnection({"type": "http", "headers": [(b"authorization", b"Bearer " + token)]})


def _sessions(server: AuthServer, **options: Any) -> JWTSessions:
    return JWTSessions(server.url, issuer=ORIGIN, audience=ORIGIN, **options)


@pytest.fixture
async def server() -> AsyncIterator[AuthServer]:
    """An auth server that runs."""
    async with AuthServer() as running:
        yield running


@pytest.fixture
async def sessions(server: AuthServer) -> AsyncIterator[JWTSessions]:
    """What verifies its tokens."""
    async with _sessions(server) as verifier:
        yield verifier


async def test_the_subject_of_a_token_is_proven(server: AuthServer, sessions: JWTSessions) -> None:
    """And the keys are asked for once, not for each request."""
    for _ in range(5):
        assert await sessions.verify(_bearer(server.token())) == Principal("user", "u1")
    assert server.asked == 1


_PAST = datetime(2020, 1, 1, tzinfo=UTC)
_FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": _PAST},
        {"exp": None},
        {"nbf": _FUTURE},
        {"iat": _FUTURE},
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "https://other.example"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"exp": "soon"},
        {"exp": float("inf")},
    ],
)
async def test_a_token_with_wrong_claims_proves_nobody(
    server: AuthServer, sessions: JWTSessions, claims: dict[str, Any]
) -> None:
    """However well it is signed."""
    assert await sessions.verify(_bearer(server.token(**claims))) is None


async def test_a_clock_may_go_a_little_wrong(server: AuthServer, sessions: JWTSessions) -> None:
    """Ten seconds, not a minute."""
    now = datetime.now(UTC)
    late = server.token(exp=now - timedelta(seconds=5))
    assert await sessions.verify(_bearer(late)) is not None
    too_late = server.token(exp=now - timedelta(seconds=60))
    assert await sessions.verify(_bearer(too_late)) is None


async def test_a_token_that_nobody_signed_proves_nobody(
    server: AuthServer, sessions: JWTSessions
) -> None:
    """`alg: none`, and a signature of somebody else under the right key id."""
    unsigned = jwt.encode(_claims(), "", "none", headers={"kid": "k1"}).encode()
    assert await sessions.verify(_bearer(unsigned)) is None
    forged = _signed(Ed25519PrivateKey.generate(), {}, {"kid": "k1"})
    assert await sessions.verify(_bearer(forged)) is None
    head, payload, signature = server.token().split(b".")
    _, other, _ = server.token(sub="u2").split(b".")
    assert await sessions.verify(_bearer(b".".join([head, other, signature]))) is None
    assert await sessions.verify(_bearer(b".".join([head, payload, b""]))) is None


async def test_the_public_key_is_no_shared_secret(
    server: AuthServer, sessions: JWTSessions
) -> None:
    """HS256 with what everybody can read from the JWKS: the old confusion of algorithms."""
    public = server.keys["k1"].public_key()
    secrets = [
        public.public_bytes(Encoding.Raw, PublicFormat.Raw),
        _base64url(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).encode(),
    ]
    for secret in secrets:
        forged = _signed(secret, {}, {"kid": "k1"}, "HS256")
        assert await sessions.verify(_bearer(forged)) is None


@pytest.mark.parametrize("algorithms", [["HS256"], ["EdDSA", "none"], ["HS512", "RS256"]])
def test_algorithms_with_a_shared_secret_are_refused(algorithms: list[str]) -> None:
    """A setting can't open that door either."""
    with pytest.raises(ValueError, match="public-key"):
        JWTSessions("https://x.test/jwks", issuer="i", audience="a", algorithms=algorithms)


@pytest.mark.parametrize("url", ["", "auth.example/jwks", "file:///etc/passwd"])
def test_an_address_that_is_not_http_is_refused(url: str) -> None:
    """At start, not at the first request."""
    with pytest.raises(ValueError, match="https://"):
        JWTSessions(url, issuer="i", audience="a")


async def test_a_new_key_is_fetched_and_an_old_one_stays(
    server: AuthServer, sessions: JWTSessions, clock: SettableClock
) -> None:
    """Rotation: the auth server serves both for a while, and tokens of both hold."""
    assert await sessions.verify(_bearer(server.token())) is not None
    server.keys["k2"] = Ed25519PrivateKey.generate()
    clock.advance(seconds=31)
    assert await sessions.verify(_bearer(server.token("k2"))) is not None
    assert await sessions.verify(_bearer(server.token("k1"))) is not None
    assert server.asked == 2


async def test_a_key_that_was_withdrawn_holds_no_longer_than_five_minutes(
    server: AuthServer, sessions: JWTSessions, clock: SettableClock
) -> None:
    """The keys are fetched again when they are old, whatever the token says."""
    stolen = server.token("k1")
    assert await sessions.verify(_bearer(stolen)) is not None
    server.keys = {"k2": Ed25519PrivateKey.generate()}
    clock.advance(seconds=299)
    assert await sessions.verify(_bearer(stolen)) is not None
    clock.advance(seconds=2)
    assert await sessions.verify(_bearer(stolen)) is None


async def test_unknown_key_ids_cause_one_fetch_in_a_cooldown(
    server: AuthServer, sessions: JWTSessions, clock: SettableClock
) -> None:
    """A flood of invented ids is no flood at the auth server."""
    assert await sessions.verify(_bearer(server.token())) is not None
    stranger = Ed25519PrivateKey.generate()

    async def flood() -> None:
        for number in range(50):
            invented = _signed(stranger, {}, {"kid": f"invented-{number}"})
            assert await sessions.verify(_bearer(invented)) is None

    await flood()
    assert server.asked == 1
    clock.advance(seconds=31)
    await asyncio.gather(*(flood() for _ in range(4)))
    assert server.asked == 2


async def test_a_key_that_was_made_since_the_last_fetch_is_a_503(
    server: AuthServer, sessions: JWTSessions, clock: SettableClock
) -> None:
    """After a rotation a good token is never a 401: nobody knows yet, and soon somebody will."""
    assert await sessions.verify(_bearer(server.token())) is not None
    server.keys["k2"] = Ed25519PrivateKey.generate()
    clock.advance(seconds=4)
    with pytest.raises(AuthServerUnavailable) as refusal:
        await sessions.verify(_bearer(server.token("k2")))
    assert (refusal.value.headers or {})["Retry-After"] == "6"
    clock.advance(seconds=6)
    assert await sessions.verify(_bearer(server.token("k2"))) is not None


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": _PAST}, "token_expired"),
        ({"nbf": _FUTURE}, "token_not_yet_valid"),
        ({"iss": "https://other.example"}, "wrong_issuer"),
        ({"aud": "https://other.example"}, "wrong_audience"),
        ({"exp": None}, "missing_claim"),
        ({"sub": ""}, "unusable_user_id"),
    ],
)
async def test_a_refused_token_has_its_reason(
    server: AuthServer, sessions: JWTSessions, claims: dict[str, Any], reason: str
) -> None:
    """For operators: the client learns nothing."""
    connection = _bearer(server.token(**claims))
    assert await sessions.verify(connection) is None
    assert refusal_of(connection) == reason


async def test_other_refusals_have_their_reasons(
    server: AuthServer, sessions: JWTSessions, captured_logs: list[Any]
) -> None:
    """At level DEBUG the log says what was expected, too."""
    stranger = Ed25519PrivateKey.generate()
    secret = "0123456789abcdef" * 4
    for token, reason in (
        (b"nonsense", "malformed_token"),
        (_signed(secret, {}, {"kid": "k1"}, "HS256"), "wrong_algorithm"),
        (_signed(stranger, {}, {"kid": "k1"}), "bad_signature"),
        (server.token(aud="other"), "wrong_audience"),
    ):
        connection = _bearer(token)
        assert await sessions.verify(connection) is None
        assert refusal_of(connection) == reason
        event = [each for each in captured_logs if each["event"] == "credentials_refused"][-1]
        assert (event["level"], event["reason"]) == ("debug", reason)
    assert event["expected"] == ORIGIN


async def test_the_check_needs_keys_that_can_be_used(server: AuthServer) -> None:
    """Readiness: without keys every request would be a 503, with other ones a 401."""
    async with _sessions(server) as sessions:
        await sessions.check()
        await sessions.check()
        assert server.asked == 1
    async with _sessions(server, algorithms=["ES256"]) as sessions:
        with pytest.raises(VerifierUnusable, match="are for EdDSA, and only ES256 is accepted"):
            await sessions.check()
    await server.stop()
    async with _sessions(server) as sessions:
        with pytest.raises(AuthServerUnavailable):
            await sessions.check()


async def test_the_first_requests_share_one_fetch(
    server: AuthServer, sessions: JWTSessions
) -> None:
    """A hundred at once are one question to the auth server, not a hundred."""
    server.answering.clear()
    token = _bearer(server.token())
    waiting = [asyncio.ensure_future(sessions.verify(token)) for _ in range(100)]
    await server.was_asked.wait()
    server.answering.set()
    assert await asyncio.gather(*waiting) == [Principal("user", "u1")] * 100
    assert server.asked == 1


async def test_a_fetch_that_is_slow_holds_up_one_request_and_no_other(
    server: AuthServer, sessions: JWTSessions, clock: SettableClock
) -> None:
    """The others go on with the keys that are known, though these are old."""
    token = _bearer(server.token())
    assert await sessions.verify(token) is not None
    clock.advance(seconds=301)
    server.answering.clear()
    server.was_asked.clear()
    first = asyncio.ensure_future(sessions.verify(token))
    await server.was_asked.wait()
    assert await sessions.verify(token) is not None
    assert not first.done()
    server.answering.set()
    assert await first is not None
    assert server.asked == 2


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_keys_that_cannot_be_had_are_a_503(
    server: AuthServer, sessions: JWTSessions, clock: SettableClock, status: int
) -> None:
    """A user isn't signed out because nobody could look; the answer says when to come back."""
    server.status = status
    with pytest.raises(AuthServerUnavailable) as unavailable:
        await sessions.verify(_bearer(server.token()))
    assert unavailable.value.status == 503
    assert unavailable.value.retry_after == 5
    with pytest.raises(AuthServerUnavailable):
        await sessions.verify(_bearer(server.token()))
    assert server.asked == 1
    server.status = 200
    clock.advance(seconds=1)
    assert await sessions.verify(_bearer(server.token())) is not None


async def test_the_log_says_where_the_keys_were_looked_for(
    server: AuthServer, captured_logs: list[Any]
) -> None:
    """Keys that can't be had are logged with their URL, its password masked, and the status."""
    server.status = 404
    url = server.url.replace("://", "://jwks:a-secret@")
    async with JWTSessions(url, issuer=ORIGIN, audience=ORIGIN) as sessions:
        with pytest.raises(AuthServerUnavailable):
            await sessions.verify(_bearer(server.token()))
    [event] = [each for each in captured_logs if each["event"] == "jwks_unavailable"]
    masked = server.url.replace("://", f"://jwks:{MASK}@")
    assert (event["url"], event["status"], event["known_keys"]) == (masked, 404, 0)
    assert "a-secret" not in repr(captured_logs)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b'{"keys": 1}',
        b'{"keys": [1]}',
        b'{"keys": []}',
        b'{"keys": [{"kty": "OKP"}]}',
        b'{"keys": [{"kty": "oct", "kid": "k1", "k": 1}]}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
async def test_nonsense_instead_of_keys_is_a_503(
    server: AuthServer, sessions: JWTSessions, body: bytes
) -> None:
    """A captive portal or a proxy's page of error, for instance."""
    server.body = body
    with pytest.raises(AuthServerUnavailable):
        await sessions.verify(_bearer(server.token()))


async def test_a_server_that_is_gone_is_a_503_until_it_is_back(
    server: AuthServer, sessions: JWTSessions, clock: SettableClock
) -> None:
    """Refused connections; recovery needs no restart."""
    await server.stop()
    with pytest.raises(AuthServerUnavailable):
        await sessions.verify(_bearer(server.token()))
    await server.start()
    clock.advance(seconds=1)
    assert await sessions.verify(_bearer(server.token())) is not None


async def test_a_server_that_hangs_is_a_503_in_bounded_time(server: AuthServer) -> None:
    """Also for all who wait behind the first, and with one question to the server."""
    server.answering.clear()
    async with _sessions(server, timeout=0.2) as sessions:
        token = _bearer(server.token())
        with anyio.fail_after(5):
            answers = await asyncio.gather(
                *(sessions.verify(token) for _ in range(50)), return_exceptions=True
            )
    assert all(isinstance(answer, AuthServerUnavailable) for answer in answers)
    assert server.asked == 1


async def test_known_keys_go_on_while_the_server_is_away(
    server: AuthServer, sessions: JWTSessions, clock: SettableClock
) -> None:
    """An outage of the auth server signs nobody out; of an unknown key it can't be known."""
    assert await sessions.verify(_bearer(server.token())) is not None
    await server.stop()
    clock.advance(hours=5)
    assert await sessions.verify(_bearer(server.token())) is not None
    clock.advance(seconds=31)
    server.keys["k2"] = Ed25519PrivateKey.generate()
    with pytest.raises(AuthServerUnavailable):
        await sessions.verify(_bearer(server.token("k2")))
    await server.start()
    clock.advance(seconds=31)
    assert await sessions.verify(_bearer(server.token("k2"))) is not None


async def test_a_request_that_is_cancelled_leaves_the_fetch_to_the_next(
    server: AuthServer, sessions: JWTSessions
) -> None:
    """Its client went away; nobody else hears of it."""
    server.answering.clear()
    token = _bearer(server.token())
    first = asyncio.ensure_future(sessions.verify(token))
    await server.was_asked.wait()
    second = asyncio.ensure_future(sessions.verify(token))
    first.cancel()
    server.answering.set()
    assert await second == Principal("user", "u1")


def _segment(value: Any) -> bytes:
    return _base64url(json.dumps(value).encode()).encode()


@pytest.mark.parametrize(
    "token",
    [
        b"a.b",
        b"...",
        b"\xff.\xff.\xff",
        _segment({"alg": "EdDSA", "kid": 1}) + b".e30.AA",
        _segment({"alg": "EdDSA", "kid": ["k1"]}) + b".e30.AA",
        _segment({"alg": ["EdDSA"]}) + b".e30.AA",
        _segment({"alg": None}) + b".e30.AA",
        _segment([]) + b".e30.AA",
        _segment("EdDSA") + b".e30.AA",
        _segment({"alg": "EdDSA", "kid": "k1", "crit": ["x"]}) + b".e30.AA",
        _segment({"alg": "EdDSA", "kid": "k1", "b64": False, "crit": ["b64"]}) + b".e30.AA",
        _base64url(b"[" * 5000).encode() + b".e30.AA",
        _base64url(b'{"a":' * 1000).encode() + b".e30.AA",
        _base64url(b"9" * 5000).encode() + b".e30.AA",
    ],
)
async def test_a_token_that_is_none_proves_nobody(sessions: JWTSessions, token: bytes) -> None:
    """Whatever is wrong with its form."""
    assert await sessions.verify(_bearer(token)) is None


async def test_no_token_proves_nobody_and_asks_nobody(
    server: AuthServer, sessions: JWTSessions
) -> None:
    """Nor does one that can't be ours reach for the keys."""
    assert await sessions.verify(HTTPConnection({"type": "http", "headers": []})) is None
    assert await sessions.verify(_bearer(b"abc")) is None
    assert server.asked == 0


@given(token=st.binary(max_size=60), parts=st.lists(st.binary(max_size=20), max_size=4))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_no_bytes_are_an_error(
    sessions: JWTSessions, token: bytes, parts: list[bytes]
) -> None:
    """Of any kind, with any number of dots."""
    encoded = b".".join(_base64url(part).encode() for part in parts)
    assert await sessions.verify(_bearer(token)) is None
    assert await sessions.verify(_bearer(encoded)) is None
