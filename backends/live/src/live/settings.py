"""The settings; variables begin with `LIVE_`, and shared ones also work without the prefix."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from bedplate.settings import DatabaseSettings, Secret, WebURL, embedded_database

DEVELOPMENT_SECRET = "development-only-secret-of-the-tokens-0001"  # noqa: S105 - refused in production
_PLACE_OF_CODE = "{code}"


def _with_code(url: str) -> str:
    if url.count(_PLACE_OF_CODE) != 1 or url.count("{") + url.count("}") != 2:  # noqa: PLR2004
        raise ValueError(
            "It should have {code} once and no other braces, such as"
            " https://example.com/join/{code}"
        )
    return url


JoinURL = Annotated[WebURL, AfterValidator(_with_code)]


class LiveSettings(DatabaseSettings, env_prefix="LIVE_"):
    """The settings of the live events."""

    database_url: SecretStr = embedded_database("live")
    token_secret: Secret = Field(
        SecretStr(DEVELOPMENT_SECRET),
        description="Signs the participants' tokens: another secret makes all of them invalid",
    )
    join_url: JoinURL = Field(
        "http://localhost:8000/join/{code}",
        description="The page that a session's QR code leads to, with {code} in it",
    )
    idle_hours: float = Field(
        24.0,
        gt=0,
        le=8760,
        description="Hours without a change or anybody there after which a session completes",
    )
    retention_days: float | None = Field(
        None, gt=0, le=3650, description="Days after which a completed session is deleted"
    )
    failed_joins_per_minute: int = Field(
        30, ge=1, le=100_000, description="Wrong codes and tokens that an address may try a minute"
    )
    new_sessions_per_minute: int = Field(
        60, ge=1, le=100_000, description="Sessions that an address may create a minute"
    )

    def validation_errors(self) -> Iterator[str]:
        """Yield what can't stay as it is: codes that lead to the developer's own machine."""
        yield from super().validation_errors()
        if self.production and self.join_url == type(self).model_fields["join_url"].default:
            yield f"{self.variables('join_url')} must be set in production: QR codes lead there"
