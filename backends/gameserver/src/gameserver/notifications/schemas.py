from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, SecretStr, StrictBool, field_serializer

from bedplate.schemas import Schema, SingleLineStr
from gameserver.events import EventKind

MAX_URL_LENGTH: Final = 2_000
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - how secrets of Standard Webhooks begin

Name = Annotated[str, SingleLineStr(80)]
URL = Annotated[
    SecretStr,
    Field(min_length=1, max_length=MAX_URL_LENGTH, json_schema_extra={"pattern": "^https?://"}),
]
Kinds = Annotated[list[EventKind], Field(min_length=1, max_length=len(EventKind))]

NOTEWORTHY: Final = (
    EventKind.CRASHED,
    EventKind.GAVE_UP,
    EventKind.CONSOLE_DEAD,
    EventKind.BACKUP_FAILED,
    EventKind.VERSION_ROLLED_BACK,
    EventKind.UPDATE_AVAILABLE,
    EventKind.SCHEDULE_FAILED,
    EventKind.DISK_LOW,
)


class HookFormat(StrEnum):
    """What the receiver understands: signed JSON (standardwebhooks.com), or Discord's messages."""

    JSON = "json"
    DISCORD = "discord"


class HookNew(Schema):
    """A new webhook."""

    name: Name
    url: URL
    format: HookFormat = HookFormat.JSON
    events: Kinds = Field(list(NOTEWORTHY), validate_default=False)
    enabled: StrictBool = True


class HookPatch(Schema):
    """Changes of a webhook: only the fields that are sent change.

    new_secret   make a new secret, which only the response to this request shows
    """

    name: Name | None = None
    url: URL | None = None
    events: Kinds | None = None
    enabled: StrictBool | None = None
    new_secret: StrictBool = False


class _PublicFields(BaseModel):
    id: UUID
    version: int
    created_at: AwareDatetime
    name: str
    format: HookFormat
    events: list[EventKind]
    enabled: bool


class HookRecord(_PublicFields, frozen=True):
    """A webhook as it is stored, with its secrets."""

    version: int = 1
    url: SecretStr
    secret: SecretStr | None = None

    @field_serializer("url", "secret", when_used="json")
    def _reveal(self, secret: SecretStr | None) -> str | None:
        return None if secret is None else secret.get_secret_value()


class HookList(BaseModel):
    """The document of webhooks."""

    hooks: list[HookRecord] = []


class Hook(_PublicFields):
    """A webhook as clients see it.

    url       scheme and host; the rest is a secret
    secret    only in the response to the request that made it
    waiting   events in its queue
    dropped   events dropped from a full queue since the manager started
    """

    url: str
    signed: bool
    secret: str | None = None
    waiting: int
    dropped: int


class DeliveryState(StrEnum):
    """State of a delivery."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(BaseModel):
    """One event on its way to one webhook.

    status   of the receiver's last response; None without one
    error    one sentence; None when it was delivered
    """

    id: UUID
    event: str
    at: AwareDatetime
    state: DeliveryState = DeliveryState.WAITING
    attempts: int = 0
    status: int | None = None
    error: str | None = None
    ended_at: AwareDatetime | None = None
