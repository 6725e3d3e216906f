"""The settings; variables begin with `TASKS_`, and shared ones also work without the prefix."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from bedplate.auth import SESSION_COOKIE_NAME
from bedplate.auth.credentials import cookie_names
from bedplate.settings import CommaSeparated, DatabaseSettings, Secret, WebURL, embedded_database

DEVELOPMENT_SECRET = "development-only-session-hash-secret"  # noqa: S105 - refused in production
# A key set is public: with a symmetric algorithm, whoever reads it could sign.
_PUBLIC_KEY = ("EdDSA", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384",
               "PS512")  # fmt: skip


def _public_key_algorithms(names: list[str]) -> list[str]:
    if not names or not set(names).issubset(_PUBLIC_KEY):
        raise ValueError(f"Each must be one of {', '.join(_PUBLIC_KEY)}")
    return names


_PUBLIC_SECRETS = {"better-auth-secret-12345678901234567890", "better-auth-secret-123456789"}
_OF_SEVERAL = " (of BETTER_AUTH_SECRETS, it is the first entry's value without its version)"

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
    sessions: Literal["hashed", "better-auth", "jwt", "introspection"] = Field(
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
    better_auth_cookie: str = Field(
        SESSION_COOKIE_NAME,
        pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
        description="better-auth, introspection: name of the session cookie, "
        "without the prefix __Secure-",
    )
    better_auth_secure_cookies: bool | None = Field(
        None,
        description="better-auth: whether the name has the prefix __Secure-; "
        "by default as better-auth decides, with an https BETTER_AUTH_URL or in production",
    )
    better_auth_bearer: Literal["raw", "signed", "off"] = Field(
        "raw", description="better-auth: bearer tokens that count; off without its bearer() plugin"
    )
    better_auth_url: WebURL | None = Field(
        None,
        description="Address of the auth server: introspection asks there; for jwt its origin is "
        "issuer and audience",
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

    @property
    def secure_cookies(self) -> bool | None:
        """Whether better-auth's cookies have the prefix `__Secure-`; None if nothing says so."""
        if self.better_auth_secure_cookies is not None:
            return self.better_auth_secure_cookies
        if self.better_auth_url is not None:
            return self.better_auth_url.lower().startswith("https:")
        return True if self.production else None

    @property
    def session_cookie(self) -> str | None:
        """Name of the session cookie that counts, or one of the two; None where none does."""
        if self.sessions not in {"better-auth", "introspection"}:
            return None
        return cookie_names(self.better_auth_cookie, secure=self.secure_cookies)[-1]

    @property
    def auth_origin(self) -> str:
        """Origin of the auth server: issuer and audience of its JWTs."""
        parts = urlsplit(self.better_auth_url or "")
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def auth_base_url(self) -> str:
        """Where better-auth's routes are: a path in its address is their base path."""
        path = urlsplit(self.better_auth_url or "").path or "/api/auth"
        return f"{self.auth_origin}{path}"

    def validation_errors(self) -> Iterator[str]:
        """Yield what can't stay as it is: each kind of session has to know its auth server."""
        yield from super().validation_errors()
        if self.sessions == "better-auth" and self.better_auth_secret is None:
            yield f"{self._needed('better_auth_secret')}{_OF_SEVERAL}"
        if self.sessions in {"jwt", "introspection"} and self.better_auth_url is None:
            yield self._needed("better_auth_url")

    def _weakness(self, name: str, default: Any) -> Iterator[str]:
        secret: SecretStr | None = getattr(self, name)
        if secret is not None and secret.get_secret_value() in _PUBLIC_SECRETS:
            yield f"{self.variables(name)} is better-auth's default, which everybody knows"
            return
        if name != "session_hash_secret" or self.sessions == "hashed":
            yield from super()._weakness(name, default)

    def _needed(self, field: str) -> str:
        variable = self.variable(field)
        return (
            f"{variable} (or {field.upper()}) must be set, "
            f"since {self.variable('sessions')} is {self.sessions}"
        )
