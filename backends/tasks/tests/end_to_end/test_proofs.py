"""The API decides about proofs of a session as better-auth's own `/get-session` does.

Real servers of several kinds; the API reads their tables, or asks them (introspection). Where it is
stricter, `STRICTER` says why.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol
from urllib.parse import quote, unquote
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text

from bedplate.auth.signatures import sign
from bedplate.database import Database
from bedplate.testing.client import Client, client

pytestmark = pytest.mark.xdist_group("proofs")  # the servers start once

Headers = dict[str, str]
MakeApp = Callable[..., FastAPI]

COOKIE = "better-auth.session_token"
FOREIGN_SECRET = SecretStr("of another auth server, 32 bytes")


class ComparedServers(Protocol):
    """What conftest.py's servers offer to these tests."""

    url: str
    database_url: str
    secret: str


@dataclass(frozen=True)
class Kind:
    """A kind of auth server, and the settings that the API needs for it.

    `settings` are needed however it is trusted, `tables` only where its tables are read.
    """

    name: str
    cookie: str = COOKIE
    settings: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, Any] = field(default_factory=dict)


KYSELY = Kind("kysely")
DRIZZLE = Kind(
    "drizzle",
    tables={
        "better_auth_session_table": "sessions",
        "better_auth_user_table": "users",
        "better_auth_user_id_column": "user_id",
        "better_auth_expires_at_column": "expires_at",
    },
)
SIGNED = Kind(
    "signed",
    cookie=f"__Secure-{COOKIE}",
    tables={
        "better_auth_session_table": "visits",
        "better_auth_user_table": "people",
        "better_auth_bearer": "signed",
        "better_auth_secure_cookies": True,
    },
)
COOKIE_ONLY = Kind(
    "cookie",
    cookie="my_session",
    settings={"better_auth_cookie": "my_session"},
    tables={"better_auth_bearer": "off"},
)
MEMORY = Kind("memory")  # no database that the API could read, and a cookie cache

COMPARISONS = [
    *((kind, "better-auth") for kind in (KYSELY, DRIZZLE, SIGNED, COOKIE_ONLY)),
    *((kind, "introspection") for kind in (KYSELY, DRIZZLE, SIGNED, COOKIE_ONLY, MEMORY)),
]

STRICTER = {
    ("memory", "all cookies, signed out"): "better-auth's cookie cache answers for five minutes"
    " after a sign-out; the API asks for the stored session, so it refuses at once.",
}
"""What better-auth accepts and the API refuses, and why."""


@dataclass(frozen=True)
class Person:
    """Somebody who has signed up, with what proves their session."""

    id: str
    token: str
    cookie: str
    all_cookies: str


class AuthServer:
    """One of the servers, asked over HTTP as a browser would."""

    def __init__(self, url: str, cookie: str) -> None:
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        self._client = httpx2.AsyncClient(
            headers={"Origin": origin_of(url)}, cookies=no_cookies, timeout=60
        )
        self._url = url
        self._cookie = cookie

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def sign_up(self) -> Person:
        """Sign somebody new up."""
        email = f"{uuid4().hex}@example.com"
        body = {"name": "Ada", "email": email, "password": "correct horse battery staple"}
        response = await self._client.post(f"{self._url}/sign-up/email", json=body)
        response.raise_for_status()
        pairs = [line.partition(";")[0] for line in response.headers.get_list("set-cookie")]
        values = dict(pair.split("=", 1) for pair in pairs)
        answer = response.json()
        return Person(answer["user"]["id"], answer["token"], values[self._cookie], "; ".join(pairs))

    async def sign_out(self, person: Person) -> None:
        """End the person's session."""
        proof = {"Cookie": f"{self._cookie}={person.cookie}"}
        response = await self._client.post(f"{self._url}/sign-out", headers=proof, json={})
        response.raise_for_status()

    async def user_of(self, proof: Headers) -> str | None:
        """Return the user that better-auth itself sees."""
        response = await self._client.get(f"{self._url}/get-session", headers=proof)
        response.raise_for_status()
        session = response.json()
        return None if session is None else str(session["user"]["id"])


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL."""
    return url.rpartition("/")[0]


def bearer(token: str) -> Headers:
    """Return the header of a bearer token."""
    return {"Authorization": f"Bearer {token}"}


def proofs_of(person: Person, other: Person, *, name: str, secret: SecretStr) -> dict[str, Headers]:
    """Return all that may come, of which some proves `person`, or `other`."""
    good, stale = f"{name}={person.cookie}", f"{name}={'x' * 32}.{'A' * 43}%3D"
    foreign = sign(FOREIGN_SECRET, person.token.encode()).decode()
    unknown = sign(secret, b"u" * 32).decode()
    cookie = {"Cookie": good}
    return {
        "none": {},
        "raw bearer": bearer(person.token),
        "signed bearer": bearer(unquote(person.cookie)),
        "url-encoded bearer": bearer(person.cookie),
        "foreign-signed bearer": bearer(foreign),
        "cookie": cookie,
        "all cookies": {"Cookie": person.all_cookies},
        "unsigned cookie": {"Cookie": f"{name}={person.token}"},
        "foreign-signed cookie": {"Cookie": f"{name}={quote(foreign)}"},
        "unknown signed cookie": {"Cookie": f"{name}={quote(unknown)}"},
        "bad bearer and cookie": {**bearer(f"{person.token}.bad"), **cookie},
        "unknown bearer and cookie": {**bearer("u" * 32), **cookie},
        "basic and cookie": {"Authorization": "Basic dTpw", **cookie},
        "stale cookie first": {"Cookie": f"{stale}; {good}"},
        "good cookie first": {"Cookie": f"{good}; {stale}"},
        "another's cookie first": {"Cookie": f"{name}={other.cookie}; {good}"},
        "another's cookie second": {"Cookie": f"{good}; {name}={other.cookie}"},
        "another's bearer and cookie": {**bearer(unquote(other.cookie)), **cookie},
        "cookie of the other form": {"Cookie": f"{other_form(name)}={person.cookie}"},
    }


def other_form(name: str) -> str:
    """Return a cookie's name with `__Secure-` if it has none, else without."""
    plain = name.removeprefix("__Secure-")
    return plain if plain != name else f"__Secure-{name}"


