import contextlib
from collections.abc import AsyncIterator

from bedplate.clients import service_client
from bedplate.clients.client import ServiceClient
from bedplate.state import State, opened
from fountain.story_factory.settings import StoryFactorySettings
from fountain.story_factory.sources import Sources

_LIMITS = {"timeout": "client_timeout_seconds", "attempts": "client_attempts"}


@contextlib.asynccontextmanager
async def open_sources(
    scripts: ServiceClient, characters: ServiceClient, sessions: ServiceClient
) -> AsyncIterator[Sources]:
    """Yield the services that know what a story consists of."""
    yield Sources(scripts, characters, sessions)


class StoryFactoryState(State):
    """The services that a story comes from."""

    settings: StoryFactorySettings
    scripts: ServiceClient = opened(service_client("scripts", url="scripts_url", **_LIMITS))
    characters: ServiceClient = opened(
        service_client("characters", url="characters_url", **_LIMITS)
    )
    sessions: ServiceClient = opened(
        service_client("session-context", url="sessions_url", **_LIMITS)
    )
    sources: Sources = opened(open_sources)
