"""A person signs up at a real better-auth server and uses the API, by each kind of session."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any, Protocol
from urllib.parse import unquote
from uuid import uuid4

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from pydantic import SecretStr

from bedplate.testing.client import Client, client
from bedplate.testing.postgres import PostgresServer

Headers = dict[str, str]
MakeApp = Callable[..., FastAPI]

COOKIE = "better-auth.session_token"


class AuthServer(Protocol):
    """What conftest.py's servers offer to these tests."""

    url: str
    session_hash_secret: str
    better_auth_secret: str
    issuer: str
    sign_up: Callable[[str], str]
    sign_out: Callable[[str], None]
    delete_user: Callable[[str], None]
    jwt: Callable[[str], str]
    signed_cookie: Callable[[str], str]


@pytest.fixture(scope="module")
def shared_database_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Give the database of the auth server and of the API."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(scope="module")
def auth_server(
    shared_database_url: str, start_auth_server: Callable[[str], AuthServer]
) -> AuthServer:
    """Give a running auth server."""
    return start_auth_server(shared_database_url)


@pytest.fixture
def database_url(shared_database_url: str) -> str:
    """Let the API share the auth server's database."""
    return shared_database_url


@pytest.fixture
async def apis(make_app: MakeApp, auth_server: AuthServer) -> AsyncIterator[dict[str, Client]]:
    """Give clients of three APIs on one database, each with its kind of session."""
    kinds: dict[str, dict[str, Any]] = {
        "hashed": {"session_hash_secret": SecretStr(auth_server.session_hash_secret)},
        "better-auth": {
            "better_auth_secret": SecretStr(auth_server.better_auth_secret),
            "better_auth_user_table": "users",
        },
        "jwt": {"better_auth_url": auth_server.url},
    }
    async with AsyncExitStack() as stack:
        apis = {}
        for kind, options in kinds.items():
            app = make_app(sessions=kind, database_auto_migrate=True, **options)
            apis[kind] = await stack.enter_async_context(client(app))
        yield apis


@pytest.fixture
async def token(auth_server: AuthServer) -> str:
    """Give the session token of somebody who has just signed up."""
    return await asyncio.to_thread(auth_server.sign_up, f"{uuid4().hex}@example.com")


def bearer(token: str) -> Headers:
    """Return the header that proves a session."""
    return {"Authorization": f"Bearer {token}"}


async def test_each_kind_of_session_is_the_same_user(
    apis: dict[str, Client], auth_server: AuthServer, token: str
) -> None:
    """Whatever the proof, a person who signed up sees the task that they added."""
    cookie = auth_server.signed_cookie(token)
    json_web_token = await asyncio.to_thread(auth_server.jwt, token)
    task = await apis["hashed"].post("/tasks", json={"title": "Milk"}, headers=bearer(token))
    assert task.status_code == 201
    for kind, proof in (
        ("hashed", bearer(unquote(cookie))),
        ("better-auth", bearer(token)),
        ("better-auth", bearer(unquote(cookie))),
        ("better-auth", {"Cookie": f"{COOKIE}={cookie}"}),
        ("jwt", bearer(json_web_token)),
    ):
        listed = await apis[kind].get("/tasks", headers=proof)
        assert (listed.status_code, listed.json()) == (200, [task.json()])


async def test_a_proof_of_one_kind_is_none_of_another(
    apis: dict[str, Client], auth_server: AuthServer, token: str
) -> None:
    """A JWT is no session token, a session token is no JWT, and an unsigned cookie is nothing."""
    json_web_token = await asyncio.to_thread(auth_server.jwt, token)
    cookie = {"Cookie": f"{COOKIE}={auth_server.signed_cookie(token)}"}
    for kind, proof in (
        ("hashed", bearer(json_web_token)),
        ("hashed", cookie),
        ("better-auth", bearer(json_web_token)),
        ("better-auth", {"Cookie": f"{COOKIE}={token}"}),
        ("jwt", bearer(token)),
        ("jwt", cookie),
    ):
        assert (await apis[kind].get("/tasks", headers=proof)).status_code == 401


