from pydantic import Field
from pydantic_settings import SettingsConfigDict

from bedplate.settings import Settings, WebURL


class StoryFactorySettings(Settings):
    """Settings of the Story Factory; their variables begin with `STORY_FACTORY_`."""

    model_config = SettingsConfigDict(env_prefix="STORY_FACTORY_")

    scripts_url: WebURL | None = Field(
        None, description="Where the scripts are; not needed when they run in this process"
    )
    characters_url: WebURL | None = Field(
        None, description="Where the characters are; not needed when they run in this process"
    )
    sessions_url: WebURL | None = Field(
        None, description="Where session-context is; not needed when it runs in this process"
    )
    # Two phases of two attempts stay below the time of a request.
    client_timeout_seconds: float = Field(
        5.0, gt=0, le=600, description="Seconds for one attempt at another service"
    )
    client_attempts: int = Field(
        2, ge=1, le=10, description="How often another service is asked before a 503"
    )
