from typing import Any

from fountain.screenplay.reconstruction import Stored
from fountain.transfer.services import Service, Services

MAX_IDS_PER_LOOKUP = 5000
_FIELDS = ("title", "author", "description")


async def fetch(services: Services, script: int) -> Stored:
    """Return a script with all that it refers to.

    Raises `CommandError` when there is no such script, or a service can't be used.
    """
    structure = await services.scripts.get(f"/scripts/{script}/structure")
    elements: list[dict[str, Any]] = structure["elements"]

    async def look_up(
        service: Service, kind: str, reference: str, identifier: str
    ) -> list[tuple[int, dict[str, Any]]]:
        ids = list(dict.fromkeys(item[reference] for item in elements if reference in item))
        answers: list[dict[str, Any]] = []
        for start in range(0, len(ids), MAX_IDS_PER_LOOKUP):
            part = {"ids": ids[start : start + MAX_IDS_PER_LOOKUP]}
            answers += await service.post(f"/{kind}/lookup", part, repeatable=True)
        return [(answer[identifier], answer) for answer in answers]

    people = await look_up(services.characters, "characters", "characterId", "characterId")
    actions = await look_up(services.characters, "actions", "actionId", "actionId")
    words = await look_up(services.characters, "spokenWords", "spokenWordId", "dialogueId")
    sessions = await look_up(services.sessions, "sessions", "contextId", "sessionId")
    return Stored(
        script={name: structure["script"][name] for name in _FIELDS if name in structure["script"]},
        sections=[(item["headingId"], item["title"]) for item in structure["sections"]],
        elements=elements,
        characters={at: (person["name"], person["description"]) for at, person in people},
        actions={at: action["description"] for at, action in actions},
        spoken_words={at: word["text"] for at, word in words},
        contexts={at: session.get("context", "") for at, session in sessions},
    )
