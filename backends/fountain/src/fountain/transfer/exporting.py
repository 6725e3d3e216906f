"""A script is fetched from the services with all that it refers to."""

from collections.abc import Sequence
from typing import Any

from fountain.screenplay.reconstruction import Stored
from fountain.transfer.services import Service, Services

MAX_IDS_PER_LOOKUP = 5000
_FIELDS = ("title", "author", "description")


async def fetch(services: Services, script: int) -> Stored:
    """Return a script. Raises `CommandError` when there is none, or a service can't be used."""
    structure = await services.scripts.get(f"/scripts/{script}/structure")
    elements: list[dict[str, Any]] = structure["elements"]

    async def referred(
        service: Service, kind: str, reference: str, identifier: str
    ) -> list[tuple[int, dict[str, Any]]]:
        wanted = dict.fromkeys(one[reference] for one in elements if reference in one)
        found = await _look_up(service, f"/{kind}/lookup", list(wanted))
        return [(one[identifier], one) for one in found]

    people = await referred(services.characters, "characters", "characterId", "characterId")
    actions = await referred(services.characters, "actions", "actionId", "actionId")
    words = await referred(services.characters, "spokenWords", "spokenWordId", "dialogueId")
    sessions = await referred(services.sessions, "sessions", "contextId", "sessionId")
    return Stored(
        script={name: structure["script"][name] for name in _FIELDS if name in structure["script"]},
        sections=[(one["headingId"], one["title"]) for one in structure["sections"]],
        elements=elements,
        characters={at: (one["name"], one["description"]) for at, one in people},
        actions={at: one["description"] for at, one in actions},
        spoken_words={at: one["text"] for at, one in words},
        contexts={at: one.get("context", "") for at, one in sessions},
    )


async def _look_up(service: Service, path: str, wanted: Sequence[int]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for start in range(0, len(wanted), MAX_IDS_PER_LOOKUP):
        some = {"ids": list(wanted[start : start + MAX_IDS_PER_LOOKUP])}
        found += await service.post(path, some, repeatable=True)
    return found