async def test_signing_out_ends_the_session(
    apis: dict[str, Client], auth_server: AuthServer, token: str
) -> None:
    """After the sign-out its token is a 401; a JWT lives on for its minutes, but none is made."""
    cookie = {"Cookie": f"{COOKIE}={auth_server.signed_cookie(token)}"}
    json_web_token = await asyncio.to_thread(auth_server.jwt, token)
    for kind in ("hashed", "better-auth"):
        assert (await apis[kind].get("/tasks", headers=bearer(token))).status_code == 200
    await asyncio.to_thread(auth_server.sign_out, token)
    for kind, proof in (
        ("hashed", bearer(token)),
        ("better-auth", bearer(token)),
        ("better-auth", cookie),
    ):
        assert (await apis[kind].get("/tasks", headers=proof)).status_code == 401
    assert (await apis["jwt"].get("/tasks", headers=bearer(json_web_token))).status_code == 200
    with pytest.raises(httpx2.HTTPStatusError, match="401"):
        await asyncio.to_thread(auth_server.jwt, token)


async def test_a_deleted_user_is_nobody(
    apis: dict[str, Client], auth_server: AuthServer, token: str
) -> None:
    """When the user is deleted, their token is a 401."""
    await asyncio.to_thread(auth_server.delete_user, token)
    for kind in ("hashed", "better-auth"):
        assert (await apis[kind].get("/tasks", headers=bearer(token))).status_code == 401


async def test_jwts_that_do_not_hold_are_refused(
    apis: dict[str, Client], auth_server: AuthServer, token: str
) -> None:
    """Tampered with, signed by another key, by none, expired or for somebody else: 401."""
    good = await asyncio.to_thread(auth_server.jwt, token)
    head, payload, signature = good.split(".")
    key_id = jwt.get_unverified_header(good)["kid"]
    claims = jwt.decode(good, options={"verify_signature": False})
    other_key = Ed25519PrivateKey.generate()
    forged = [
        f"{head}.{payload}.{'A' * len(signature)}",
        f"{head}.{payload[:-4]}AAAA.{signature}",
        f"{head}.{payload}.",
        jwt.encode(claims, other_key, "EdDSA", headers={"kid": key_id}),
        jwt.encode(claims, "", "none", headers={"kid": key_id}),
        jwt.encode(claims, "0123456789abcdef" * 4, "HS256", headers={"kid": key_id}),
        "a.b.c",
        "..",
    ]
    for proof in forged:
        assert (await apis["jwt"].get("/tasks", headers=bearer(proof))).status_code == 401
    # The keys were fetched just now: whether there is another since then, nobody knows yet.
    another = jwt.encode(claims, other_key, "EdDSA", headers={"kid": "another"})
    with apis["jwt"].expecting(503):
        assert (await apis["jwt"].get("/tasks", headers=bearer(another))).status_code == 503
    assert (await apis["jwt"].get("/tasks", headers=bearer(good))).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [{"better_auth_url": "http://127.0.0.1:1"}, {"jwt_audience": "https://other.example"}],
)
async def test_a_jwt_for_another_api_is_refused(
    make_app: MakeApp, auth_server: AuthServer, token: str, changes: dict[str, str]
) -> None:
    """Issuer and audience must be the ones that the API was asked."""
    proof = bearer(await asyncio.to_thread(auth_server.jwt, token))
    defaults = {"better_auth_url": auth_server.url, "jwks_url": f"{auth_server.url}/api/auth/jwks"}
    app = make_app(sessions="jwt", database_auto_migrate=True, **(defaults | changes))
    async with client(app) as api:
        assert (await api.get("/tasks", headers=proof)).status_code == 401


async def test_an_auth_server_that_is_away_is_a_503(
    make_app: MakeApp, auth_server: AuthServer, token: str
) -> None:
    """While the keys are unavailable the answer is 503, and nobody is signed out."""
    proof = bearer(await asyncio.to_thread(auth_server.jwt, token))
    app = make_app(sessions="jwt", database_auto_migrate=True, better_auth_url="http://127.0.0.1:1")
    async with client(app) as api:
        with api.expecting(503):
            response = await api.get("/tasks", headers=proof)
    assert response.json()["code"] == "auth_server_unavailable"
    assert int(response.headers["retry-after"]) > 0
