"""A play is brought to the services, in the order in which things refer to each other."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bedplate.cli.exceptions import CommandError
from fountain.screenplay.plan import Placement, Plan
from fountain.transfer.creation import Body, Kind, Making
from fountain.transfer.services import Refused, Services
from fountain.transfer.state import Made, State, load_state, save_state

Advance = Callable[[int], None]
_REFERENCES = ("headingId", "characterId", "actionId", "spokenWordId", "contextId")
_NOT_FOUND = 404


def steps(plan: Plan) -> int:
    """Return how many things a plan is of."""
    lists: tuple[Sequence[object], ...] = (
        plan.characters,
        plan.contexts,
        plan.headings,
        plan.actions,
        plan.spoken_words,
        plan.placements,
    )
    return 1 + sum(map(len, lists))


def find_state(path: Path, plan: Plan, user: int) -> State:
    """Return how far the import of this plan has come. Raises `CommandError`."""
    play = _digest(plan, user)
    state = load_state(path)
    if state is not None and state.play != play:
        raise CommandError(
            f"The play isn't what it was when its import began ({path}): give --again to import "
            "it anew, as another script."
        )
    return state or State(play=play)


def new_state(plan: Plan, user: int) -> State:
    """Return the state of an import that begins."""
    return State(play=_digest(plan, user))


def _digest(plan: Plan, user: int) -> str:
    content = json.dumps([asdict(plan), user], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


class Import:
    """One import: a plan, where its state lies, and the services.

    `user` is the owner of the sessions that hold the contexts.
    """

    def __init__(
        self,
        services: Services,
        plan: Plan,
        *,
        user: int,
        state: State,
        path: Path,
        advance: Advance,
    ) -> None:
        self._services = services
        self._plan = plan
        self._user = user
        self._state = state
        self._path = path
        self._advance = advance

    async def run(self) -> int:
        """Make everything that isn't made yet; return the script's identifier.

        Raises `CommandError`: what is made is kept, and another run goes on from there.
        """
        await self._check_script()
        plan, characters = self._plan, self._services.characters
        (script,) = await self._make(_scripts(self._services), [plan.script])
        people = [{"name": name, "description": text} for name, text in plan.characters]
        sessions = [{"userId": self._user, "context": text} for text in plan.contexts]
        headings = Kind(
            "headings",
            self._services.scripts,
            f"/scripts/{script}/sections",
            "headingId",
            ("title",),
            in_order=True,
            own=True,
        )
        texts = ("actions", "actionId", "description"), ("spokenWords", "dialogueId", "text")
        made = [
            await self._make(headings, [{"title": title} for title in plan.headings]),
            await self._make(_characters(self._services), people),
        ]
        for (name, identifier, member), items in zip(
            texts, (plan.actions, plan.spoken_words), strict=True
        ):
            kind = Kind(name, characters, f"/{name}", identifier, (member,))
            made.append(await self._make(kind, [{member: item} for item in items]))
        made.append(await self._make(_sessions(self._services), sessions))
        elements = [_element(placement, made) for placement in plan.placements]
        await self._make(_elements(self._services, script), elements)
        return script

    async def _check_script(self) -> None:
        """Begin anew when the script that was being made is gone from the server."""
        begun = self._state.made.get("scripts", Made()).identifiers.get(0)
        if begun is None:
            return
        try:
            there = await self._services.scripts.get(f"/scripts/{begun}")
        except Refused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            self._state.made.clear()
            return
        if any(there.get(name) != value for name, value in self._plan.script.items()):
            raise CommandError(
                f"Script {begun} isn't this play any more: give --again to import it anew."
            )

    async def _make(self, kind: Kind, bodies: Sequence[Body]) -> list[int]:
        def save(made: Made) -> None:
            self._state.made[kind.name] = made
            save_state(self._path, self._state)

        made = self._state.made.get(kind.name)
        return await Making(kind, bodies, made, save, self._advance).run()


def _scripts(services: Services) -> Kind:
    members = ("title", "author", "description")
    return Kind("scripts", services.scripts, "/scripts", "scriptId", members)


def _characters(services: Services) -> Kind:
    members = ("name", "description")
    return Kind(
        "characters", services.characters, "/characters", "characterId", members, in_order=True
    )


def _sessions(services: Services) -> Kind:
    return Kind("sessions", services.sessions, "/sessions", "sessionId", ("userId", "context"))


def _elements(services: Services, script: int) -> Kind:
    path = f"/scripts/{script}/elements"
    return Kind(
        "elements", services.scripts, path, "elementId", _REFERENCES, in_order=True, own=True
    )


def _element(placement: Placement, made: Sequence[Sequence[int]]) -> dict[str, Any]:
    indexes = (
        placement.heading,
        placement.character,
        placement.action,
        placement.spoken_word,
        placement.context,
    )
    return {
        name: identifiers[index]
        for name, identifiers, index in zip(_REFERENCES, made, indexes, strict=True)
        if index is not None
    }
