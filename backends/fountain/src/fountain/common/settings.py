"""Settings of the services that get numbers from the Central Sequence Service."""

from pydantic import Field

from bedplate.settings import DatabaseSettings, WebURL


class NumberedServiceSettings(DatabaseSettings):
    """Settings of a service that stores rows with a sequence number."""

    sequence_url: WebURL | None = Field(
        None, description="URL of the Central Sequence Service; unset when it runs in this process"
    )
    sequence_timeout_seconds: float = Field(
        3.0, gt=0, le=60, description="Seconds for each of three attempts to reach it"
    )
