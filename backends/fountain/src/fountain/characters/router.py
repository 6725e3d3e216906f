"""The operations of the contract. No SQL, no rules."""

from bedplate.contracts import Operations
from bedplate.database import Row
from bedplate.database.dependencies import ReadSession, WriteSession
from fountain.characters import repository, service
from fountain.characters.dependencies import ActionId, CharacterId, ParaphraseId, SpokenWordId
from fountain.characters.repository import ACTIONS, CHARACTERS, SPOKEN_WORDS
from fountain.characters.schemas import (
    Action,
    ActionCreateRequest,
    Character,
    CharacterCreateRequest,
    LookupRequest,
    Paraphrase,
    ParaphraseCreateRequest,
    SpokenWord,
    SpokenWordCreateRequest,
)
from fountain.listing import listed

operations = Operations()


def _character(row: Row) -> Character:
    return Character(character_id=row["id"], name=row["name"], description=row["description"])


def _action(row: Row) -> Action:
    return Action(action_id=row["id"], description=row["description"])


def _spoken_word(row: Row) -> SpokenWord:
    return SpokenWord(dialogue_id=row["id"], text=row["text"])


def _paraphrase(row: Row) -> Paraphrase:
    return Paraphrase(
        paraphrase_id=row["id"],
        original_id=row["original_id"],
        text=row["text"],
        commentary=row["commentary"],
    )


@operations.handles("listCharacters")
async def list_characters(session: ReadSession) -> list[Character]:
    """Return every character."""
    return await listed(repository.everything(session, CHARACTERS), _character)


@operations.handles("createCharacter")
async def create_character(new: CharacterCreateRequest, session: WriteSession) -> Character:
    """Store a character."""
    return _character(
        await repository.add(session, CHARACTERS, name=new.name, description=new.description)
    )


@operations.handles("getCharacter")
async def get_character(identifier: CharacterId, session: ReadSession) -> Character:
    """Return one character."""
    return _character(await service.get(session, CHARACTERS, identifier))


@operations.handles("lookUpCharacters")
async def look_up_characters(wanted: LookupRequest, session: ReadSession) -> list[Character]:
    """Return several characters."""
    return [_character(row) for row in await service.several(session, CHARACTERS, wanted.ids)]


@operations.handles("listCharacterParaphrases")
async def list_character_paraphrases(
    identifier: CharacterId, session: ReadSession
) -> list[Paraphrase]:
    """Return every paraphrase of a character."""
    return await listed(await service.paraphrases(session, CHARACTERS, identifier), _paraphrase)


@operations.handles("getCharacterParaphrase")
async def get_character_paraphrase(
    identifier: CharacterId, paraphrase_id: ParaphraseId, session: ReadSession
) -> Paraphrase:
    """Return one paraphrase of a character."""
    return _paraphrase(await service.get_paraphrase(session, CHARACTERS, identifier, paraphrase_id))


@operations.handles("createCharacterParaphrase")
async def create_character_paraphrase(
    identifier: CharacterId, new: ParaphraseCreateRequest, session: WriteSession
) -> Paraphrase:
    """Store a paraphrase of a character."""
    return _paraphrase(await service.paraphrase(session, CHARACTERS, identifier, new))


@operations.handles("listActions")
async def list_actions(session: ReadSession) -> list[Action]:
    """Return every action."""
    return await listed(repository.everything(session, ACTIONS), _action)


@operations.handles("createAction")
async def create_action(new: ActionCreateRequest, session: WriteSession) -> Action:
    """Store an action."""
    return _action(await repository.add(session, ACTIONS, description=new.description))


@operations.handles("getAction")
async def get_action(identifier: ActionId, session: ReadSession) -> Action:
    """Return one action."""
    return _action(await service.get(session, ACTIONS, identifier))


@operations.handles("lookUpActions")
async def look_up_actions(wanted: LookupRequest, session: ReadSession) -> list[Action]:
    """Return several actions."""
    return [_action(row) for row in await service.several(session, ACTIONS, wanted.ids)]


@operations.handles("listActionParaphrases")
async def list_action_paraphrases(identifier: ActionId, session: ReadSession) -> list[Paraphrase]:
    """Return every paraphrase of an action."""
    return await listed(await service.paraphrases(session, ACTIONS, identifier), _paraphrase)


@operations.handles("getActionParaphrase")
async def get_action_paraphrase(
    identifier: ActionId, paraphrase_id: ParaphraseId, session: ReadSession
) -> Paraphrase:
    """Return one paraphrase of an action."""
    return _paraphrase(await service.get_paraphrase(session, ACTIONS, identifier, paraphrase_id))


@operations.handles("createActionParaphrase")
async def create_action_paraphrase(
    identifier: ActionId, new: ParaphraseCreateRequest, session: WriteSession
) -> Paraphrase:
    """Store a paraphrase of an action."""
    return _paraphrase(await service.paraphrase(session, ACTIONS, identifier, new))


@operations.handles("listSpokenWords")
async def list_spoken_words(session: ReadSession) -> list[SpokenWord]:
    """Return every spoken word."""
    return await listed(repository.everything(session, SPOKEN_WORDS), _spoken_word)


@operations.handles("createSpokenWord")
async def create_spoken_word(new: SpokenWordCreateRequest, session: WriteSession) -> SpokenWord:
    """Store a spoken word."""
    return _spoken_word(await repository.add(session, SPOKEN_WORDS, text=new.text))


@operations.handles("getSpokenWord")
async def get_spoken_word(identifier: SpokenWordId, session: ReadSession) -> SpokenWord:
    """Return one spoken word."""
    return _spoken_word(await service.get(session, SPOKEN_WORDS, identifier))


@operations.handles("lookUpSpokenWords")
async def look_up_spoken_words(wanted: LookupRequest, session: ReadSession) -> list[SpokenWord]:
    """Return several spoken words."""
    return [_spoken_word(row) for row in await service.several(session, SPOKEN_WORDS, wanted.ids)]


@operations.handles("listSpokenWordParaphrases")
async def list_spoken_word_paraphrases(
    identifier: SpokenWordId, session: ReadSession
) -> list[Paraphrase]:
    """Return every paraphrase of a spoken word."""
    return await listed(await service.paraphrases(session, SPOKEN_WORDS, identifier), _paraphrase)


@operations.handles("getSpokenWordParaphrase")
async def get_spoken_word_paraphrase(
    identifier: SpokenWordId, paraphrase_id: ParaphraseId, session: ReadSession
) -> Paraphrase:
    """Return one paraphrase of a spoken word."""
    return _paraphrase(
        await service.get_paraphrase(session, SPOKEN_WORDS, identifier, paraphrase_id)
    )


@operations.handles("createSpokenWordParaphrase")
async def create_spoken_word_paraphrase(
    identifier: SpokenWordId, new: ParaphraseCreateRequest, session: WriteSession
) -> Paraphrase:
    """Store a paraphrase of a spoken word."""
    return _paraphrase(await service.paraphrase(session, SPOKEN_WORDS, identifier, new))
