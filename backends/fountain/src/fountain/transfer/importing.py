"""Imports a play: creates its parts at the services, first those that others refer to."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from bedplate.cli.exceptions import CommandError
from fountain.screenplay.plan import Placement, Plan
from fountain.transfer.creation import Body, Creation, Kind
from fountain.transfer.services import ServiceRefused, Services
from fountain.transfer.state import Created, ImportState, load_state, save_state

_REFERENCES = ("headingId", "characterId", "actionId", "spokenWordId", "contextId")
_PERSON = ("name", "description")
_SESSION = ("userId", "context")


def count_steps(plan: Plan) -> int:
    """Return how many resources an import creates."""
    texts = len(plan.headings) + len(plan.actions) + len(plan.spoken_words) + len(plan.contexts)
    return 1 + len(plan.characters) + texts + len(plan.placements)


def find_state(path: Path, plan: Plan, user: int) -> ImportState:
    """Return the state of this plan's import, a new one if there is none. Raises `CommandError`."""
    fresh = new_state(plan, user)
    state = load_state(path)
    if state is not None and state.play != fresh.play:
        raise CommandError(
            f"The play isn't what it was when its import began ({path}): give --again to import "
            "it anew, as another script."
        )
    return state or fresh


def new_state(plan: Plan, user: int) -> ImportState:
    """Return the state of an import that begins."""
    content = json.dumps([asdict(plan), user], sort_keys=True)
    return ImportState(play=hashlib.sha256(content.encode()).hexdigest())


@dataclass(frozen=True)
class PlayImport:
    """One import.

    user         owner of the sessions that hold the contexts
    path         file of the state
    on_progress  receives the number of further resources that exist
    """

    services: Services
    plan: Plan
    user: int
    state: ImportState
    path: Path
    on_progress: Callable[[int], None]

    async def run(self) -> int:
        """Create everything that is missing; return the script's identifier.

        Raises `CommandError`: what exists is saved, and another run continues from there.
        """
        await self._check_script()
        plan, scripts, characters = self.plan, self.services.scripts, self.services.characters

        def part(name: str, path: str, identifier: str, *members: str) -> Kind:
            path = f"/scripts/{script}/{path}"
            return Kind(name, scripts, path, identifier, members, in_order=True, own=True)

        kind = Kind("scripts", scripts, "/scripts", "scriptId", ("title", "author", "description"))
        (script,) = await self._create(kind, [plan.script])
        headings = part("headings", "sections", "headingId", "title")
        people = Kind(
            "characters", characters, "/characters", "characterId", _PERSON, in_order=True
        )
        actions = Kind("actions", characters, "/actions", "actionId", ("description",))
        words = Kind("spokenWords", characters, "/spokenWords", "dialogueId", ("text",))
        sessions = Kind("sessions", self.services.sessions, "/sessions", "sessionId", _SESSION)
        identifiers = [
            await self._create(headings, [{"title": title} for title in plan.headings]),
            await self._create(
                people, [{"name": name, "description": text} for name, text in plan.characters]
            ),
            await self._create(actions, [{"description": text} for text in plan.actions]),
            await self._create(words, [{"text": text} for text in plan.spoken_words]),
            await self._create(
                sessions, [{"userId": self.user, "context": text} for text in plan.contexts]
            ),
        ]
        elements = part("elements", "elements", "elementId", *_REFERENCES)
        await self._create(elements, [_element(place, identifiers) for place in plan.placements])
        return script

    async def _check_script(self) -> None:
        """Begin anew if the script of an earlier run is gone; raise if it is another by now."""
        script = self.state.created.get("scripts", Created()).identifiers.get(0)
        if script is None:
            return
        try:
            fields = await self.services.scripts.get(f"/scripts/{script}")
        except ServiceRefused as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise
            self.state.created.clear()
            return
        if any(fields.get(name) != value for name, value in self.plan.script.items()):
            raise CommandError(
                f"Script {script} isn't this play any more: give --again to import it anew."
            )

    async def _create(self, kind: Kind, bodies: Sequence[Body]) -> list[int]:
        resumed = kind.name in self.state.created
        created = self.state.created.get(kind.name, Created())

        def save() -> None:
            self.state.created[kind.name] = created
            save_state(self.path, self.state)

        return await Creation(kind, bodies, created, resumed, save, self.on_progress).run()


def _element(placement: Placement, identifiers: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Return the body of an element; `identifiers` are in the order of `_REFERENCES`."""
    return {
        name: of_kind[index]
        for name, of_kind, index in zip(_REFERENCES, identifiers, astuple(placement), strict=True)
        if index is not None
    }
