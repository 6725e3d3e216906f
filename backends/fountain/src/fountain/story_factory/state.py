from bedplate.clients import service_client
from bedplate.clients.client import ServiceClient
from bedplate.state import State, opened
from fountain.story_factory.settings import StoryFactorySettings
from fountain.story_factory.sources import Sources
from fountain.story_factory.wiring import open_sources

_LIMITS = {"timeout": "client_timeout_seconds", "attempts": "client_attempts"}


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
