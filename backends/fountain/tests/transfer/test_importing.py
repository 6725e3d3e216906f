"""Where an import goes on, and how an export asks for many objects."""

from pathlib import Path
from typing import Any

import pytest

from bedplate.cli.exceptions import CommandError
from fountain.screenplay.plan import Plan
from fountain.transfer import exporting
from fountain.transfer.importing import find_state, new_state
from fountain.transfer.state import Created, save_state


class Asked:
    """A service that has every object it is asked for, two at most in one lookup."""

    def __init__(self, elements: list[dict[str, Any]]) -> None:
        self.elements = elements
        self.lookups: list[list[int]] = []

    async def get(self, path: str) -> dict[str, Any]:
        """Return the structure of a script."""
        return {"script": {"title": "A"}, "sections": [], "elements": self.elements}

    async def post(
        self, path: str, body: dict[str, list[int]], *, repeatable: bool
    ) -> list[dict[str, Any]]:
        """Look objects up."""
        assert 1 <= len(body["ids"]) <= 2
        assert repeatable
        self.lookups.append(body["ids"])
        return [{"actionId": at, "description": f"{path} {at}"} for at in body["ids"]]


def test_a_changed_play_isn_t_continued(tmp_path: Path) -> None:
    """An import goes on with the play and the user it began with; another is refused by name."""
    path = tmp_path / "play.import.json"
    plan = Plan({"title": "A"}, actions=["One."])
    begun = new_state(plan, 1)
    begun.created["scripts"] = Created(identifiers={0: 4})
    save_state(path, begun)
    assert find_state(path, plan, 1) == begun
    for other, user in ((Plan({"title": "A"}, actions=["Two."]), 1), (plan, 2)):
        with pytest.raises(CommandError, match="isn't what it was when its import began"):
            find_state(path, other, user)


async def test_an_export_asks_for_all_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lookup has a limit, so a long play takes several; nothing beyond the first is lost."""
    monkeypatch.setattr(exporting, "MAX_IDS_PER_LOOKUP", 2)
    service = Asked([{"actionId": number} for number in (1, 2, 3, 2, 4, 5)])
    services: Any = type(
        "Services", (), dict.fromkeys(("scripts", "characters", "sessions"), service)
    )
    stored = await exporting.fetch(services, 1)
    assert stored.actions == {number: f"/actions/lookup {number}" for number in range(1, 6)}
    assert service.lookups == [[1, 2], [3, 4], [5]]
