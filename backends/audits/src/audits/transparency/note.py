"""Signed notes of c2sp.org/signed-note: a text, and lines with the signatures of named keys."""

import base64
import binascii
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = 0x01
"""The type of plain Ed25519 signatures of the note's text."""
MAX_NOTE_BYTES = 1_000_000
_KEY_ID_BYTES = 4
_SEED_BYTES = 32
_PREFIX = "\u2014 "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteError(ValueError):
    """A note that isn't one, or that no known key has signed."""


class Signature(NamedTuple):
    """One signature line: whose, the short id of the key, and what the key made."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """Return the line, without its end."""
        return f"{_PREFIX}{self.name} {encode(self.key_id + self.signature)}"


class Signer(Protocol):
    """A private key that signs notes."""

    name: str
    key_id: bytes

    def sign(self, text: str) -> bytes:
        """Return the signature of a note's text."""
        ...


class Verifier(Protocol):
    """A public key that verifies notes."""

    name: str
    key_id: bytes

    def verifies(self, text: str, signature: bytes) -> bool:
        """Return whether the key made this signature of the note's text."""
        ...


@dataclass(frozen=True)
class Note:
    """A text that ends with a newline, and its signatures, not yet verified."""

    text: str
    signatures: Sequence[Signature]

    @classmethod
    def parse(cls, note: bytes | str) -> "Note":
        """Return a note as it is written. Raises `NoteError`."""
        try:
            whole = note.decode() if isinstance(note, bytes) else note
        except UnicodeDecodeError:
            raise NoteError("A note is UTF-8.") from None
        if len(whole) > MAX_NOTE_BYTES or _CONTROL.search(whole):
            raise NoteError("A note has no control characters, and a megabyte at most.")
        text, separator, lines = whole.rpartition("\n\n")
        if not separator or not text or not lines.endswith("\n"):
            raise NoteError("A note is a text, an empty line, and lines with signatures.")
        return cls(f"{text}\n", [parse_signature(line) for line in lines[:-1].split("\n")])

    def __str__(self) -> str:
        lines = "".join(f"{signature.line()}\n" for signature in self.signatures)
        return f"{self.text}\n{lines}"

    def verified(self, verifiers: Sequence[Verifier]) -> list[Signature]:
        """Return the signatures of known keys, in the order of the note.

        Signatures of unknown keys are left out. Raises `NoteError` when a known key's signature is
        wrong, and when there is none.
        """
        found = []
        for signature in self.signatures:
            for verifier in verifiers:
                if (verifier.name, verifier.key_id) == (signature.name, signature.key_id):
                    if not verifier.verifies(self.text, signature.signature):
                        raise NoteError(f"The signature of {verifier.name} is wrong.")
                    found.append(signature)
                    break
        if not found:
            raise NoteError("No known key has signed the note.")
        return found

    def signed(self, *signers: Signer) -> "Note":
        """Return the note with the signatures of these keys added."""
        made = [Signature(key.name, key.key_id, key.sign(self.text)) for key in signers]
        return Note(self.text, [*self.signatures, *made])


def parse_signature(line: str) -> Signature:
    """Return the signature that a line holds. Raises `NoteError`."""
    name, _, encoded = line.removeprefix(_PREFIX).partition(" ")
    decoded = decode(encoded)
    if not line.startswith(_PREFIX) or not is_key_name(name) or len(decoded) <= _KEY_ID_BYTES:
        raise NoteError("A signature line is a dash, the key's name, and base64.")
    return Signature(name, decoded[:_KEY_ID_BYTES], decoded[_KEY_ID_BYTES:])


def is_key_name(name: str) -> bool:
    """Return whether a name has no space and no plus, which separate it from what follows."""
    return bool(name) and not any(
        char == "+" or char.isspace() or unicodedata.category(char) in {"Cc", "Zs"} for char in name
    )


def key_id(name: str, kind: int, public_key: bytes) -> bytes:
    """Return the four bytes that name a key beside its name."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:_KEY_ID_BYTES]


def verifier_key(name: str, kind: int, public_key: bytes) -> str:
    """Return the text by which a public key is handed on (a vkey)."""
    return f"{name}+{key_id(name, kind, public_key).hex()}+{encode(bytes([kind]) + public_key)}"


def parse_verifier_key(vkey: str) -> tuple[str, int, bytes]:
    """Return the name, the signature type and the public key of a vkey. Raises `NoteError`."""
    name, _, rest = vkey.strip().partition("+")
    hexadecimal, _, encoded = rest.partition("+")
    material = decode(encoded)
    if not is_key_name(name) or not material:
        raise NoteError("A verifier key is a name, eight hexadecimal digits, and base64.")
    kind, public_key = material[0], material[1:]
    if key_id(name, kind, public_key).hex() != hexadecimal.lower():
        raise NoteError(f"The verifier key of {name} doesn't have the id that it names.")
    return name, kind, public_key


def encode(value: bytes) -> str:
    """Return bytes as the base64 that all these formats use."""
    return base64.b64encode(value).decode()


def decode(text: str) -> bytes:
    """Return the bytes that base64 stands for. Raises `NoteError` for any other spelling."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("What should be base64 is not.") from None
    if encode(value) != text:
        raise NoteError("Base64 is padded, and its last bits are zero.")
    return value


class Ed25519Signer:
    """A private key for plain Ed25519 signatures, which every log has."""

    def __init__(self, name: str, seed: bytes) -> None:
        if not is_key_name(name) or len(seed) != _SEED_BYTES:
            raise NoteError("A key has a name without spaces or plus, and a seed of 32 bytes.")
        self.name = name
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._key.public_key().public_bytes_raw()
        self.key_id = key_id(name, ED25519, self.public_key)

    @property
    def vkey(self) -> str:
        """The public key as verifiers take it."""
        return verifier_key(self.name, ED25519, self.public_key)

    def sign(self, text: str) -> bytes:
        """Return the signature of a note's text."""
        return self._key.sign(text.encode())


class Ed25519Verifier:
    """A public key for plain Ed25519 signatures."""

    def __init__(self, vkey: str) -> None:
        self.name, kind, self.public_key = parse_verifier_key(vkey)
        if kind != ED25519 or len(self.public_key) != _SEED_BYTES:
            raise NoteError(f"The verifier key of {self.name} is not one for Ed25519.")
        self.key_id = key_id(self.name, kind, self.public_key)
        self._key = Ed25519PublicKey.from_public_bytes(self.public_key)

    def verifies(self, text: str, signature: bytes) -> bool:
        """Return whether the key made this signature of the note's text."""
        try:
            self._key.verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True
