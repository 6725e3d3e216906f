from bedplate.database import Row
from fountain.characters.schemas import Action, Character, Paraphrase, SpokenWord


def to_character(row: Row) -> Character:
    """Return the response for a character."""
    return Character(character_id=row["id"], name=row["name"], description=row["description"])


def to_action(row: Row) -> Action:
    """Return the response for an action."""
    return Action(action_id=row["id"], description=row["description"])


def to_spoken_word(row: Row) -> SpokenWord:
    """Return the response for a spoken word."""
    return SpokenWord(dialogue_id=row["id"], text=row["text"])


def to_paraphrase(row: Row) -> Paraphrase:
    """Return the response for a paraphrase."""
    return Paraphrase(
        paraphrase_id=row["id"],
        original_id=row["original_id"],
        text=row["text"],
        commentary=row["commentary"],
    )
