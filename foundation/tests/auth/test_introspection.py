"""Sessions that a server on a real socket is asked about, which answers as better-auth does.

backends/tasks/tests/end_to_end/test_proofs.py asks better-auth itself.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import anyio
import pytest
from fastapi.requests import HTTPConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bedplate.auth import AuthServerUnavailable, Principal, VerifierUnusable
from bedplate.auth.introspection import IntrospectedSessions
from bedplate.auth.refusals import refusal_of
from bedplate.auth.signatures import sign, verified_token
from bedplate.testing.stand_ins import StandIn

SECRET = SecretStr("better-auth-secret-of-32-bytes!!")
TOKEN = b"abcdefghijklmnopqrstuvwxyz012345"
OTHER = b"543210zyxwvutsrqponmlkjihgfedcba"
SIGNED = sign(SECRET, TOKEN)
NAME = b"better-auth.session_token"
USER = Principal("user", "u1")

Headers = dict[bytes, bytes]


class AuthServer(StandIn):
    """Answers `/get-session` as better-auth with `bearer()` at an http address does.

    It keeps connections, sets cookies, and can hang, hang up or send anything instead.
    """

    def __init__(self) -> None:
        super().__init__()
        self.users = {TOKEN: "u1", OTHER: "u2"}
        self.targets: list[bytes] = []
        self.received: list[Headers] = []
        self.response: bytes | None = None
        self.cut = 0

    @property
    def url(self) -> str:
        """Where its routes are."""
        return f"http://127.0.0.1:{self.port}/api/auth"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of a connection."""
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head[:-4].split(b"\r\n")
            values = dict(line.partition(b": ")[::2] for line in lines)
            self.targets.append(first.split()[1])
            self.received.append({name.lower(): value for name, value in values.items()})
            await self.answering.wait()
            if self.cut:
                self.cut -= 1
                break
            answer = self._answer(self.received[-1]) if self.response is None else self.response
            writer.write(answer)
            await writer.drain()
            if b"Connection: close" in answer:
                break

    def _answer(self, headers: Headers) -> bytes:
        if self.targets[-1].partition(b"?")[0] != b"/api/auth/get-session":
            return response(b"", status=404)
        user_id = self.users.get(self._token(headers) or b"")
        if user_id is None:
            return response(b"null", extra=b"Set-Cookie: " + NAME + b"=; Max-Age=0; Path=/\r\n")
        session = {"session": {"userId": user_id}, "user": {"id": user_id, "email": "a@b.c"}}
        cookie = b"Set-Cookie: better-auth.session_data=of-" + user_id.encode() + b"; Path=/\r\n"
        return response(json.dumps(session).encode(), extra=cookie)

    def _token(self, headers: Headers) -> bytes | None:
        scheme, _, bearer = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() == b"bearer":
            if b"." not in bearer:
                return bearer
            if token := verified_token(SECRET, unquote_to_bytes(bearer), required=True):
                return token
        for pair in headers.get(b"cookie", b"").split(b";"):
            name, _, value = pair.strip().partition(b"=")
            if name == NAME:
                return verified_token(SECRET, unquote_to_bytes(value), required=True)
        return None


def response(body: bytes, *, status: int = 200, extra: bytes = b"") -> bytes:
    """Return an HTTP response."""
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n".encode()
    return head + extra + b"\r\n" + body


def asking(*headers: tuple[bytes, bytes]) -> HTTPConnection:
    """Return a request with these headers."""
    return HTTPConnection({"type": "http", "headers": list(headers)})


def bearer(token: bytes) -> HTTPConnection:
    """Return a request with a bearer token."""
    return asking((b"authorization", b"Bearer " + token))


def cookies(*values: bytes) -> HTTPConnection:
    """Return a request with session cookies of these values."""
    return asking((b"cookie", b"; ".join(NAME + b"=" + value for value in values)))


def warnings_of(logs: list[Any]) -> list[Any]:
    """Return the lines that operators see without LOG_LEVEL=debug."""
    return [event for event in logs if event["level"] == "warning"]


@pytest.fixture
async def server() -> AsyncIterator[AuthServer]:
    """An auth server that runs."""
    async with AuthServer() as running:
        yield running


@pytest.fixture
async def sessions(server: AuthServer) -> AsyncIterator[IntrospectedSessions]:
    """What asks it."""
    async with IntrospectedSessions(server.url) as verifier:
        yield verifier


