"""A new type of activity is one module: no other file is touched, and an evening can use it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bedplate.testing.client import client
from live import activity_types
from live.activity_type import all_types

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening

MakeApp = Callable[..., Any]
PAGE = Path(__file__).parents[3] / "docs" / "add-an-activity-type.md"


@pytest.fixture
def traffic_light(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The module of docs/add-an-activity-type.md, in a folder of types."""
    (module,) = (
        block.split("\n```")[0]
        for block in PAGE.read_text().split("```python\n")[1:]
        if "ActivityType[" in block
    )
    (tmp_path / "traffic_light.py").write_text(module)
    monkeypatch.syspath_prepend(tmp_path)  # importlib's caches are cleared with it
    monkeypatch.setattr(activity_types, "__path__", [*activity_types.__path__, str(tmp_path)])
    all_types.cache_clear()
    yield
    monkeypatch.delitem(sys.modules, "live.activity_types.traffic_light", raising=False)
    if hasattr(activity_types, "traffic_light"):
        del activity_types.traffic_light
    all_types.cache_clear()


async def test_a_new_type_end_to_end(
    traffic_light: None, make_app: MakeApp, problem_of: Callable[..., Any]
) -> None:
    """It is listed, configured, opened, answered, counted, revealed, scored and exported."""
    from backends.live.tests.conftest import Evening as Make  # noqa: PLC0415

    async with client(make_app()) as api:
        evening: Evening = await Make.create(api)
        await evening.start()
        names = [kind["name"] for kind in (await api.get("/api/v1/activity-types")).json()["items"]]
        assert "traffic_light" in names
        refused = {"type": "traffic_light", "title": "Ready?", "config": {"colours": 3}}
        response = await api.post(f"{evening.path}/activities", json=refused, headers=evening.host)
        problem_of(response, 422)
        light = await evening.add_open("traffic_light", title="Ready?", config={"go": "green"})
        ann, bob = await evening.join("Ann"), await evening.join("Bob")
        state = (await api.get(f"{evening.path}/state", headers=ann.headers)).json()
        assert state["activity"]["config"] == {}
        await evening.answer(ann, light, colour="green")
        await evening.answer(bob, light, colour="red")
        response = await api.put(
            evening.responses(light), json={"answer": {"colour": "blue"}}, headers=ann.headers
        )
        problem_of(response, 422)
        counts = {"red": 1, "yellow": 0, "green": 1}
        assert (await evening.results(light, ann.headers))["result"] == {"counts": counts}
        await evening.close(light)
        await evening.reveal(light)
        assert (await evening.results(light, ann.headers))["result"] == {
            "counts": counts,
            "go": "green",
        }
        board = (await api.get(f"{evening.path}/leaderboard", headers=ann.headers)).json()
        assert [line["points"] for line in board["items"]] == [100, 0]
        rows = (await api.get(f"{evening.path}/export", headers=evening.host)).json()
        assert {row["answer"]["colour"] for row in rows if "answer" in row} == {"green", "red"}
