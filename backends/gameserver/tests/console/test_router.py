"""The console over HTTP."""

import json
import threading
from pathlib import Path

import pytest

from bedplate import clock
from bedplate.auth import Principal
from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf
from gameserver.audit.service import Audit
from gameserver.console.facts import Facts
from gameserver.console.lines import ConsoleLine
from gameserver.console.router import list_lines
from gameserver.console.service import Console
from gameserver.events import Events


async def test_lines_by_number_and_level(api: Client) -> None:
    """Lines come from a number on, in parts that join without a gap, and filtered by level."""
    await api.post("/server/start?wait=20")
    newest = (await api.get("/console/lines?limit=3")).json()
    last = newest["last"]
    assert [line["number"] for line in newest["lines"]] == [last - 2, last - 1, last]
    after, numbers = 0, []
    while after < last:
        part = (await api.get(f"/console/lines?after={after}&limit=7")).json()
        numbers += [line["number"] for line in part["lines"]]
        after = part["last"]
        assert part["run"] == newest["run"]
    assert numbers[:last] == list(range(1, last + 1))
    chosen = (await api.get("/console/lines?level=event&level=Error&limit=10000")).json()["lines"]
    assert {line["level"] for line in chosen} == {"Event"}
    assert any("now running on Port" in line["text"] for line in chosen)


async def test_many_lines_are_put_together_elsewhere(tmp_path: Path) -> None:
    """Ten thousand lines would hold the event loop up: another thread makes the answer of them."""
    threads: set[int] = set()

    class Level(str):
        __slots__ = ()

        def lower(self) -> str:
            threads.add(threading.get_ident())
            return super().lower()

    console = Console(Facts(Events()), Audit(tmp_path))
    console.lines.publish(ConsoleLine(clock.now(), Level("Event"), "One."))
    reader = Principal("test", "test")
    answer = await list_lines(reader, console, after=0, limit=1, level=["event"])
    assert [line["text"] for line in json.loads(bytes(answer.body))["lines"]] == ["One."]
    assert threads
    assert threading.get_ident() not in threads


async def test_a_command_is_answered(api: Client, problem_of: ProblemOf) -> None:
    """The answer of the game comes back; without a game it is 409; who sent it is written down."""
    command = {"command": "/time"}
    refused = problem_of(await api.post("/console/commands", json=command), 409)
    assert (refused["code"], refused["state"]) == ("game_not_running", "stopped")
    await api.post("/server/start?wait=20")
    answer = (await api.post("/console/commands", json=command)).json()
    assert answer["echoed"]
    assert answer["lines"][0].startswith("Server time: ")
    newest = (await api.get("/audit?limit=1")).json()[0]
    assert (newest["by"], newest["details"]) == ("admin", {"command": "/time"})


@pytest.mark.parametrize(
    "body",
    [
        {"command": "/a\n/stop"}, {"command": "/kick o[]"}, {"command": ""},
        {"command": "x" * 1023}, {"command": "ж" * 512},
        {"command": "/a\u0000"}, {"command": 5}, {}, {"command": "/a", "wait": 11},
        {"command": "/a", "wait": "NaN"}, {"command": "/a", "allow_selectors": "yes"}, [],
    ],
)  # fmt: skip
async def test_bad_commands(api: Client, problem_of: ProblemOf, body: object) -> None:
    """What isn't one harmless line is refused before anything else is looked at."""
    problem_of(await api.post("/console/commands", json=body), 422)


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "limit=10001", "level=a%20b"])
async def test_bad_queries(api: Client, problem_of: ProblemOf, query: str) -> None:
    """Numbers out of range and impossible levels are refused."""
    problem_of(await api.get(f"/console/lines?{query}"), 422)


async def test_who_may_what(api: Client, monitor: dict[str, str], problem_of: ProblemOf) -> None:
    """A monitor reads lines and gets tickets; commands and connections are the admin's."""
    assert (await api.get("/console/lines", headers=monitor)).status_code == 200
    assert (await api.post("/console/tickets", headers=monitor)).status_code == 201
    command = {"command": "/time"}
    problem_of(await api.post("/console/commands", json=command, headers=monitor), 403)
    problem_of(await api.get("/console/connections", headers=monitor), 403)
    problem_of(await api.delete("/console/connections/x", headers=monitor), 403)
    problem_of(await api.delete("/console/connections/x"), 404)
