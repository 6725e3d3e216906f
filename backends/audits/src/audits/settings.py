"""The settings; variables begin with `AUDITS_`, and shared ones also work without the prefix."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
)
from pydantic_settings import NoDecode

from audits.transparency.checkpoint import CosignatureVerifier
from audits.transparency.note import NoteError, is_key_name
from bedplate.settings import (
    CommaSeparated,
    DatabaseSettings,
    Secret,
    WebURL,
    embedded_database,
)

DEVELOPMENT_SIGNING_KEY = "ZGV2ZWxvcG1lbnQtb25seS1zaWduaW5nLWtleS0wMDE="
DEFAULT_INSIGHTS_MEMBERS: Final = (
    "created_at", "action_type", "action", "entity_type", "entity_ref", "user_id", "actor.type",
    "actor.id", "status", "correlation_id",
)  # fmt: skip
TENANT_PATTERN: Final = r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$"
"""The names of tenants, each of which has a log."""

ROLES: Final = ("writer", "reader", "admin")
_MAX_KEY_NAME_LENGTH = 100
_SEED_BYTES = 32
_WEB_URL: TypeAdapter[str] = TypeAdapter(WebURL)
STREAM_SCHEMES: Final = ("https", "http", "syslog+tls", "s3")
_MIN_SECRET_BYTES = 24
_MAX_SECRET_BYTES = 64
_SENSITIVE = re.compile(r"ip_address|user_agent|actor|targets|(details|actor)\.[^.,]{1,100}")


@dataclass(frozen=True)
class AuditsKey:
    """One API key: its holder, its role, and the only tenant that it is for, or None for all."""

    name: str
    role: str
    tenant: str | None
    key: SecretStr

    @classmethod
    def parse(cls, text: str) -> "AuditsKey":
        """Return a key from NAME:ROLE:KEY or NAME:ROLE:TENANT:KEY. Raises ValueError."""
        tenant: str | None = None
        match text.split(":"):
            case [name, role, key]:
                pass
            case [name, role, tenant, key]:
                pass
            case _:
                raise ValueError("Each should be NAME:ROLE:KEY or NAME:ROLE:TENANT:KEY")
        if role not in ROLES or not name or not key:
            raise ValueError(f"A role is one of {', '.join(ROLES)}, and no part is empty")
        if not name.isprintable() or len(name) > _MAX_KEY_NAME_LENGTH:
            raise ValueError(f"A name has at most {_MAX_KEY_NAME_LENGTH} printable characters")
        if tenant is not None and not re.fullmatch(TENANT_PATTERN, tenant):
            raise ValueError("A tenant has lower-case letters, digits and hyphens, 64 at most")
        return cls(name, role, tenant, SecretStr(key))


def _parse(value: Any) -> Any:
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(",")]
        return [AuditsKey.parse(part) for part in parts if part]
    return value


APIKeyList = Annotated[list[AuditsKey], NoDecode, BeforeValidator(_parse)]
"""API keys as the environment writes them: comma-separated."""


def _seed(secret: SecretStr) -> SecretStr:
    try:
        seed = base64.b64decode(secret.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        seed = b""
    if len(seed) != _SEED_BYTES:
        raise ValueError("It should be 32 random bytes in base64: `openssl rand -base64 32`")
    return secret


def _sensitive(members: list[str]) -> list[str]:
    if not all(_SENSITIVE.fullmatch(member) for member in members):
        raise ValueError(
            "Each should be ip_address, user_agent, actor, targets, or a member such as "
            "details.email or actor.name"
        )
    if "actor" in members and any(member.startswith("actor.") for member in members):
        raise ValueError("It should have actor or members of it, not both")
    return members


def valid_log_name(name: str) -> str:
    """Return a name of a log or a witness. Raises ValueError for one that notes can't have."""
    if not is_key_name(name) or name.endswith("/"):
        raise ValueError("It should look like audits.example.com, without spaces and plus signs")
    return name


def _witnesses(entries: list[str]) -> list[str]:
    for entry in entries:
        url, _, vkey = entry.partition(" ")
        try:
            CosignatureVerifier(vkey)
        except NoteError as error:
            raise ValueError(
                f"Each should be a URL, a space, and a verifier key. {error}"
            ) from None
        try:
            _WEB_URL.validate_python(url)
        except ValidationError:
            raise ValueError(
                "Each should be a URL without user and password, a space, and a verifier key"
            ) from None
    return entries


