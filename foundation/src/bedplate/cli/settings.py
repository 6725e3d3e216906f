"""`bedplate settings`, and the settings of the process, whatever backends it serves."""

import typer
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from bedplate.cli.arguments import BackendName
from bedplate.cli.installed import load_all
from bedplate.cli.output import table
from bedplate.runtime import Serving
from bedplate.settings import Settings, explain

_MAX_PORT = 65535


class ProcessSettings(Settings):
    """Where and how a process serves; the options of `bedplate run` override the environment."""

    model_config = SettingsConfigDict(env_prefix="BEDPLATE_")

    host: str = Field("127.0.0.1", description="Address of the API; 0.0.0.0 for all")
    port: int = Field(8000, ge=0, le=_MAX_PORT, description="Port of the API; 0: any free port")
    operations_host: str = Field(
        "127.0.0.1", description="Address of metrics and health; 0.0.0.0 for all"
    )
    operations_port: int = Field(
        9090, ge=0, le=_MAX_PORT, description="Port of metrics and health; 0: any free port"
    )
    workers: int = Field(1, ge=1, le=256, description="Number of worker processes")
    grace_seconds: float | None = Field(
        None,
        ge=0,
        le=600,
        description="Seconds from SIGTERM until the listener closes; 5 in production, else 0",
    )
    deadline_seconds: float = Field(
        30.0, gt=0, le=3600, description="Seconds after that until open requests are cut"
    )

    def serving(self, *, production: bool, shutdown_seconds: float = 0.0) -> Serving:
        """Return the parameters of `bedplate.runtime.serve`.

        `shutdown_seconds`: how long the backends' state may take to close, added to the deadline.
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


def settings(backend: BackendName = None) -> None:
    """List the settings of a backend, or of the process and of every backend."""
    classes = {each.name: each.settings for each in load_all([backend] if backend else [])}
    if backend is None:
        classes = {"the process": ProcessSettings, **classes}
    headings = ("VARIABLE", "VALUE", "FROM", "MEANING")
    sections = (f"{name}\n{table([headings, *explain(kind)])}" for name, kind in classes.items())
    typer.echo("\n\n".join(sections))