@pytest.mark.parametrize(
    "connection",
    [
        bearer(TOKEN),
        bearer(SIGNED),
        bearer(quote_from_bytes(SIGNED).encode()),
        cookies(quote_from_bytes(SIGNED).encode()),
        cookies(SIGNED, b"stale"),
        asking((b"cookie", b"a=1"), (b"cookie", NAME + b"=" + SIGNED)),
        asking((b"authorization", b"Bearer a.b"), (b"cookie", NAME + b"=" + SIGNED)),
    ],
)
async def test_what_the_auth_server_accepts_proves_the_user(
    sessions: IntrospectedSessions, connection: HTTPConnection
) -> None:
    """Bearer tokens and cookies in each form; the auth server decides, not the API."""
    assert await sessions.verify(connection) == USER


@pytest.mark.parametrize(
    "connection",
    [
        bearer(b"unknown"),
        bearer(TOKEN + b".x"),
        cookies(TOKEN),
        cookies(b"stale", SIGNED),
        cookies(sign(SecretStr("another" * 5), TOKEN)),
        asking((b"authorization", b"Bearer x"), (b"cookie", NAME + b"=" + SIGNED)),
    ],
)
async def test_null_is_a_refusal(
    sessions: IntrospectedSessions, connection: HTTPConnection
) -> None:
    """Whatever the auth server has no session for."""
    assert await sessions.verify(connection) is None
    assert refusal_of(connection) == "unknown_session"


async def test_only_the_proof_is_sent(server: AuthServer, sessions: IntrospectedSessions) -> None:
    """No other cookie or header of the client; and the store is asked, not a cookie's copy."""
    await sessions.verify(
        asking(
            (b"host", b"api.example"),
            (b"origin", b"https://evil.example"),
            (b"x-forwarded-for", b"1.2.3.4"),
            (b"x-api-key", b"secret"),
            (b"cookie", b"theme=dark; better-auth.session_data=stale; other=secret"),
            (b"cookie", NAME + b"=" + SIGNED + b"; __Secure-" + NAME + b"=x; " + NAME + b"=y"),
            (b"authorization", b"bearer  " + TOKEN),
        )
    )
    (sent,) = server.received
    assert sent[b"authorization"] == b"Bearer " + TOKEN
    assert sent[b"cookie"] == b"__Secure-" + NAME + b"=x; " + NAME + b"=" + SIGNED
    usual = {b"host", b"accept", b"accept-encoding", b"user-agent", b"connection"}
    assert sent.keys() - usual == {b"authorization", b"cookie"}
    assert b"127.0.0.1" in sent[b"host"]
    path, _, query = server.targets[0].partition(b"?")
    assert path == b"/api/auth/get-session"
    assert query == b"disableCookieCache=true&disableRefresh=true"


async def test_a_cookie_of_one_answer_proves_nobody_else(
    server: AuthServer, sessions: IntrospectedSessions
) -> None:
    """What the auth server sets for one user is never sent for the next."""
    assert await sessions.verify(cookies(SIGNED)) == USER
    assert await sessions.verify(bearer(OTHER)) == Principal("user", "u2")
    assert await sessions.verify(bearer(b"nobodys")) is None
    assert [b"cookie" in sent for sent in server.received] == [True, False, False]


async def test_a_sign_out_counts_at_once(
    server: AuthServer, sessions: IntrospectedSessions
) -> None:
    """Nothing is cached."""
    assert await sessions.verify(bearer(TOKEN)) == USER
    del server.users[TOKEN]
    assert await sessions.verify(bearer(TOKEN)) is None


@pytest.mark.parametrize(
    ("connection", "reason"),
    [
        (asking(), "no_credentials"),
        (asking((b"authorization", b"Basic abc"), (b"cookie", b"a=1")), "no_credentials"),
        (cookies(b"x" * 9000), "no_credentials"),
        (bearer(b"\xff"), "malformed_token"),
        (bearer(b"a\0b"), "malformed_token"),
        (cookies(b"a\r\nX: 1"), "malformed_token"),
    ],
)
async def test_what_cannot_be_a_proof_asks_nobody(
    server: AuthServer, sessions: IntrospectedSessions, connection: HTTPConnection, reason: str
) -> None:
    """Nor does it write a header of its own."""
    assert await sessions.verify(connection) is None
    assert refusal_of(connection) == reason
    assert server.received == []


