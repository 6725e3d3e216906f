"""The operations of the Story Factory, over all five services.

The clients check every response against the contract, the published one where it has the status.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from bedplate.observability.logs import EventDict
from bedplate.testing.client import Client
from bedplate.testing.logs import captured_logs

Services = Mapping[str, Client]
Made = Callable[..., Awaitable[Any]]
StorePlay = Callable[[int], Awaitable[None]]
OpenServices = Callable[..., AbstractAsyncContextManager[Services]]

NO_SCRIPT = {"message": "Script not found."}
NO_SEQUENCES = {"message": "Script or sequences not found."}
FILES = ("sound.csd", "sheet.ly", "music.mid")


@pytest.fixture
def api(services: Services) -> Client:
    """Give a client of the Story Factory, which runs beside the other services."""
    return services["story-factory"]


async def sequences(api: Client, script: int, first: object, last: object) -> Any:
    """Ask for part of a story."""
    request: dict[str, Any] = {"scriptId": script, "startSequence": first, "endSequence": last}
    return await api.get("/stories/sequences", params=request)


async def test_a_whole_story(api: Client, play: int) -> None:
    """A story has its script, headings, elements and files; what an element lacks isn't shown."""
    story = (await api.get("/stories", params={"scriptId": play})).json()
    assert story == {
        "scriptId": 1,
        "title": "Romeo and Juliet",
        "author": "Shakespeare",
        "sections": [
            {"headingId": 1, "scriptId": 1, "title": "Act 1, Scene 1", "sequence": 2},
            {"headingId": 2, "scriptId": 1, "title": "Act 2, Scene 2", "sequence": 3},
        ],
        "story": [
            {
                "sequence": 1,
                "headingId": 1,
                "character": {"characterId": 1, "name": "Juliet", "description": "A Capulet."},
                "action": {
                    "actionId": 1,
                    "description": "Juliet comes out on the balcony by night.",
                },
                "spokenWord": {
                    "dialogueId": 1,
                    "text": "O Romeo, Romeo! wherefore art thou Romeo?",
                    "sequence": 1,
                },
                "context": {"contextId": 1, "characterId": 1, "data": {"mood": "longing"}},
            },
            {
                "sequence": 2,
                "headingId": 2,
                "character": {"characterId": 2, "name": "Romeo", "description": "A Montague."},
            },
            {"sequence": 3},
        ],
        "orchestration": {
            "csoundFilePath": "/files/1/sound.csd",
            "lilyPondFilePath": "/files/1/sheet.ly",
            "midiFilePath": "/files/1/music.mid",
        },
    }


async def test_the_files_lie_where_the_story_says(api: Client, play: int) -> None:
    """The paths of a story lead to its files, at the host name and below the prefix of a path."""
    for base in ("http://story-factory.localhost", "http://testserver/story-factory"):
        story = (await api.get(f"{base}/stories", params={"scriptId": play})).json()
        host = base.removesuffix("/story-factory")
        for path in story["orchestration"].values():
            assert (await api.get(host + path)).status_code == 200, path


async def test_a_script_without_elements(api: Client, create: Made) -> None:
    """A script in which nothing is placed has an empty story, and files all the same."""
    await create("scripts", "/scripts", title="Empty")
    story = (await api.get("/stories", params={"scriptId": 1})).json()
    assert story["story"] == story["sections"] == []
    for name in FILES:
        assert (await api.get(f"/files/1/{name}")).status_code == 200


async def test_an_unknown_script(api: Client) -> None:
    """A script that there isn't is a 404 with the contract's message, wherever it is named."""
    for script in (1, 0, -1, 2**63 - 1, -(2**63)):
        for path in (f"/stories?scriptId={script}", *(f"/files/{script}/{f}" for f in FILES)):
            answer = await api.get(path)
            assert (answer.status_code, answer.json()) == (404, NO_SCRIPT), path
        answer = await sequences(api, script, 1, 9)
        assert (answer.status_code, answer.json()) == (404, NO_SEQUENCES)


async def test_part_of_a_story(api: Client, play: int) -> None:
    """Both ends of a range belong to it, and it may reach beyond those of the story."""
    whole = (await api.get("/stories", params={"scriptId": play})).json()["story"]
    for first, last, shown in [
        (1, 3, [1, 2, 3]),
        (2, 3, [2, 3]),
        (2, 2, [2]),
        (3, 2**63 - 1, [3]),
        (0, 1, [1]),
        (-(2**63), 2, [1, 2]),
    ]:
        part = (await sequences(api, play, first, last)).json()
        assert part["scriptId"] == play
        assert [item["sequence"] for item in part["sequences"]] == shown
        assert part["sequences"] == [item for item in whole if item["sequence"] in shown]


async def test_a_range_with_nothing_in_it(api: Client, play: int) -> None:
    """A range beyond the story, or backwards, is a 404 with the contract's message."""
    for first, last in [(4, 9), (3, 2), (0, 0), (-5, -1), (2**63 - 1, 1)]:
        answer = await sequences(api, play, first, last)
        assert (answer.status_code, answer.json()) == (404, NO_SEQUENCES)


async def test_numbers_that_are_none(api: Client) -> None:
    """Anything but a 64-bit integer is a 400 that names the parameter and repeats no value."""
    for value in ("true", "1e0", "+1", " 1", "", "1.5", str(2**63), "9" * 5000):
        answer = await api.get("/stories", params={"scriptId": value})
        assert answer.status_code == 400
        assert answer.json()["message"].startswith("scriptId: ")
        assert len(answer.text) < 200
        for first, last in ((value, 1), (1, value)):
            assert (await sequences(api, 1, first, last)).status_code == 400
        if value:
            assert (await api.get(f"/files/{value}/music.mid")).status_code == 400


