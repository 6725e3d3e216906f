from pydantic import SecretStr

from bedplate.settings import embedded_database
from fountain.common.settings import NumberedServiceSettings


class ScriptsSettings(NumberedServiceSettings, env_prefix="SCRIPTS_"):
    """Settings of the script service; their variables begin with `SCRIPTS_`."""

    database_url: SecretStr = embedded_database("scripts")
