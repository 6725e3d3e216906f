"""Bodies and headers of webhooks: JSON signed by Standard Webhooks 1.0, or Discord's form."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from pydantic import SecretStr

from bedplate import ids
from gameserver.notifications.schemas import SECRET_PREFIX, HookFormat, HookRecord

MAX_CONTENT_LENGTH: Final = 2_000
"""Characters that Discord accepts in a message."""

_SECRET_BYTES: Final = 32


@dataclass(frozen=True)
class Message:
    """An event as a webhook receives it; `kind` is an event's kind, or `test`."""

    id: UUID
    kind: str
    text: str
    at: datetime
    facts: dict[str, str | int | float]


def new_secret(hook_format: HookFormat) -> SecretStr | None:
    """Return a new secret in the form of Standard Webhooks; None for Discord, which has none."""
    if hook_format is HookFormat.DISCORD:
        return None
    secret = base64.b64encode(bytes.fromhex(ids.token(_SECRET_BYTES))).decode()
    return SecretStr(SECRET_PREFIX + secret)


def body_of(hook: HookRecord, message: Message) -> bytes:
    """Return the JSON in the webhook's format."""
    if hook.format is HookFormat.DISCORD:
        # Players choose their names: no name may notify everybody.
        content = {"content": message.text[:MAX_CONTENT_LENGTH], "allowed_mentions": {"parse": []}}
        return orjson.dumps(content)
    return orjson.dumps(
        {
            "type": message.kind,
            "timestamp": message.at,
            "data": {"text": message.text, "facts": message.facts},
        }
    )


def headers_of(hook: HookRecord, message: Message, body: bytes, now: datetime) -> dict[str, str]:
    """Return the headers; with a secret the signature covers id, time of this try, and body."""
    headers = {"content-type": "application/json", "user-agent": "bedplate-gameserver"}
    if hook.secret is None:
        return headers
    stamp = str(int(now.timestamp()))
    return {
        **headers,
        "webhook-id": str(message.id),
        "webhook-timestamp": stamp,
        "webhook-signature": signature(
            hook.secret.get_secret_value(), str(message.id), stamp, body
        ),
    }


def signature(secret: str, message_id: str, stamp: str, body: bytes) -> str:
    """Return `v1,` and the Base64 of the HMAC-SHA256 of `id.timestamp.body`."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