@pytest.mark.parametrize(
    ("status", "extra", "retry_after"),
    [
        (302, b"Location: https://elsewhere.example/get-session\r\n", 2),
        (400, b"", 5),
        (401, b"WWW-Authenticate: Basic\r\n", 5),
        (404, b"", 5),
        (429, b"X-Retry-After: 7\r\n", 7),
        (500, b"", 2),
        (503, b"Retry-After: 9\r\n", 9),
    ],
)
async def test_any_other_status_is_a_503(
    server: AuthServer,
    sessions: IntrospectedSessions,
    captured_logs: list[Any],
    status: int,
    extra: bytes,
    retry_after: int,
) -> None:
    """Nobody is signed out by a limit, a proxy or a wrong address; the log names status and URL."""
    server.response = response(b"null", status=status, extra=extra)
    with pytest.raises(AuthServerUnavailable) as unavailable:
        await sessions.verify(bearer(TOKEN))
    assert (unavailable.value.status, unavailable.value.retry_after) == (503, retry_after)
    (line,) = warnings_of(captured_logs)
    assert line["reason"] == f"status {status}"
    assert f"{server.url}/get-session" in {line.get("url"), line.get("service")}
    assert TOKEN.decode() not in str(captured_logs)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b"true",
        b'"null"',
        b"null null",
        b"\xff",
        b'{"session": {}}',
        b'{"session": null, "user": {"id": "u1"}}',
        b'{"session": {}, "user": {"id": ""}}',
        b'{"session": {}, "user": {"id": 1}}',
        b'{"session": {}, "user": "u1"}',
        b'{"session": {}, "user": {"id": "u1"}, "x": "' + b"x" * 1_048_576 + b'"}',
        b"[" * 100_000,
    ],
)
async def test_an_answer_that_cannot_be_read_is_a_503(
    server: AuthServer, sessions: IntrospectedSessions, captured_logs: list[Any], body: bytes
) -> None:
    """Neither a user nor a refusal can be made out of it, and the log says so once."""
    server.response = response(body)
    with pytest.raises(AuthServerUnavailable):
        await sessions.verify(bearer(TOKEN))
    assert len(warnings_of(captured_logs)) == 1


async def test_an_answer_that_is_cut_short_is_a_503(
    server: AuthServer, sessions: IntrospectedSessions
) -> None:
    """`null` may be the beginning of something else."""
    server.response = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nnull"
    with anyio.fail_after(20), pytest.raises(AuthServerUnavailable):
        await sessions.verify(bearer(TOKEN))


async def test_a_connection_that_was_closed_meanwhile_is_tried_once_more(
    server: AuthServer, sessions: IntrospectedSessions
) -> None:
    """The auth server may end an idle connection at the moment of the next question."""
    assert await sessions.verify(bearer(TOKEN)) == USER
    server.cut = 1
    assert await sessions.verify(bearer(TOKEN)) == USER
    server.cut = 2
    with pytest.raises(AuthServerUnavailable):
        await sessions.verify(bearer(TOKEN))


async def test_a_server_that_is_gone_is_a_503_until_it_is_back(
    server: AuthServer, sessions: IntrospectedSessions
) -> None:
    """Recovery needs no restart."""
    assert await sessions.verify(bearer(TOKEN)) == USER
    await server.stop()
    with pytest.raises(AuthServerUnavailable):
        await sessions.verify(bearer(TOKEN))
    await server.start()
    assert await sessions.verify(bearer(TOKEN)) == USER


async def test_a_server_that_hangs_is_a_503_in_bounded_time(server: AuthServer) -> None:
    """Also for more requests than there are connections."""
    server.answering.clear()
    async with IntrospectedSessions(server.url, timeout=0.2) as sessions:
        with anyio.fail_after(20):
            answers = await asyncio.gather(
                *(sessions.verify(bearer(TOKEN)) for _ in range(150)), return_exceptions=True
            )
    assert all(isinstance(answer, AuthServerUnavailable) for answer in answers)


async def test_the_check_asks_until_there_was_an_answer(
    server: AuthServer, sessions: IntrospectedSessions
) -> None:
    """Readiness: a server that was never reached keeps traffic away; a later outage is a 503."""
    await server.stop()
    with pytest.raises(AuthServerUnavailable):
        await sessions.check()
    await server.start()
    await sessions.check()
    await sessions.check()
    assert len(server.received) == 1
    assert server.received[0].keys().isdisjoint({b"authorization", b"cookie"})


async def test_an_answer_for_everybody_is_refused_at_start(
    server: AuthServer, sessions: IntrospectedSessions
) -> None:
    """A cache before the auth server that forgets whose answer it keeps signs everybody in."""
    server.response = response(b'{"session": {}, "user": {"id": "u1"}}')
    for _ in range(2):
        with pytest.raises(VerifierUnusable, match="without credentials with a session"):
            await sessions.check()


@given(token=st.binary(max_size=60), value=st.binary(max_size=60))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_no_bytes_are_an_error(
    sessions: IntrospectedSessions, token: bytes, value: bytes
) -> None:
    """In the token or the cookie."""
    assert await sessions.verify(bearer(token)) is None
    assert await sessions.verify(cookies(value)) is None
