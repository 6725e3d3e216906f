from pydantic import SecretStr

from bedplate.settings import embedded_database
from fountain.common.settings import NumberedServiceSettings


class SessionContextSettings(NumberedServiceSettings, env_prefix="SESSION_CONTEXT_"):
    """Settings of the session service; their variables begin with `SESSION_CONTEXT_`."""

    database_url: SecretStr = embedded_database("session-context")