@pytest.fixture
def database_url(compared_servers: ComparedServers) -> str:
    """Let the API share the database of most auth servers."""
    return compared_servers.database_url


@pytest.fixture(params=COMPARISONS, ids=lambda pair: f"{pair[0].name}-{pair[1]}")
def comparison(request: pytest.FixtureRequest) -> tuple[Kind, str]:
    """Give a kind of auth server, and how the API trusts it."""
    pair: tuple[Kind, str] = request.param
    return pair


@pytest.fixture
async def auth_server(
    compared_servers: ComparedServers, comparison: tuple[Kind, str]
) -> AsyncIterator[AuthServer]:
    """Give the server of that kind."""
    kind, _ = comparison
    server = AuthServer(f"{compared_servers.url}/{kind.name}", kind.cookie)
    yield server
    await server.close()


@pytest.fixture
async def api(
    make_app: MakeApp, compared_servers: ComparedServers, comparison: tuple[Kind, str]
) -> AsyncIterator[Client]:
    """Give the API that trusts it in that way."""
    kind, sessions = comparison
    tables = kind.tables if sessions == "better-auth" else {}
    app = make_app(
        sessions=sessions,
        better_auth_url=f"{compared_servers.url}/{kind.name}",
        better_auth_secret=SecretStr(compared_servers.secret),
        database_auto_migrate=True,
        reads_per_minute=1000,
        **kind.settings,
        **tables,
    )
    async with client(app) as opened:
        yield opened


async def owner_of(api: Client, proof: Headers) -> str | None:
    """Return whose task the API lists, None for a 401."""
    response = await api.get("/tasks", headers=proof)
    if response.status_code == 401:
        return None
    (task,) = response.json()
    owner: str = task["user_id"]
    return owner


async def test_the_api_decides_as_better_auth(
    compared_servers: ComparedServers,
    comparison: tuple[Kind, str],
    auth_server: AuthServer,
    api: Client,
) -> None:
    """Each proof, before and after the sign-out, has the user of `/get-session`, or a 401."""
    kind, _ = comparison
    name, secret = kind.cookie, SecretStr(compared_servers.secret)
    person, other = await asyncio.gather(auth_server.sign_up(), auth_server.sign_up())
    for each in (person, other):
        cookie = {"Cookie": f"{name}={each.cookie}"}
        task = await api.post("/tasks", json={"title": "Milk"}, headers=cookie)
        assert (task.status_code, task.json()["user_id"]) == (201, each.id)
    proofs = proofs_of(person, other, name=name, secret=secret)
    expected = {case: await auth_server.user_of(proof) for case, proof in proofs.items()}
    assert {case: await owner_of(api, proof) for case, proof in proofs.items()} == expected
    assert (expected["cookie"], expected["none"]) == (person.id, None)
    assert set(expected.values()) == {person.id, other.id, None}

    await auth_server.sign_out(person)
    after = {f"{case}, signed out": proof for case, proof in proofs.items()}
    accepted = {case: await auth_server.user_of(proof) for case, proof in after.items()}
    stricter = {case for server, case in STRICTER if server == kind.name}
    assert all(accepted[case] for case in stricter)
    accepted |= dict.fromkeys(stricter)
    assert {case: await owner_of(api, proof) for case, proof in after.items()} == accepted
    assert accepted["cookie, signed out"] is None


@pytest.mark.parametrize("comparison", [(KYSELY, "introspection")], indirect=True)
async def test_using_the_api_moves_no_expiry(
    auth_server: AuthServer, api: Client, database: Database
) -> None:
    """Or the browser's cookie would end before its session, since only better-auth renews both."""
    person = await auth_server.sign_up()
    token = {"token": person.token}
    expire_sooner = text(
        """UPDATE session SET "expiresAt" = now() + interval '5 days' WHERE token = :token"""
    )
    expiry = text('SELECT "expiresAt" FROM session WHERE token = :token')
    async with database.engine.begin() as connection:
        await connection.execute(expire_sooner, token)
    async with database.engine.connect() as connection:
        before = await connection.scalar(expiry, token)
        assert (await api.get("/tasks", headers=bearer(person.token))).status_code == 200
        assert await connection.scalar(expiry, token) == before
        assert await auth_server.user_of(bearer(person.token)) == person.id
        assert await connection.scalar(expiry, token) > before
