"""Checkpoints of c2sp.org/tlog-checkpoint, and the cosignatures of c2sp.org/tlog-cosignature."""

import re
import struct
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from audits.transparency.note import (
    ED25519,
    Ed25519Verifier,
    NoteError,
    Verifier,
    decode,
    encode,
    key_id,
    parse_verifier_key,
    verifier_key,
)
from audits.transparency.tree import HASH_BYTES

COSIGNATURE_ED25519: Final = 0x04
COSIGNATURE_ML_DSA_44: Final = 0x06
MAX_SIZE = 2**63 - 1
_TEXT = re.compile(
    r"(?P<origin>[^\n]+)\n(?P<size>[^\n]+)\n(?P<root>[^\n]+)\n(?P<extensions>(?:[^\n]+\n)*)"
)
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_TIMESTAMP = struct.Struct(">Q")
_LABEL = b"subtree/v1\n\0"


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log's tree: whose, how many leaves, and the root over them."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Return the checkpoint that a note's text is. Raises `NoteError`."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise NoteError("A checkpoint is the lines origin, size and root hash.")
        root = decode(match["root"])
        if len(root) != HASH_BYTES:
            raise NoteError("A checkpoint's root hash has 32 bytes.")
        extensions = tuple(match["extensions"].split("\n")[:-1])
        return cls(match["origin"], parse_size(match["size"]), root, extensions)

    def __str__(self) -> str:
        lines = (self.origin, str(self.size), encode(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_size(text: str) -> int:
    """Return a tree's size as these formats write it. Raises `NoteError`."""
    if not _SIZE.fullmatch(text) or int(text) > MAX_SIZE:
        raise NoteError("A size is decimal, without leading zeros, and has 63 bits at most.")
    return int(text)


def _ed25519_message(text: str, timestamp: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def _ml_dsa_44_message(text: str, timestamp: int, name: str) -> bytes:
    checkpoint = Checkpoint.parse(text)

    def counted(value: str) -> bytes:
        encoded = value.encode()
        return bytes([len(encoded)]) + encoded

    return b"".join(
        [
            _LABEL,
            counted(name),
            _TIMESTAMP.pack(timestamp),
            counted(checkpoint.origin),
            struct.pack(">QQ", 0, checkpoint.size),
            checkpoint.root,
        ]
    )


class _Cosigner:
    """A key whose signatures say when it saw the checkpoint."""

    kind: int
    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, self.kind, self.public_key)

    @property
    def vkey(self) -> str:
        """The public key as verifiers take it."""
        return verifier_key(self.name, self.kind, self.public_key)


class Ed25519Cosigner(_Cosigner):
    """A witness's private Ed25519 key."""

    kind = COSIGNATURE_ED25519

    def __init__(self, name: str, seed: bytes) -> None:
        self.name = name
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._key.public_key().public_bytes_raw()

    def sign(self, text: str, timestamp: int) -> bytes:
        """Return the cosignature of a checkpoint's text, seen at a time in seconds since 1970."""
        return _TIMESTAMP.pack(timestamp) + self._key.sign(_ed25519_message(text, timestamp))


class MLDSA44Cosigner(_Cosigner):
    """A private ML-DSA-44 key, which is safe against quantum computers."""

    kind = COSIGNATURE_ML_DSA_44

    def __init__(self, name: str, seed: bytes) -> None:
        self.name = name
        self._key = MLDSA44PrivateKey.from_seed_bytes(seed)
        self.public_key = self._key.public_key().public_bytes_raw()

    def sign(self, text: str, timestamp: int) -> bytes:
        """Return the cosignature of a checkpoint's text, seen at a time in seconds since 1970."""
        message = _ml_dsa_44_message(text, timestamp, self.name)
        return _TIMESTAMP.pack(timestamp) + self._key.sign(message)


class CosignatureVerifier:
    """A witness's public key, of either kind."""

    def __init__(self, vkey: str) -> None:
        self.name, self._kind, public_key = parse_verifier_key(vkey)
        self.key_id = key_id(self.name, self._kind, public_key)
        try:
            if self._kind == COSIGNATURE_ED25519:
                self._key: Ed25519PublicKey | MLDSA44PublicKey = Ed25519PublicKey.from_public_bytes(
                    public_key
                )
            elif self._kind == COSIGNATURE_ML_DSA_44:
                self._key = MLDSA44PublicKey.from_public_bytes(public_key)
            else:
                raise NoteError(f"The verifier key of {self.name} is not one of a cosigner.")
        except ValueError:
            raise NoteError(f"The verifier key of {self.name} is not a public key.") from None

    def verifies(self, text: str, signature: bytes) -> bool:
        """Return whether the key made this cosignature of the checkpoint's text."""
        if len(signature) <= _TIMESTAMP.size:
            return False
        (timestamp,) = _TIMESTAMP.unpack_from(signature)
        try:
            message = (
                _ed25519_message(text, timestamp)
                if self._kind == COSIGNATURE_ED25519
                else _ml_dsa_44_message(text, timestamp, self.name)
            )
            self._key.verify(signature[_TIMESTAMP.size :], message)
        except (InvalidSignature, NoteError):
            return False
        return True


def verifier_of(vkey: str) -> Verifier:
    """Return the verifier for a public key of any kind that signs checkpoints.

    Raises `NoteError`.
    """
    _, kind, _ = parse_verifier_key(vkey)
    return Ed25519Verifier(vkey) if kind == ED25519 else CosignatureVerifier(vkey)


def timestamp_of(cosignature: bytes) -> int:
    """Return the seconds since 1970 at which a cosigner saw the checkpoint."""
    seconds: int = _TIMESTAMP.unpack_from(cosignature)[0]
    return seconds
