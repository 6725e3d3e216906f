from pydantic import SecretStr

from bedplate.settings import DatabaseSettings, embedded_database


class CentralSequenceSettings(DatabaseSettings, env_prefix="CENTRAL_SEQUENCE_"):
    """Settings of the sequence service; their variables begin with `CENTRAL_SEQUENCE_`."""

    database_url: SecretStr = embedded_database("central-sequence")
