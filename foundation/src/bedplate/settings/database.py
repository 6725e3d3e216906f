from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr

from bedplate.settings.base import Settings

_MAX_WAIT_SECONDS = 3600


def embedded_database(name: str) -> Any:
    """Return the field `database_url` whose default is the SQLite file `.bedplate/NAME.sqlite3`."""
    return Field(
        SecretStr(f"sqlite:///.bedplate/{name}.sqlite3"),
        description="PostgreSQL as Neon, Heroku or libpq print it, or sqlite:///path",
    )


class DatabaseSettings(Settings):
    """The settings of a backend with a database."""

    shared: ClassVar[frozenset[str]] = Settings.shared | {"database_url", "database_pooler"}

    database_url: SecretStr = embedded_database("bedplate")
    database_pooler: bool = Field(
        default=False, description="Behind a transaction pooler: no prepared statements"
    )
    database_pool_size: int | None = Field(
        None, ge=1, le=1000, description="Connections kept open; 10 in production, else 3"
    )
    database_max_overflow: int | None = Field(
        None, ge=0, le=1000, description="Connections beyond those; 20 in production, else 5"
    )
    database_pool_timeout_seconds: float | None = Field(
        None,
        gt=0,
        le=_MAX_WAIT_SECONDS,
        description="Seconds to wait for a connection before a 503; "
        "a third of the request timeout, 10 at most",
    )
    database_pool_recycle_seconds: int = Field(
        3600, ge=-1, description="Maximum age of a connection"
    )
    database_pre_ping: bool = Field(
        default=True, description="Test an idle connection before it is used"
    )
    database_connect_timeout_seconds: float = Field(
        5.0, gt=0, le=_MAX_WAIT_SECONDS, description="Timeout for connecting"
    )
    database_command_timeout_seconds: float = Field(
        10.0, gt=0, le=_MAX_WAIT_SECONDS, description="Timeout for one statement"
    )
    database_sqlite_synchronous: Literal["normal", "full"] = Field(
        "normal", description="SQLite: with full a commit survives a power cut too, and is slower"
    )
    database_auto_migrate: bool | None = Field(
        None, description="Migrate at start; by default outside of production"
    )

    @property
    def embedded(self) -> bool:
        """Whether the database is the embedded default, and so nobody else's."""
        return "database_url" not in self.model_fields_set

    @property
    def pool_size(self) -> int:
        """Connections that the pool keeps."""
        return self.database_pool_size or (10 if self.production else 3)

    @property
    def max_overflow(self) -> int:
        """Additional connections under load."""
        if self.database_max_overflow is not None:
            return self.database_max_overflow
        return 20 if self.production else 5

    @property
    def pool_timeout_seconds(self) -> float:
        """How long a request waits for a connection: its own timeout, a 504, comes later."""
        return self.database_pool_timeout_seconds or min(10.0, self.request_timeout_seconds / 3)

    @property
    def auto_migrate(self) -> bool:
        """Whether the backend migrates its database at start."""
        if self.database_auto_migrate is not None:
            return self.database_auto_migrate
        return not self.production

    def validation_errors(self) -> Iterator[str]:
        """Yield the refusals; production needs its own database."""
        yield from super().validation_errors()
        if self.pool_timeout_seconds >= self.request_timeout_seconds:
            yield (
                f"{self.variables('database_pool_timeout_seconds')} must be less than "
                f"{self.variables('request_timeout_seconds')}, or the 504 comes before the 503"
            )
        if self.production and self.embedded:
            yield f"{self.variables('database_url')} must be set in production"
