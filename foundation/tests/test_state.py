"""The typed lifespan state: order, needs, replacements, and what routes ask for."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Protocol

import pytest
from fastapi import APIRouter, WebSocket
from prometheus_client import CollectorRegistry
from sqlalchemy import MetaData

from bedplate.application import create_app, state_class_of
from bedplate.backend import Backend
from bedplate.database_state import DatabaseState
from bedplate.jobs.background import Jobs
from bedplate.settings import DatabaseSettings, Settings
from bedplate.state import State, from_state, opened
from bedplate.testing.client import client


class Mailer(Protocol):
    """Sends mail."""

    def address(self) -> str:
        """Return the address that mails come from."""
        ...


class PostOffice:
    """A mailer."""

    def address(self) -> str:
        """Return the address that mails come from."""
        return "office@example.com"


class Digest:
    """Uses a mailer."""

    def __init__(self, mailer: Mailer) -> None:
        self.sender = mailer.address()


class OwnSettings(Settings):
    """Settings of the backend of these tests."""

    sender: str = "settings@example.com"


@contextlib.asynccontextmanager
async def open_mailer(settings: OwnSettings) -> AsyncIterator[Mailer]:
    """Yield a mailer."""
    assert settings.sender
    yield PostOffice()


@contextlib.asynccontextmanager
async def open_digest(mailer: Mailer, jobs: Jobs) -> AsyncIterator[Digest]:
    """Yield what needs the mailer."""
    assert len(jobs) == 0
    yield Digest(mailer)


class MailState(State):
    """A mailer, and what needs it."""

    settings: OwnSettings
    mailer: Mailer = opened(open_mailer)
    digest: Digest = opened(open_digest)


def backend(router: APIRouter, state: type[State] = MailState) -> Backend:
    """Return a backend with these routes."""
    return Backend(name="mail", title="Mail", settings=OwnSettings, routers=[router], state=state)


def test_fields_open_in_the_order_in_which_they_are_declared() -> None:
    """The foundation's come first; a narrower settings class keeps its place."""
    assert list(MailState.fields)[:5] == [
        "backend",
        "settings",
        "drain",
        "metrics",
        "local_services",
    ]
    assert list(MailState.fields)[-2:] == ["mailer", "digest"]
    assert MailState.fields["settings"] is OwnSettings
    assert State.fields["settings"] is Settings


def test_a_database_opens_before_limiter_and_jobs() -> None:
    """A field that is declared again opens at its new place, so jobs end before their database."""
    names = list(DatabaseState.fields)
    assert names.index("database") < names.index("limiter") < names.index("jobs")


def test_a_need_that_no_earlier_field_meets_is_refused_when_the_class_is_made() -> None:
    """Whether it comes later, has another type, or isn't there at all."""
    with pytest.raises(TypeError, match=r"Late.digest needs 'mailer', which no earlier field"):

        class Late(State):
            digest: Digest = opened(open_digest)
            mailer: Mailer = opened(open_mailer)

    with pytest.raises(TypeError, match=r"Wide.mailer needs 'settings' as .*OwnSettings"):

        class Wide(State):
            mailer: Mailer = opened(open_mailer)


def test_a_field_without_an_opener_is_refused() -> None:
    """Only the foundation's own fields get their value from elsewhere."""
    with pytest.raises(TypeError, match=r"Bare.mailer needs an opener"):

        class Bare(State):
            mailer: Mailer


async def test_routes_and_sockets_find_fields_by_their_type() -> None:
    """A protocol is a type too, and so is the settings class."""
    router = APIRouter()

    @router.get("/senders")
    async def senders(
        mailer: Annotated[Mailer, from_state(Mailer)],
        digest: Annotated[Digest, from_state(Digest)],
        settings: Annotated[OwnSettings, from_state(OwnSettings)],
    ) -> list[str]:
        return [mailer.address(), digest.sender, settings.sender]

    @router.websocket("/socket")
    async def socket(socket: WebSocket, _: Annotated[Digest, from_state(Digest)]) -> None:
        await socket.close()

    app = create_app(backend(router), OwnSettings(), registry=CollectorRegistry())
    async with client(app) as http:
        found = (await http.get("/senders")).json()
    assert found == ["office@example.com", "office@example.com", "settings@example.com"]


@pytest.mark.parametrize("kind", [list, Settings])
def test_a_route_that_asks_for_what_is_not_there_prevents_the_start(kind: type) -> None:
    """The error names the route, the type and the state."""
    router = APIRouter()

    @router.get("/lost")
    async def lost(_: Annotated[object, from_state(kind)]) -> None: ...

    with pytest.raises(TypeError, match=r"/lost: MailState has no field of type"):
        create_app(backend(router), OwnSettings(), registry=CollectorRegistry())


def test_a_type_that_two_fields_have_does_not_name_one() -> None:
    """Which one is meant can't be said by type."""

    class Twice(MailState):
        other: Mailer = opened(open_mailer)

    with pytest.raises(TypeError, match=r" and .* of type"):
        Twice.name_of(Mailer)


async def test_a_replacement_of_no_field_is_refused() -> None:
    """A misspelled name must not leave the real thing in place."""
    app = create_app(
        backend(APIRouter()),
        OwnSettings(),
        registry=CollectorRegistry(),
        replacements={"mailr": PostOffice()},
    )
    with pytest.raises(TypeError, match="MailState has no field mailr"):
        async with client(app):
            pass


def test_a_backend_that_stores_needs_a_state_with_a_database() -> None:
    """The error says which class to derive from."""
    storing = Backend(
        name="mail",
        title="Mail",
        settings=DatabaseSettings,
        metadata=MetaData(),
        state=State,
    )
    with pytest.raises(TypeError, match="mail has tables: State must be a DatabaseState"):
        state_class_of(storing)