@dataclass(frozen=True)
class StreamConfig:
    """A stream of a tenant's events: its name, their format, and where it leads to."""

    name: str
    tenant: str
    format: Literal["events", "ocsf"]
    url: str = field(repr=False)

    @property
    def destination(self) -> str:
        """Scheme and host: the rest of a URL may be a secret."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}"

    @classmethod
    def parse(cls, text: str) -> "StreamConfig":
        """Return a stream from `NAME TENANT FORMAT URL`. Raises ValueError."""
        match text.split():
            case [name, tenant, "events" | "ocsf" as form, url]:
                pass
            case _:
                raise ValueError("Each should be NAME TENANT FORMAT URL; FORMAT is events or ocsf")
        for word in (name, tenant):
            if not re.fullmatch(TENANT_PATTERN, word):
                raise ValueError("Names and tenants have lower-case letters, digits and hyphens")
        parts = urlsplit(url)
        if parts.scheme not in STREAM_SCHEMES or not parts.hostname:
            raise ValueError(f"A URL begins with one of {', '.join(STREAM_SCHEMES)}, and a host")
        _ = parts.port  # raises ValueError for one that can't be
        return cls(name, tenant, form, url)


def _parse_streams(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    streams = [StreamConfig.parse(part) for part in value.split(",") if part.strip()]
    if len({stream.name for stream in streams}) < len(streams):
        raise ValueError("Two streams have the same name")
    return streams


def _webhook_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    try:
        size = len(base64.b64decode(text.removeprefix("whsec_"), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if not text.startswith("whsec_") or not _MIN_SECRET_BYTES <= size <= _MAX_SECRET_BYTES:
        raise ValueError("It should be `whsec_` and 24 to 64 random bytes in base64")
    return secret


Seed = Annotated[Secret, AfterValidator(_seed)]
"""The seed of a signing key: 32 bytes in base64."""


class AuditsSettings(DatabaseSettings, env_prefix="AUDITS_"):
    """Settings of the audit trail."""

    shared: ClassVar[frozenset[str]] = DatabaseSettings.shared | {
        "openai_api_key",
        "openai_base_url",
        "openai_model",
    }

    database_url: SecretStr = embedded_database("audits")
    database_sqlite_synchronous: Literal["normal", "full"] = Field(
        "full", description="SQLite: with full a record survives a power cut too"
    )
    api_keys: APIKeyList = Field(
        default_factory=list,
        description="Comma-separated NAME:ROLE:KEY or NAME:ROLE:TENANT:KEY; roles are writer, "
        "reader and admin. Without keys everyone may do everything",
    )
    log_name: Annotated[str, AfterValidator(valid_log_name)] = Field(
        "localhost/audits", description="The logs' name, as in audits.example.com; see its proofs"
    )
    signing_key: Seed = Field(
        SecretStr(DEVELOPMENT_SIGNING_KEY), description="Seed of the Ed25519 key, 32 bytes, base64"
    )
    previous_signing_key: Seed | None = Field(
        None, description="The key before, which signs too while verifiers learn the new one"
    )
    ml_dsa_signing_key: Seed | None = Field(
        None, description="Seed of a second key, for ML-DSA-44 signatures"
    )
    checkpoint_interval_seconds: float = Field(
        3600.0, ge=1, le=86_400, description="Seconds until a checkpoint is signed anew"
    )
    witnesses: Annotated[CommaSeparated, AfterValidator(_witnesses)] = Field(
        default_factory=list,
        description="Witnesses that cosign checkpoints: comma-separated `URL VKEY`",
    )
    sensitive_members: Annotated[CommaSeparated, AfterValidator(_sensitive)] = Field(
        default_factory=list,
        description="Members that the log holds as commitments, such as ip_address,details.email",
    )
    record_access: bool = Field(
        default=False, description="Record reads and exports too: who, with which key, and what for"
    )
    streams: Annotated[list[StreamConfig], NoDecode, BeforeValidator(_parse_streams)] = Field(
        default_factory=list,
        description="Streams of events to other systems: comma-separated `NAME TENANT FORMAT URL`; "
        "FORMAT is events or ocsf, and a URL https://…, syslog+tls://HOST:PORT or s3://BUCKET/…",
    )
    stream_secret: Annotated[SecretStr, AfterValidator(_webhook_secret)] | None = Field(
        None, description="Signs what is streamed over HTTPS: whsec_ and 32 random bytes in base64"
    )
    stream_ca_file: str | None = Field(
        None, description="Certificates of the authorities that syslog receivers are checked by"
    )
    max_clock_ahead_seconds: float = Field(
        300.0, ge=0, description="How far occurred_at may be ahead of the server's time"
    )
    max_age_days: float = Field(
        30.0, gt=0, description="How old occurred_at may be when a record comes"
    )
    openai_api_key: SecretStr | None = Field(
        None, description="Key of the language model; without it insights answer 503"
    )
    openai_base_url: WebURL | None = Field(
        None, description="Another server with OpenAI's API, such as http://127.0.0.1:8080/v1"
    )
    openai_model: str = Field("gpt-5-mini", description="The language model's name")
    openai_seconds: float = Field(
        5.0, gt=0, le=600, description="Seconds until an answer is a 504, retries included"
    )
    openai_max_output_tokens: int = Field(
        2000, ge=16, description="Maximum length of an answer, in tokens"
    )
    openai_open: bool = Field(
        default=False, description="Let everyone use the language model, on your bill, without keys"
    )
    insights_members: CommaSeparated = Field(
        default_factory=lambda: list(DEFAULT_INSIGHTS_MEMBERS),
        description="Members of records that the language model may read",
    )
    max_batch_bytes: int = Field(
        16_777_216, ge=1024, description="Maximum size of a batch's request body"
    )
    max_batch_json_members: int = Field(
        200_000, ge=1, description="Maximum members of all objects of a batch's JSON together"
    )
    batch_seconds: float = Field(60.0, gt=0, le=3600, description="Seconds until a batch is a 504")

    def validation_errors(self) -> Iterator[str]:
        """Yield what can't stay as it is: a stream over HTTPS has to be signed, and encrypted."""
        yield from super().validation_errors()
        schemes = {urlsplit(stream.url).scheme for stream in self.streams}
        if schemes & {"https", "http"} and self.stream_secret is None:
            yield f"{self.variable('stream_secret')} must be set, since a stream leads to HTTPS"
        if "http" in schemes and self.production:
            yield f"{self.variable('streams')} must begin with https:// in production"
