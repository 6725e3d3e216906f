"""Settings of a process, whatever it serves: `BEDPLATE_PORT`, `BEDPLATE_WORKERS` and others."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from bedplate.runtime import Serving
from bedplate.settings import Settings

_MAX_PORT = 65535


class ProcessSettings(Settings):
    """Where and how a process serves; options of `bedplate run` come before the environment."""

    model_config = SettingsConfigDict(env_prefix="BEDPLATE_")

    host: str = Field("127.0.0.1", description="Address of the API; 0.0.0.0 for all")
    port: int = Field(8000, ge=0, le=_MAX_PORT, description="Port of the API; 0: a free one")
    operations_host: str = Field(
        "127.0.0.1", description="Address of metrics and health; 0.0.0.0 for all"
    )
    operations_port: int = Field(
        9090, ge=0, le=_MAX_PORT, description="Port of metrics and health; 0: a free one"
    )
    workers: int = Field(1, ge=1, le=256, description="Processes that serve")
    grace_seconds: float | None = Field(
        None,
        ge=0,
        le=600,
        description="From SIGTERM until the listener closes; 5 in production, else 0",
    )
    deadline_seconds: float = Field(
        30.0, gt=0, le=3600, description="Seconds from the end of the grace until the rest is cut"
    )

    def serving(self, *, production: bool, shutdown_seconds: float = 0.0) -> Serving:
        """Return what `bedplate.runtime.serve` wants to know.

        `shutdown_seconds` is what the backends' resources may take to close, beyond the deadline
        that is set.
        """
        grace = self.grace_seconds
        if grace is None:
            grace = 5.0 if production else 0.0
        return Serving(
            host=self.host,
            port=self.port,
            operations_host=self.operations_host,
            operations_port=self.operations_port,
            grace_seconds=grace,
            deadline_seconds=grace + self.deadline_seconds + shutdown_seconds,
            workers=self.workers,
        )
