"""What a backend declares about itself. Importing a declaration opens nothing.

backend = Backend(name="tasks", title="Tasks", settings=TasksSettings, routers=[router], …)
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from bedplate.problems import ProblemPolicy
from bedplate.settings import Settings, SettingsError
from bedplate.state import State

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from bedplate.auth import Guard
    from bedplate.contracts import ContractBinding
    from bedplate.database import Database
    from bedplate.observability.health import HealthCheck
    from bedplate.rate_limits import RateLimit


@dataclass(frozen=True, kw_only=True)
class CORSPolicy:
    """Which web origins may call from a browser (CORS).

    `development_origins` apply outside of production when the settings name none. `required` makes
    `CORS_ORIGINS` mandatory in production.
    """

    development_origins: Sequence[str] = ("http://localhost:3000",)
    required: bool = False
    allow_credentials: bool = True
    allow_methods: Sequence[str] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    allow_headers: Sequence[str] = (
        "Authorization",
        "Cache-Control",
        "Content-Type",
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "Last-Event-ID",
        "X-API-Key",
        "X-Request-ID",
        "baggage",
        "traceparent",
        "tracestate",
    )
    expose_headers: Sequence[str] = ("ETag", "Link", "Location", "Retry-After", "X-Request-ID")

    def origins(self, settings: Settings) -> list[str]:
        """Return the origins that apply. Raises `SettingsError` for an unsafe combination."""
        for sentence in self.validation_errors(settings):
            raise SettingsError(f"{sentence}.")
        return self._origins(settings)

    def validation_errors(self, settings: Settings) -> Iterator[str]:
        """Yield a sentence for an unsafe combination, which names the variable."""
        variable, origins = settings.variable("cors_origins"), self._origins(settings)
        if not origins and self.required:
            yield (
                f"{variable} (or CORS_ORIGINS) must name the origins of the front end in "
                "production, such as https://app.example.com"
            )
        if "*" in origins and self.allow_credentials:
            yield f"{variable} can't be * while credentials are allowed: name the origins"

    def _origins(self, settings: Settings) -> list[str]:
        if settings.cors_origins or settings.production:
            return settings.cors_origins
        return list(self.development_origins)


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A route whose requests may be larger, and last longer, than all others.

    `path` is exact and without parameters. `max_bytes` of the body, `seconds` until a 504 and
    `max_json_members` of the body are numbers, or names of settings. A route with more members than
    others must bound the work of its own errors.
    """

    path: str
    max_bytes: int | str
    seconds: float | str
    method: str = "POST"
    max_json_members: int | str = "max_json_members"

    def limits(self, settings: Settings) -> tuple[int, float, int]:
        """Return the limits in bytes, in seconds and in members under these settings."""

        def value(limit: float | str) -> Any:
            return getattr(settings, limit) if isinstance(limit, str) else limit

        return value(self.max_bytes), value(self.seconds), value(self.max_json_members)


@dataclass(frozen=True, kw_only=True)
class Backend:
    """One backend: its name, what it serves, what it stores, and its policies.

    name            lower-case; the path prefix, the label of its metrics and of its database tables
    routers         plain `fastapi.APIRouter`s
    settings        its settings class
    metadata        SQLAlchemy metadata of the tables it owns, or None when it stores nothing
    migrations      folder of its Alembic files
    state           its class of lifespan state: what opens, in which order (`bedplate.state`)
    health_checks   checks beside the database's, made from the opened state
    prepare         runs outside of production after the migrations, with the settings and the
                    database, for embedded stand-ins
    auth            the guard of its routes, whose alternatives the OpenAPI document shows
    rate_limit      charges requests that are refused before any dependency of a route ran
    first_steps     command lines that `bedplate run` shows in development; `{url}` is its address
    commands        "module:typer_app" of its own commands: `bedplate NAME …`
    contract        the published OpenAPI document that it keeps, and the handlers bound to it
    hosts           its public host names, for a gateway; none are those of the contract's servers
    single_process  why it can't run as several workers, or None
    uploads         routes whose requests may be larger and last longer than all others
    shutdown_seconds  how long its resources may take to close, made from its settings: so much
                    later is the deadline after SIGTERM
    """

    name: str
    title: str
    settings: type[Settings]
    routers: Sequence[APIRouter] = ()
    version: str = "0.1.0"
    summary: str = ""
    description: str = ""
    metadata: "MetaData | None" = None
    migrations: Path | None = None
    problems: ProblemPolicy = field(default_factory=ProblemPolicy)
    cors: CORSPolicy = field(default_factory=CORSPolicy)
    auth: "Guard | None" = None
    rate_limit: "RateLimit | None" = None
    state: type[State] | None = None
    health_checks: "Callable[[Any], Sequence[HealthCheck]] | None" = None
    prepare: "Callable[[Any, Database], Awaitable[None]] | None" = None
    first_steps: Sequence[str] = ()
    commands: str | None = None
    contract: "ContractBinding | None" = None
    hosts: Sequence[str] = ()
    single_process: str | None = None
    uploads: Sequence[Upload] = ()
    shutdown_seconds: Callable[[Any], float] | None = None

    def load_settings(self, **values: Any) -> Settings:
        """Return this process's settings. Raises `SettingsError` naming the variable."""
        return self.settings.load(self.cors.validation_errors, **values)


def load_settings_of(backends: Iterable[Backend]) -> dict[str, Settings]:
    """Return the settings of each backend by its name.

    Raises one `SettingsError` for all of them: what is missing is named by one start.
    """
    settings: dict[str, Settings] = {}
    refusals: list[str] = []
    for backend in backends:
        try:
            settings[backend.name] = backend.load_settings()
        except SettingsError as error:
            refusals.append(str(error))
    if refusals:
        raise SettingsError(" ".join(refusals))
    return settings
