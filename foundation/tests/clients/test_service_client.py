"""A client as a resource: by URL, else in process, else a start that says what is missing."""

from collections.abc import AsyncIterator

import pytest
from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from bedplate.application import create_app
from bedplate.backend import Backend
from bedplate.clients import service_client
from bedplate.clients.client import ServiceClient
from bedplate.composition import compose
from bedplate.runtime import StartupError
from bedplate.settings import Settings, SettingsError, WebURL
from bedplate.state import State, opened
from bedplate.testing.client import Client, client
from bedplate.testing.lifespan import running
from bedplate.testing.processes import free_port


class CallingSettings(Settings):
    """Settings of a backend that calls another."""

    model_config = SettingsConfigDict(env_prefix="CALLING_", env_file=None)

    other_url: WebURL | None = None
    other_timeout: float = Field(2.0, gt=0)


class CallingState(State):
    """The client of the other backend."""

    settings: CallingSettings
    other: ServiceClient = opened(
        service_client("called", url="other_url", timeout="other_timeout")
    )


class PlainSettings(Settings):
    """Settings of a backend that calls nobody."""

    model_config = SettingsConfigDict(env_file=None)


def calling() -> Backend:
    """Return a backend that passes on what another answers."""
    router = APIRouter()

    @router.get("/asked")
    async def asked(request: Request) -> object:
        other = await request.state.other.get("/who")
        return {"mine": request.scope["state"]["request_id"], "other": other}

    return Backend(
        name="calling",
        title="Calling",
        settings=CallingSettings,
        routers=[router],
        state=CallingState,
    )


def called() -> Backend:
    """Return a backend that says who it is, and the id of the request."""
    router = APIRouter()

    @router.get("/who")
    async def who(request: Request) -> dict[str, str]:
        return {"id": request.scope["state"]["request_id"], "path": request.url.path}

    return Backend(name="called", title="Called", settings=PlainSettings, routers=[router])


@pytest.fixture
async def both() -> AsyncIterator[Client]:
    """Give a client of both backends in one process; who calls is started first."""
    async with client(compose([calling(), called()], registry=CollectorRegistry())) as http:
        yield http


async def test_a_backend_of_the_same_process_is_called(both: Client) -> None:
    """Without a URL the other is called in process, with the same request id on both sides."""
    answer = await both.get("/calling/asked", headers={"X-Request-ID": "one-id"})
    assert answer.json() == {"mine": "one-id", "other": {"id": "one-id", "path": "/who"}}


async def test_a_url_comes_first() -> None:
    """With a URL the other is called there, even when one runs in this process."""
    nowhere = CallingSettings(other_url=f"http://127.0.0.1:{free_port()}")
    app = compose([calling(), called()], {"calling": nowhere}, registry=CollectorRegistry())
    async with client(app) as http:
        with http.expecting(503):
            answer = await http.get("/calling/asked")
    assert answer.status_code == 503
    assert answer.json()["code"] == "upstream_unavailable"
    assert answer.headers["retry-after"] == "2"


async def test_a_start_without_the_other_says_what_to_set() -> None:
    """Neither a URL nor a backend in this process: one sentence names the setting."""
    with pytest.raises(SettingsError, match=r"CALLING_OTHER_URL must say where called is"):
        async with running(create_app(calling(), registry=CollectorRegistry())):
            pass
    with pytest.raises(StartupError, match=r"calling: CALLING_OTHER_URL must say .* process\.$"):
        async with running(compose([calling()], registry=CollectorRegistry())):
            pass


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8000", "ftp://host", "http://", "http://u:p@host", "http://h?a", "http://h#a"],
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    """The variable is named, the value isn't repeated."""
    with pytest.raises(SettingsError, match="CALLING_OTHER_URL") as refusal:
        CallingSettings.load(other_url=url)
    assert not url or url not in str(refusal.value)
