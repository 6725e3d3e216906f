"""Names of players, which become part of commands."""

import pytest
from pydantic import TypeAdapter, ValidationError

from gameserver.players.schemas import PlayerName

NAMES: TypeAdapter[str] = TypeAdapter(PlayerName)


@pytest.mark.parametrize("name", ["Uraka", "a-b_9", "Ёж", "x" * 16])
def test_names_pass(name: str) -> None:
    """Names are letters, digits, _ and -, at most 16."""
    assert NAMES.validate_python(name) == name


@pytest.mark.parametrize("name", ["", "x" * 17, "a b", "o[]", "a\n", "a/b", "a;b", "'", "a.b"])
def test_other_names_are_refused(name: str) -> None:
    """What the game wouldn't take as one word of a name is refused."""
    with pytest.raises(ValidationError):
        NAMES.validate_python(name)
