"""What ends streams: removals that their process could not hear of, and a state that is away."""

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI

from bedplate.database import DatabaseUnavailable
from bedplate.testing.client import client
from live.exceptions import SessionNotFound
from live.following.state import States

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening

MakeApp = Callable[..., FastAPI]


async def test_whoever_was_removed_elsewhere_is_not_shown_more(
    evening: "Evening", make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process, which shares no events, removes people and links; their streams end here.

    Those of others go on.
    """
    monkeypatch.setattr("live.timers._SEEN_SECONDS", 0.05)
    ann, bob, cat = await evening.join_many(3)
    link = await evening.do("links", {"role": "screen"})
    screen = {"Authorization": f"Bearer {link['token']}"}
    stay = [evening.host, cat.headers, await evening.link("screen")]
    async with client(make_app()) as api, asyncio.TaskGroup() as group:

        def follow(headers: dict[str, str]) -> asyncio.Task[httpx2.Response]:
            return group.create_task(api.get(f"{evening.path}/events", headers=headers))

        going = [follow(headers) for headers in stay]
        removed = [follow(headers) for headers in (ann.headers, bob.headers, screen)]
        await asyncio.sleep(0.5)
        assert not any(stream.done() for stream in going + removed)
        await evening.do(f"participants/{ann.id}/kick")
        await evening.do(f"participants/{bob.id}/ban")
        await evening.api.delete(f"{evening.path}/links/{link['id']}", headers=evening.host)
        async with asyncio.timeout(10):
            ended = [(await stream).text for stream in removed]
        for text, reason in zip(ended, ("kicked", "banned", "revoked"), strict=True):
            assert text.endswith(f"event: {reason}\ndata: {{}}\n\n")
        assert not any(stream.done() for stream in going)
        for stream in going:
            stream.cancel()


async def test_streams_of_a_deleted_session_end(
    evening: "Evening", make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its participants and screens are gone, on every process."""
    monkeypatch.setattr("live.timers._SEEN_SECONDS", 0.05)
    ann, screen = await evening.join("Ann"), await evening.link("screen")
    async with client(make_app()) as api, asyncio.TaskGroup() as group:
        streams = [
            group.create_task(api.get(f"{evening.path}/events", headers=headers))
            for headers in (ann.headers, screen)
        ]
        await asyncio.sleep(0.5)
        assert not any(stream.done() for stream in streams)
        await evening.api.delete(evening.path, headers=evening.host)
        async with asyncio.timeout(10):
            assert [(await stream).status_code for stream in streams] == [200, 200]


@pytest.mark.parametrize("error", [SessionNotFound(), DatabaseUnavailable()])
async def test_a_stream_whose_state_is_away_ends(
    evening: "Evening", monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Nothing is raised when the response has begun; the client is to come back in its time."""

    async def state(_: States, __: UUID) -> None:
        raise error

    monkeypatch.setattr(States, "state", state)
    async with asyncio.timeout(10):
        response = await evening.api.get(f"{evening.path}/events", headers=evening.host)
    assert response.status_code == 200
    assert re.fullmatch("retry: [0-9]+\n\n", response.text)
