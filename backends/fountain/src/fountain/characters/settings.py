from pydantic import SecretStr

from bedplate.settings import DatabaseSettings, embedded_database


class CharactersSettings(DatabaseSettings, env_prefix="CHARACTERS_"):
    """Settings of the character service; their variables begin with `CHARACTERS_`."""

    database_url: SecretStr = embedded_database("characters")
