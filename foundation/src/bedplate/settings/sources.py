import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
)

from bedplate.settings.values import SettingsError

SECRETS_DIRECTORY = "BEDPLATE_SECRETS_DIR"
"""Names the directory whose files are settings: file `tasks_database_url` or `database_url`."""


class SecretFilesSource(SecretsSettingsSource):
    """The secrets directory; an empty file sets nothing, like an empty variable."""

    def __call__(self) -> dict[str, Any]:
        """Return the fields that a file sets."""
        values = super().__call__().items()
        return {name: value for name, value in values if value is not None and value != ""}


def sources_of(
    settings_class: type[BaseSettings], shared: frozenset[str], env_file: Any
) -> Iterator[tuple[str, PydanticBaseSettingsSource]]:
    """Yield the sources in order of precedence, each after its name in `bedplate settings`.

    They are the environment, `.env` and the secrets directory. In each of them a variable with the
    prefix precedes the shared one. Raises `SettingsError` when the secrets directory doesn't exist.
    """
    directory: Any = os.environ.get(SECRETS_DIRECTORY)
    if directory and not Path(directory).is_dir():
        raise SettingsError(f"{SECRETS_DIRECTORY} must name an existing directory.")
    directory = directory or settings_class.model_config.get("secrets_dir")
    for label, source, options in (
        ("environment", EnvSettingsSource, {}),
        (".env", DotEnvSettingsSource, {"env_file": env_file}),
        ("secrets directory", SecretFilesSource, {"secrets_dir": directory}),
    ):
        yield label, source(settings_class, **options)
        without_prefix = source(settings_class, env_prefix="", **options)().items()
        values = {name: value for name, value in without_prefix if name in shared}
        yield f"{label}, shared", InitSettingsSource(settings_class, values)
