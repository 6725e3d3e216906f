"""Who may do what: tokens of hosts, which the database knows, and signed ones of participants.

A participant's token proves itself: a thousand phones that vote at once cost no look-up each.
Whether they were removed meanwhile is decided where their answer is stored.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import SecretStr

from bedplate import ids
from bedplate.backend import CORSPolicy
from bedplate.rate_limits import Budget, RateLimit
from live.settings import LiveSettings

HOST: Final = "host"
COHOST: Final = "cohost"
MODERATOR: Final = "moderator"
SCREEN: Final = "screen"
PARTICIPANT: Final = "participant"

HOSTS: Final = frozenset({HOST, COHOST})
MODERATORS: Final = HOSTS | {MODERATOR}
EVERYONE: Final = MODERATORS | {SCREEN, PARTICIPANT}

MAX_TOKEN_LENGTH: Final = 200
_HOST_PREFIX = "h_"
_PARTICIPANT_PREFIX = "p_"
_UUID_BYTES = 16
_MAC_BYTES = 16
_PURPOSE = b"live.participant"
# 48 bytes are 64 letters of base64 exactly.
_PARTICIPANT_TOKEN_LENGTH = len(_PARTICIPANT_PREFIX) + (2 * _UUID_BYTES + _MAC_BYTES) * 4 // 3


def _failed_proofs(settings: LiveSettings) -> Budget:
    return Budget(settings.failed_joins_per_minute)


def _new_sessions(settings: LiveSettings) -> Budget:
    return Budget(settings.new_sessions_per_minute)


# A hall shares one address, so only guesses are limited, and what hosts alone do.
rate_limit = RateLimit(read=None, write=None, failed_proofs=_failed_proofs)
new_sessions = RateLimit(read=None, write=_new_sessions, scope="new sessions")
cors = CORSPolicy(development_origins=["*"], allow_credentials=False)


@dataclass(frozen=True, slots=True)
class Member:
    """A participant, as the token says."""

    participant_id: UUID
    session_id: UUID


def new_host_token() -> str:
    """Return a new token for a host, a co-host, a moderator or a screen."""
    return f"{_HOST_PREFIX}{ids.token()}"


def hash_of(token: str) -> str:
    """Return what is stored of a token. It has 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class ParticipantTokens:
    """Makes and reads the tokens of participants: both ids and a keyed BLAKE2b (RFC 7693).

    Each vote reads one, and HMAC-SHA256 takes ten times as long.
    """

    def __init__(self, secret: SecretStr) -> None:
        text = secret.get_secret_value().encode("utf-8", "surrogateescape")
        self._key = hashlib.blake2b(text, person=_PURPOSE).digest()

    def make(self, member: Member) -> str:
        """Return a participant's token, always the same."""
        body = member.participant_id.bytes + member.session_id.bytes
        return _PARTICIPANT_PREFIX + base64.urlsafe_b64encode(body + self._mac(body)).decode()

    def read(self, token: str) -> Member | None:
        """Return whose token this is, or None."""
        if len(token) != _PARTICIPANT_TOKEN_LENGTH or not is_participants(token):
            return None
        if "+" in token or "/" in token:
            return None  # b64decode takes them beside - and _
        try:
            text = token.removeprefix(_PARTICIPANT_PREFIX).encode()
            parts = base64.b64decode(text, altchars=b"-_", validate=True)
        except binascii.Error:
            return None
        body, mac = parts[: 2 * _UUID_BYTES], parts[2 * _UUID_BYTES :]
        if not hmac.compare_digest(mac, self._mac(body)):
            return None
        return Member(UUID(bytes=body[:_UUID_BYTES]), UUID(bytes=body[_UUID_BYTES:]))

    def _mac(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, key=self._key, digest_size=_MAC_BYTES).digest()


def is_participants(token: str) -> bool:
    """Return whether a token has the form of a participant's."""
    return token.startswith(_PARTICIPANT_PREFIX)
