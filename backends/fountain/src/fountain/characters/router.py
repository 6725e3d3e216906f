from typing import Annotated, Any

from fastapi import Path

from bedplate.contracts import Operations, ParameterInteger64
from bedplate.database import Row
from bedplate.database.dependencies import Autocommit, ReadSession
from fountain.characters import repository, schemas, service
from fountain.characters.repository import ACTIONS, CHARACTERS, SPOKEN_WORDS, Kind
from fountain.common.router import json_array, known_rows

operations = Operations()
CharacterId = Annotated[ParameterInteger64, Path(alias="characterId")]
ActionId = Annotated[ParameterInteger64, Path(alias="actionId")]
SpokenWordId = Annotated[ParameterInteger64, Path(alias="spokenWordId")]
ParaphraseId = Annotated[ParameterInteger64, Path(alias="paraphraseId")]


def _character(row: Row) -> dict[str, Any]:
    return {"characterId": row["id"], "name": row["name"], "description": row["description"]}


def _action(row: Row) -> dict[str, Any]:
    return {"actionId": row["id"], "description": row["description"]}


def _spoken_word(row: Row) -> dict[str, Any]:
    return {"dialogueId": row["id"], "text": row["text"]}


def to_character(row: Row) -> schemas.Character:
    """Return the response for a character."""
    return schemas.Character(**_character(row))


def to_action(row: Row) -> schemas.Action:
    """Return the response for an action."""
    return schemas.Action(**_action(row))


def to_spoken_word(row: Row) -> schemas.SpokenWord:
    """Return the response for a spoken word."""
    return schemas.SpokenWord(**_spoken_word(row))


def to_paraphrase(row: Row) -> schemas.Paraphrase:
    """Return the response for a paraphrase."""
    return schemas.Paraphrase(
        paraphrase_id=row["id"],
        original_id=row["original_id"],
        text=row["text"],
        commentary=row["commentary"],
    )


@operations.handles("listCharacters")
async def list_characters(session: ReadSession) -> list[schemas.Character]:
    """Return all characters."""
    return await json_array(repository.originals(session, CHARACTERS), to_character)


@operations.handles("createCharacter")
async def create_character(
    new: schemas.CharacterCreateRequest, session: Autocommit
) -> schemas.Character:
    """Store a character."""
    return to_character(
        await repository.add(session, CHARACTERS, name=new.name, description=new.description)
    )


@operations.handles("getCharacter")
async def get_character(identifier: CharacterId, session: ReadSession) -> schemas.Character:
    """Return one character."""
    return to_character(await service.get(session, CHARACTERS, identifier))


@operations.handles("lookUpCharacters")
async def look_up_characters(
    request: schemas.LookupRequest, session: ReadSession
) -> list[schemas.Character]:
    """Return several characters."""
    rows = await repository.look_up(session, CHARACTERS, request.ids)
    response: list[schemas.Character] = await known_rows(rows, _character)
    return response


@operations.handles("listActions")
async def list_actions(session: ReadSession) -> list[schemas.Action]:
    """Return all actions."""
    return await json_array(repository.originals(session, ACTIONS), to_action)


@operations.handles("createAction")
async def create_action(new: schemas.ActionCreateRequest, session: Autocommit) -> schemas.Action:
    """Store an action."""
    return to_action(await repository.add(session, ACTIONS, description=new.description))


@operations.handles("getAction")
async def get_action(identifier: ActionId, session: ReadSession) -> schemas.Action:
    """Return one action."""
    return to_action(await service.get(session, ACTIONS, identifier))


@operations.handles("lookUpActions")
async def look_up_actions(
    request: schemas.LookupRequest, session: ReadSession
) -> list[schemas.Action]:
    """Return several actions."""
    rows = await repository.look_up(session, ACTIONS, request.ids)
    response: list[schemas.Action] = await known_rows(rows, _action)
    return response


@operations.handles("listSpokenWords")
async def list_spoken_words(session: ReadSession) -> list[schemas.SpokenWord]:
    """Return all spoken words."""
    return await json_array(repository.originals(session, SPOKEN_WORDS), to_spoken_word)


@operations.handles("createSpokenWord")
async def create_spoken_word(
    new: schemas.SpokenWordCreateRequest, session: Autocommit
) -> schemas.SpokenWord:
    """Store a spoken word."""
    return to_spoken_word(await repository.add(session, SPOKEN_WORDS, text=new.text))


@operations.handles("getSpokenWord")
async def get_spoken_word(identifier: SpokenWordId, session: ReadSession) -> schemas.SpokenWord:
    """Return one spoken word."""
    return to_spoken_word(await service.get(session, SPOKEN_WORDS, identifier))


@operations.handles("lookUpSpokenWords")
async def look_up_spoken_words(
    request: schemas.LookupRequest, session: ReadSession
) -> list[schemas.SpokenWord]:
    """Return several spoken words."""
    rows = await repository.look_up(session, SPOKEN_WORDS, request.ids)
    response: list[schemas.SpokenWord] = await known_rows(rows, _spoken_word)
    return response


def _handle_paraphrases(kind: Kind, name: str, alias: str) -> None:
    """Handle the operations on paraphrases of a kind, such as `listCharacterParaphrases`."""
    path = Path(alias=alias)

    @operations.handles(f"list{name}Paraphrases")
    async def list_paraphrases(
        original_id: Annotated[ParameterInteger64, path], session: ReadSession
    ) -> list[schemas.Paraphrase]:
        """Return all paraphrases of an original."""
        parts = await service.paraphrases(session, kind, original_id)
        return await json_array(parts, to_paraphrase)

    @operations.handles(f"get{name}Paraphrase")
    async def get_paraphrase(
        original_id: Annotated[ParameterInteger64, path],
        paraphrase_id: ParaphraseId,
        session: ReadSession,
    ) -> schemas.Paraphrase:
        """Return one paraphrase of an original."""
        row = await service.get_paraphrase(session, kind, original_id, paraphrase_id)
        return to_paraphrase(row)

    @operations.handles(f"create{name}Paraphrase")
    async def create_paraphrase(
        original_id: Annotated[ParameterInteger64, path],
        new: schemas.ParaphraseCreateRequest,
        session: Autocommit,
    ) -> schemas.Paraphrase:
        """Store a paraphrase of an original."""
        return to_paraphrase(await service.add_paraphrase(session, kind, original_id, new))


_handle_paraphrases(CHARACTERS, "Character", "characterId")
_handle_paraphrases(ACTIONS, "Action", "actionId")
_handle_paraphrases(SPOKEN_WORDS, "SpokenWord", "spokenWordId")
