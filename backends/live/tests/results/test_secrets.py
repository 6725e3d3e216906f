"""Correct answers, codes, tokens and ids: every GET route and every event, as everybody."""

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from bedplate.testing.client import Client

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening
    from backends.live.tests.results.conftest import RememberingChannels

Headers = dict[str, str]
FRANCE = {"left": "France", "right": "Paris"}
ITALY = {"left": "Italy", "right": "Rome"}
TWINS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "quiz": (
        {"options": [{"text": "3"}, {"text": "4", "correct": True}], "explanation": "Count."},
        {"options": [{"text": "3", "correct": True}, {"text": "4"}], "explanation": "Believe."},
        {"choices": ["a"]},
    ),
    "estimate": (
        {"minimum": 0, "maximum": 100, "correct": 30, "tolerance": 1, "explanation": "Weigh it."},
        {"minimum": 0, "maximum": 100, "correct": 70, "tolerance": 5},
        {"value": 30},
    ),
    "matching": (
        {"pairs": [FRANCE, ITALY], "explanation": "Look at a map."},
        {
            "pairs": [
                {"left": "France", "right": "Rome"},
                {"left": "Italy", "right": "Paris"},
            ]
        },
        {"matches": {}},
    ),
}
"""Two configurations that differ in their solution alone, and an answer to both."""

_IDS = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|\+00:00)|\"seconds\":[0-9.]+|p_[\w=-]+"
    r"|\"request_id\":\"[0-9a-f]+\""
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough: what goes out is made above it."""
    return sqlite_url


async def walk(
    api: Client, evening: "Evening", roles: dict[str, Headers], activity: dict[str, Any]
) -> dict[str, str]:
    """Return what every GET route answers to each role, by role and path."""
    document = (await api.get("/openapi.json")).json()
    values = {"session_id": evening.id, "activity_id": activity["id"], "code": evening.code}
    found = {}
    for path, operations in document["paths"].items():
        if "get" not in operations or path.endswith(("/events", "/qr")):
            continue  # events are looked at where they are published; the picture has its own tests
        filled = path.format(**values)
        queries = ["", "?round=1"] if path.endswith("/results") else [""]
        queries += ["?by=participant", "?format=csv"] if path.endswith("/export") else []
        for query in queries:
            for role, headers in roles.items():
                response = await api.get(filled + query, headers=headers)
                assert response.status_code in {200, 403, 404}, (path, role, response.text)
                text = response.text
                if path.endswith("/leaderboard") and response.is_success:
                    # Equal ones come in the order of their ids, which are made by chance.
                    lines = sorted(response.json()["items"], key=lambda line: line["nickname"])
                    text = json.dumps({**response.json(), "items": lines})
                found[f"{role} {path}{query} {response.status_code}"] = text
    return found


def public(channels: "RememberingChannels", session_id: str) -> list[str]:
    """Return what participants and screens were sent, each text once."""
    texts = {
        f"{audience} {sent.event} {json.dumps(sent.payloads[audience], sort_keys=True)}"
        for sent in channels.sent
        for audience in ("participant", "screen")
        if sent.channel == session_id and audience in sent.payloads
    }
    return sorted(texts)


async def until_shown(
    channels: "RememberingChannels", evening: "Evening", activity: dict[str, Any]
) -> None:
    """Return when the newest results were sent: those that come fast after one another are merged.

    Without that it is chance which of them are sent at all.
    """
    newest = await evening.results(activity)
    expected = {name: newest[name] for name in ("round", "version", "state")}
    await channels.until_host(activity_id=activity["id"], **expected)


@pytest.mark.parametrize("kind", TWINS)
async def test_solutions_stay_here(
    api: Client,
    make_evening: Callable[..., Any],
    channels: "RememberingChannels",
    kind: str,
) -> None:
    """Another solution changes no byte that participants and screens get, until it is revealed.

    Two evenings go the same way, but for the correct answer. Ids, times and tokens are made equal.
    """
    *configs, answer = TWINS[kind]
    seen: list[list[str]] = []
    for config in configs:
        evening = await make_evening()
        await evening.start()
        voter, other = await evening.join("Voter"), await evening.join("Other")
        roles = {
            "voter": voter.headers,
            "other": other.headers,
            "screen": await evening.link("screen"),
        }
        activity = await evening.add(
            kind, title="Question", config=config, notes="Notes.", seconds=60
        )
        lines = [
            f"draft {name} {text}"
            for name, text in (await walk(api, evening, roles, activity)).items()
        ]
        await evening.open_(activity)
        if kind == "matching":
            state = (await api.get(f"{evening.path}/state", headers=voter.headers)).json()
            key = state["activity"]["config"]["right"][0]["key"]
            answer = {"matches": {"a": key}}
        await evening.answer(voter, activity, **answer)
        await until_shown(channels, evening, activity)
        lines.append((await api.get(evening.responses(activity), headers=voter.headers)).text)
        lines.append(json.dumps(await evening.do("participants/rejoin", headers=voter.headers)))
        for state, *steps in (("open",), ("closed", "close"), ("open", "reset", "open")):
            for step in steps:
                await evening.do(f"activities/{activity['id']}/{step}")
                if step != "open":  # which changes no result, so none is sent
                    await until_shown(channels, evening, activity)
            await channels.until_host(activity_id=activity["id"], state=state)
            texts = await walk(api, evening, roles, activity)
            lines += [f"{state} {name} {text}" for name, text in texts.items()]
        seen.append(sorted({_IDS.sub("…", line) for line in lines + public(channels, evening.id)}))
        await evening.close(activity)
        await evening.reveal(activity)
        revealed = await evening.results(activity, voter.headers)
        assert revealed["result"]["correct"] is not None
        sent = await channels.until_host(activity_id=activity["id"], state="revealed")
        assert sent.payloads["participant"]["result"]["correct"] == revealed["result"]["correct"]
    assert seen[0] == seen[1]
    everything = "\n".join(seen[0])
    assert "Question" in everything
    assert "Notes." not in everything


async def test_lists_name_nobody(api: Client, make_evening: Callable[..., Any]) -> None:
    """No GET route shows a token; no list shows the code; nobody but moderators sees people's ids.

    Only the host's own GET of the session, and what is made of it, has the code.
    """
    evening = await make_evening()
    await evening.start()
    people = [await evening.join(name) for name in ("Ann", "Bob")]
    roles = {role: await evening.link(role) for role in ("cohost", "moderator", "screen")}
    roles |= {"host": evening.host, "ann": people[0].headers, "bob": people[1].headers}
    tokens = [headers["Authorization"].removeprefix("Bearer ") for headers in roles.values()]
    quiz = await evening.add_open("quiz")
    for person in people:
        await evening.answer(person, quiz, choices=["b"])
    await evening.close(quiz)
    await evening.reveal(quiz)
    nobody = {"stranger": {"Authorization": "Bearer h_unknown"}}
    for name, text in (await walk(api, evening, roles | nobody, quiz)).items():
        role, path, status = name.split(" ")
        assert not any(token in text for token in tokens), name
        may_see_code = path == "/api/v1/sessions/{session_id}" and role in {"host", "cohost"}
        assert may_see_code or evening.code not in text, name
        allowed = path.endswith("/participants") and role in {"host", "cohost", "moderator"}
        assert allowed or not any(person.id in text for person in people), name
        if role in {"ann", "bob", "screen", "stranger"} and status == "200":
            assert path.rsplit("/", 1)[-1] not in {"participants", "links", "moderation", "export"}
