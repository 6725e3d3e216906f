"""The database away, hanging or full: clear answers in bounded time, and nothing lost."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from sqlalchemy import text

from audits.settings import AuditsSettings
from bedplate import clock
from bedplate.database import Database
from bedplate.settings import Environment
from bedplate.testing.client import Client, client
from bedplate.testing.problems import ProblemOf
from bedplate.testing.proxy import FaultProxy

MakeApp = Callable[..., FastAPI]
AUDITS = "/api/v1/audits"
NEW = {"action_type": "create", "entity_type": "invoice"}


@pytest.fixture
def settings(postgres_url: str) -> AuditsSettings:
    """Give settings whose database is there, with short limits."""
    return AuditsSettings(
        _env_file=None,
        environment=Environment.TEST,
        database_url=SecretStr(postgres_url),
        database_auto_migrate=False,
        database_connect_timeout_seconds=1,
        database_command_timeout_seconds=2,
        database_pool_timeout_seconds=2,
    )


@pytest.fixture
async def proxy(postgres_url: str) -> AsyncIterator[FaultProxy]:
    """Give what stands between the trail and its database."""
    async with FaultProxy(postgres_url) as opened:
        yield opened


@pytest.fixture
async def trail(make_app: MakeApp, proxy: FaultProxy) -> AsyncIterator[Client]:
    """Give a client of the trail behind the proxy."""
    async with client(make_app(database_url=SecretStr(proxy.url))) as opened:
        yield opened


@pytest.mark.parametrize("fault", ["refuse", "hang", "cut"])
async def test_a_lost_database_is_a_503_and_comes_back(
    trail: Client, proxy: FaultProxy, problem_of: ProblemOf, fault: str
) -> None:
    """Whoever waits gets a 503 in bounded time; afterwards the chain goes on without a gap."""
    assert (await trail.post(AUDITS, json=NEW)).json()["sequence"] == 0
    await getattr(proxy, fault)()
    began = clock.monotonic()
    with trail.expecting(503):
        answers = await asyncio.gather(*(trail.post(AUDITS, json=NEW) for _ in range(20)))
        lists = await trail.get(AUDITS)
        health = await trail.get("/health/db")
    assert clock.monotonic() - began < 15
    if fault != "cut":  # a connection that was cut is replaced at once
        for answer in (*answers, lists, health):
            assert problem_of(answer, 503)["code"] == "database_unavailable"
            assert answer.headers["retry-after"]
    assert (await trail.get("/health")).status_code == 200
    await proxy.heal()
    before = (await trail.get(AUDITS)).json()["total"]
    made = await asyncio.gather(*(trail.post(AUDITS, json=NEW) for _ in range(5)))
    numbers = sorted(answer.json()["sequence"] for answer in made)
    assert numbers == list(range(before, before + 5))


async def test_a_store_that_refuses_appends_is_a_503_and_is_counted(
    make_app: MakeApp, postgres_url: str, settings: AuditsSettings, problem_of: ProblemOf
) -> None:
    """A role without INSERT: each request is a 503 and counted, and reads still work."""
    async with Database.open(settings) as owner, owner.engine.begin() as connection:
        name = postgres_url.rsplit("/", 1)[1]
        await connection.execute(text(f'CREATE ROLE "reader_{name}" LOGIN'))
        await connection.execute(
            text(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "reader_{name}"')
        )
        # Or adding partitions fails as well, and its traceback takes the test's time.
        function = "audit_add_partition(timestamptz)"
        await connection.execute(text(f'GRANT EXECUTE ON FUNCTION {function} TO "reader_{name}"'))
    url = postgres_url.replace("postgres@", f"reader_{name}@")
    registry = CollectorRegistry()
    app = make_app(registry=registry, database_url=SecretStr(url))
    async with client(app) as trail:
        with trail.expecting(503):
            refused = await trail.post(AUDITS, json=NEW)
        assert problem_of(refused, 503)["code"] == "trail_not_writable"
        assert "permission" not in refused.text
        assert (await trail.get(AUDITS)).json()["total"] == 0
    refusals = registry.get_sample_value("audits_refused_requests_total", {"backend": "audits"})
    assert refusals == 1
    async with Database.open(settings) as owner, owner.engine.begin() as connection:
        await connection.execute(text(f'DROP OWNED BY "reader_{name}"'))
        await connection.execute(text(f'DROP ROLE "reader_{name}"'))
