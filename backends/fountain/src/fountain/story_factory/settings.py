from pydantic import Field

from bedplate.settings import Settings, WebURL


class StoryFactorySettings(Settings, env_prefix="STORY_FACTORY_"):
    """Settings of the Story Factory; their variables begin with `STORY_FACTORY_`."""

    scripts_url: WebURL | None = Field(
        None, description="URL of scripts; unset when it runs in this process"
    )
    characters_url: WebURL | None = Field(
        None, description="URL of characters; unset when it runs in this process"
    )
    sessions_url: WebURL | None = Field(
        None, description="URL of session-context; unset when it runs in this process"
    )
    # Two phases of two attempts take less than the time limit of a request.
    client_timeout_seconds: float = Field(
        5.0, gt=0, le=600, description="Seconds for one attempt to call another service"
    )
    client_attempts: int = Field(
        2, ge=1, le=10, description="Attempts to call another service before a 503"
    )
