"""The character service: characters, actions, spoken words, paraphrases. Start reading here."""

from pathlib import Path

from bedplate.backend import Backend
from bedplate.contracts import message_policy
from fountain.characters.models import Base
from fountain.characters.router import operations
from fountain.characters.settings import CharactersSettings
from fountain.common.contracts import bind_contract

_HERE = Path(__file__).parent

backend = Backend(
    name="characters",
    title="Character Management",
    summary="Keeps characters, what they do, what they say, and paraphrases of these.",
    settings=CharactersSettings,
    metadata=Base.metadata,
    migrations=_HERE / "migrations" / "versions",
    problems=message_policy(),
    contract=bind_contract("character_management_api", operations, _HERE / "schemas.py"),
)
