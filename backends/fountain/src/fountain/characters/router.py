from bedplate.contracts import Operations
from bedplate.database.dependencies import Autocommit, ReadSession
from fountain.characters import schemas, service
from fountain.characters.repository import ACTIONS, CHARACTERS, SPOKEN_WORDS
from fountain.characters.serializers import (
    to_action,
    to_character,
    to_paraphrase,
    to_spoken_word,
)
from fountain.characters.wiring import ActionId, CharacterId, ParaphraseId, SpokenWordId
from fountain.common.router import json_array

operations = Operations()


@operations.handles("listCharacters")
async def list_characters(session: ReadSession) -> list[schemas.Character]:
    """Return all characters."""
    return await json_array(service.originals(session, CHARACTERS), to_character)


@operations.handles("createCharacter")
async def create_character(
    new: schemas.CharacterCreateRequest, session: Autocommit
) -> schemas.Character:
    """Store a character."""
    return to_character(
        await service.add(session, CHARACTERS, name=new.name, description=new.description)
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
    return [to_character(row) for row in await service.look_up(session, CHARACTERS, request.ids)]


@operations.handles("listCharacterParaphrases")
async def list_character_paraphrases(
    identifier: CharacterId, session: ReadSession
) -> list[schemas.Paraphrase]:
    """Return all paraphrases of a character."""
    parts = await service.paraphrases(session, CHARACTERS, identifier)
    return await json_array(parts, to_paraphrase)


@operations.handles("getCharacterParaphrase")
async def get_character_paraphrase(
    identifier: CharacterId, paraphrase_id: ParaphraseId, session: ReadSession
) -> schemas.Paraphrase:
    """Return one paraphrase of a character."""
    row = await service.get_paraphrase(session, CHARACTERS, identifier, paraphrase_id)
    return to_paraphrase(row)


@operations.handles("createCharacterParaphrase")
async def create_character_paraphrase(
    identifier: CharacterId, new: schemas.ParaphraseCreateRequest, session: Autocommit
) -> schemas.Paraphrase:
    """Store a paraphrase of a character."""
    return to_paraphrase(await service.add_paraphrase(session, CHARACTERS, identifier, new))


@operations.handles("listActions")
async def list_actions(session: ReadSession) -> list[schemas.Action]:
    """Return all actions."""
    return await json_array(service.originals(session, ACTIONS), to_action)


@operations.handles("createAction")
async def create_action(new: schemas.ActionCreateRequest, session: Autocommit) -> schemas.Action:
    """Store an action."""
    return to_action(await service.add(session, ACTIONS, description=new.description))


@operations.handles("getAction")
async def get_action(identifier: ActionId, session: ReadSession) -> schemas.Action:
    """Return one action."""
    return to_action(await service.get(session, ACTIONS, identifier))


@operations.handles("lookUpActions")
async def look_up_actions(
    request: schemas.LookupRequest, session: ReadSession
) -> list[schemas.Action]:
    """Return several actions."""
    return [to_action(row) for row in await service.look_up(session, ACTIONS, request.ids)]


@operations.handles("listActionParaphrases")
async def list_action_paraphrases(
    identifier: ActionId, session: ReadSession
) -> list[schemas.Paraphrase]:
    """Return all paraphrases of an action."""
    parts = await service.paraphrases(session, ACTIONS, identifier)
    return await json_array(parts, to_paraphrase)


@operations.handles("getActionParaphrase")
async def get_action_paraphrase(
    identifier: ActionId, paraphrase_id: ParaphraseId, session: ReadSession
) -> schemas.Paraphrase:
    """Return one paraphrase of an action."""
    row = await service.get_paraphrase(session, ACTIONS, identifier, paraphrase_id)
    return to_paraphrase(row)


@operations.handles("createActionParaphrase")
async def create_action_paraphrase(
    identifier: ActionId, new: schemas.ParaphraseCreateRequest, session: Autocommit
) -> schemas.Paraphrase:
    """Store a paraphrase of an action."""
    return to_paraphrase(await service.add_paraphrase(session, ACTIONS, identifier, new))


@operations.handles("listSpokenWords")
async def list_spoken_words(session: ReadSession) -> list[schemas.SpokenWord]:
    """Return all spoken words."""
    return await json_array(service.originals(session, SPOKEN_WORDS), to_spoken_word)


@operations.handles("createSpokenWord")
async def create_spoken_word(
    new: schemas.SpokenWordCreateRequest, session: Autocommit
) -> schemas.SpokenWord:
    """Store a spoken word."""
    return to_spoken_word(await service.add(session, SPOKEN_WORDS, text=new.text))


@operations.handles("getSpokenWord")
async def get_spoken_word(identifier: SpokenWordId, session: ReadSession) -> schemas.SpokenWord:
    """Return one spoken word."""
    return to_spoken_word(await service.get(session, SPOKEN_WORDS, identifier))


@operations.handles("lookUpSpokenWords")
async def look_up_spoken_words(
    request: schemas.LookupRequest, session: ReadSession
) -> list[schemas.SpokenWord]:
    """Return several spoken words."""
    rows = await service.look_up(session, SPOKEN_WORDS, request.ids)
    return [to_spoken_word(row) for row in rows]


@operations.handles("listSpokenWordParaphrases")
async def list_spoken_word_paraphrases(
    identifier: SpokenWordId, session: ReadSession
) -> list[schemas.Paraphrase]:
    """Return all paraphrases of a spoken word."""
    parts = await service.paraphrases(session, SPOKEN_WORDS, identifier)
    return await json_array(parts, to_paraphrase)


@operations.handles("getSpokenWordParaphrase")
async def get_spoken_word_paraphrase(
    identifier: SpokenWordId, paraphrase_id: ParaphraseId, session: ReadSession
) -> schemas.Paraphrase:
    """Return one paraphrase of a spoken word."""
    row = await service.get_paraphrase(session, SPOKEN_WORDS, identifier, paraphrase_id)
    return to_paraphrase(row)


@operations.handles("createSpokenWordParaphrase")
async def create_spoken_word_paraphrase(
    identifier: SpokenWordId, new: schemas.ParaphraseCreateRequest, session: Autocommit
) -> schemas.Paraphrase:
    """Store a paraphrase of a spoken word."""
    return to_paraphrase(await service.add_paraphrase(session, SPOKEN_WORDS, identifier, new))
