"""The declaration of the Story Factory: no database, other services by URL or beside it."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from bedplate.application import create_app
from bedplate.composition import compose
from bedplate.runtime import StartupError
from bedplate.settings import Environment
from bedplate.testing.client import client
from bedplate.testing.processes import free_port
from fountain.story_factory.backend import backend
from fountain.story_factory.settings import StoryFactorySettings


def settings(**fields: Any) -> StoryFactorySettings:
    """Return settings of nothing else of this machine."""
    return StoryFactorySettings(_env_file=None, environment=Environment.TEST, **fields)


def urls() -> dict[str, str]:
    """Return the settings that say where the others are: nowhere."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    return dict.fromkeys(("scripts_url", "characters_url", "sessions_url"), nowhere)


async def test_it_runs_alone_without_a_database() -> None:
    """With the URLs of the others it starts by itself, stores nothing, and is ready."""
    app = create_app(backend, settings(**urls()), registry=CollectorRegistry())
    async with client(app) as api:
        assert (await api.get("/readyz")).status_code == 200
        assert (await api.get("/openapi.json")).json()["info"]["title"] == "Story Factory API"


@pytest.mark.parametrize("missing", ["scripts_url", "characters_url", "sessions_url"])
async def test_a_missing_url_is_named(missing: str) -> None:
    """When another service neither runs here nor has a URL, the start says which setting to set."""
    given = {name: url for name, url in urls().items() if name != missing}
    app = compose([backend], {backend.name: settings(**given)}, registry=CollectorRegistry())
    with pytest.raises(StartupError, match=f"STORY_FACTORY_{missing.upper()}"):
        async with client(app):
            pass


async def test_the_documents() -> None:
    """The published contract is served unchanged, and every addition is in the extended one."""
    assert backend.contract is not None
    contract = backend.contract.load()
    app = create_app(backend, settings(**urls()), registry=CollectorRegistry())
    async with client(app) as api:
        assert (await api.get("/openapi.json")).json() == contract.document
        extended = (await api.get("/openapi.extended.json")).json()
    operations = {
        item["operationId"]: item for path in extended["paths"].values() for item in path.values()
    }
    files = {"getCsoundFile", "getLilyPondFile", "getMidiFile"}
    assert operations.keys() == {"getFullStory", "getStorySequences", *files}
    assert all(len(item["description"]) <= 300 for item in operations.values())
