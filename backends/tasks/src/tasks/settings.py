"""The settings; variables begin with `TASKS_`, and shared ones also work without the prefix."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr

from bedplate.settings import CommaSeparated, DatabaseSettings, Secret, WebURL, embedded_database

DEVELOPMENT_SECRET = "development-only-session-hash-secret"  # noqa: S105 - refused in production
# A key set is public: with a symmetric algorithm, whoever reads it could sign.
_PUBLIC_KEY = ("EdDSA", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384",
               "PS512")  # fmt: skip


def _public_key_algorithms(names: list[str]) -> list[str]:
    if not names or not set(names).issubset(_PUBLIC_KEY):
        raise ValueError(f"Each must be one of {', '.join(_PUBLIC_KEY)}")
    return names


PublicKeyAlgorithms = Annotated[CommaSeparated, AfterValidator(_public_key_algorithms)]


class TasksSettings(DatabaseSettings, env_prefix="TASKS_"):
    """Settings of the to-do API."""

    shared: ClassVar[frozenset[str]] = DatabaseSettings.shared | {
        "session_hash_secret",
        "better_auth_secret",
        "better_auth_url",
    }

    database_url: SecretStr = embedded_database("tasks")
    reads_per_minute: int = Field(100, ge=1, description="Reads a minute of one user, or address")
    writes_per_minute: int = Field(30, ge=1, description="Writes a minute of one user, or address")
    sessions: Literal["hashed", "better-auth", "jwt"] = Field(
        "hashed", description="How users prove themselves; see docs/better-auth.md"
    )
    session_hash_secret: Secret = Field(
        SecretStr(DEVELOPMENT_SECRET), description="hashed: key of the HMAC over session tokens"
    )
    better_auth_secret: Secret | None = Field(
        None, description="better-auth: the auth server's secret, which signs its cookies"
    )
    better_auth_session_table: str = Field("session", description="better-auth: table of sessions")
    better_auth_user_table: str = Field("user", description="better-auth: table of users")
    better_auth_user_id_column: str = Field("userId", description="better-auth: session's user")
    better_auth_expires_at_column: str = Field("expiresAt", description="better-auth: its expiry")
    better_auth_token_column: str = Field("token", description="better-auth: session's token")
    better_auth_timestamps: Literal["timestamptz", "timestamp"] = Field(
        "timestamptz", description="better-auth: timestamp for Drizzle and Prisma (naive UTC)"
    )
    better_auth_cookie_prefix: str = Field("better-auth", description="better-auth: cookie prefix")
    better_auth_url: WebURL | None = Field(
        None, description="jwt: origin of the auth server, which is issuer and audience too"
    )
    jwks_url: WebURL | None = Field(None, description="jwt: where its keys are, if elsewhere")
    jwt_issuer: str | None = Field(None, description="jwt: issuer, if not the auth server's origin")
    jwt_audience: str | None = Field(None, description="jwt: audience, if not the same")
    jwt_algorithms: PublicKeyAlgorithms = Field(
        default_factory=lambda: ["EdDSA"], description="jwt: accepted signature algorithms"
    )
    audits_url: WebURL | None = Field(
        None, description="Address of the audit trail that records changes; without it none does"
    )
    audits_key: SecretStr | None = Field(None, description="API key for the audit trail")

    def validation_errors(self) -> Iterator[str]:
        """Yield what can't stay as it is: each kind of session has to know its auth server."""
        yield from super().validation_errors()
        if self.sessions == "better-auth" and self.better_auth_secret is None:
            yield self._needed("better_auth_secret")
        if self.sessions == "jwt" and self.better_auth_url is None:
            yield self._needed("better_auth_url")

    def _weakness(self, name: str, default: Any) -> Iterator[str]:
        if name != "session_hash_secret" or self.sessions == "hashed":
            yield from super()._weakness(name, default)

    def _needed(self, field: str) -> str:
        variable = self.variable(field)
        return (
            f"{variable} (or {field.upper()}) must be set, "
            f"since {self.variable('sessions')} is {self.sessions}"
        )