async def test_things_that_there_are_not(api: Client, create: Made) -> None:
    """An element is shown without what it names and nobody knows, and its context has no owner."""
    await create("scripts", "/scripts", title="Ghosts")
    session = await create("session-context", "/sessions", userId=1, context="fog")
    ghosts = {"characterId": 2**63 - 1, "actionId": 0, "spokenWordId": -1}
    await create("scripts", "/scripts/1/elements", **ghosts, contextId=session["sessionId"])
    await create("scripts", "/scripts/1/elements", **ghosts, contextId=10**9)
    story = (await api.get("/stories", params={"scriptId": 1})).json()["story"]
    context = {"contextId": session["sessionId"], "data": {"context": "fog"}}
    assert story == [{"sequence": 1, "context": context}, {"sequence": 2}]
    for name in FILES:
        assert (await api.get(f"/files/1/{name}")).status_code == 200


@pytest.mark.parametrize(
    ("name", "kind", "begins"),
    [
        ("sound.csd", "text/x-csound; charset=utf-8", b"<CsoundSynthesizer>"),
        ("sheet.ly", "text/x-lilypond; charset=utf-8", b'\\version "2.24.0"'),
        ("music.mid", "audio/midi", b"MThd"),
    ],
)
async def test_a_file(api: Client, play: int, name: str, kind: str, begins: bytes) -> None:
    """A file has its media type, name and an ETag that spares those who have it the body."""
    answer = await api.get(f"/files/{play}/{name}")
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"] == f'inline; filename="{name}"'
    assert answer.content.startswith(begins)
    etag = answer.headers["etag"]
    again = await api.get(f"/files/{play}/{name}", headers={"If-None-Match": f"W/{etag}"})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    bad = await api.get(f"/files/{play}/{name}", headers={"If-None-Match": "tag"})
    assert bad.status_code == 400


async def test_a_file_changes_with_the_story(api: Client, create: Made, play: int) -> None:
    """The same story has the same files; another line makes other files with other ETags."""
    for name in FILES:
        once, again = [await api.get(f"/files/{play}/{name}") for _ in range(2)]
        assert once.content == again.content
    before = [(await api.get(f"/files/{play}/{name}")).headers["etag"] for name in FILES]
    await create("scripts", f"/scripts/{play}/elements", spokenWordId=1, position=1)
    after = [(await api.get(f"/files/{play}/{name}")).headers["etag"] for name in FILES]
    assert not set(before) & set(after)


async def test_stories_while_elements_are_moved(
    services: Services, api: Client, store_play: StorePlay
) -> None:
    """A story read during reorders shows one of the orders that there were, never two mixed."""
    await store_play(60)
    chance = random.Random(5)
    orders = [chance.sample(range(1, 61), 60) for _ in range(25)]
    finished = asyncio.Event()

    async def move() -> None:
        for order in orders:
            fields = {"elementIds": order}
            moved = await services["scripts"].post("/scripts/1/elements/reorder", json=fields)
            assert moved.status_code == 200, moved.text
        finished.set()

    async def read() -> list[list[int]]:
        seen = []
        while not finished.is_set():
            story = (await api.get("/stories", params={"scriptId": 1})).json()["story"]
            assert [item["sequence"] for item in story] == list(range(1, 61))
            part = (await sequences(api, 1, 1, 60)).json()["sequences"]
            # What stands together in an element stays together.
            for item in [*story, *part]:
                assert item["character"]["characterId"] == item["action"]["actionId"]
            seen += [[item["action"]["actionId"] for item in read] for read in (story, part)]
        return seen

    _, *result = await asyncio.gather(move(), read(), read(), read())
    known = [list(range(1, 61)), *orders]
    seen = [order for some in result for order in some]
    assert all(order in known for order in seen)
    assert len({tuple(order) for order in seen}) > 1
    assert known.index(result[0][0]) <= known.index(result[0][-1])


@pytest.mark.parametrize("url_of", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("size", "lookups"), [(1, 1), (5_001, 2)])
async def test_the_number_of_calls(
    api: Client, store_play: StorePlay, size: int, lookups: int
) -> None:
    """A story takes 1 call for its structure and 1 for each 5,000 things of a kind; files fewer."""
    await store_play(size)
    kinds = ("/characters", "/actions", "/spokenWords", "/sessions")
    every = [f"POST {kind}/lookup" for kind in kinds for _ in range(lookups)]
    with captured_logs("info") as entries:
        story = (await api.get("/stories", params={"scriptId": 1})).json()["story"]
        assert calls_of(entries) == sorted(["GET /scripts/{scriptId}/structure", *every])
        await sequences(api, 1, 1, size)
        assert calls_of(entries) == sorted(["GET /scripts/{scriptId}/elements", *every])
        await sequences(api, 1, 2, 1)
        assert calls_of(entries) == []
        await api.get("/files/1/sheet.ly")
        assert len(calls_of(entries)) == 1 + 3 * lookups
    numbers = list(range(1, size + 1))
    assert [item["spokenWord"]["dialogueId"] for item in story] == numbers
    assert [item["context"]["contextId"] for item in story] == numbers


def calls_of(entries: list[EventDict]) -> list[str]:
    """Return which requests other services have answered since the last time, in order of name."""
    result = [
        f"{item['method']} {item['route']}"
        for item in entries
        if item["event"] == "request" and item["backend"] not in {"story-factory", "bedplate"}
    ]
    entries.clear()
    return sorted(result)
