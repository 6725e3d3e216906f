"""Proofs of c2sp.org/tlog-proof: a record's place in the log, and the checkpoint that holds it."""

from collections.abc import Sequence
from dataclasses import dataclass

from audits.transparency.checkpoint import Checkpoint, parse_size
from audits.transparency.note import Note, NoteError, Verifier, decode, encode
from audits.transparency.tree import HASH_BYTES, leaf_hash, verify_inclusion

_HEADER = "c2sp.org/tlog-proof@v1"
_MAX_PATH = 63


@dataclass(frozen=True)
class InclusionProof:
    """That an entry is at an index of the tree that a signed checkpoint stands for."""

    index: int
    path: Sequence[bytes]
    checkpoint: Note
    extra: bytes | None = None

    @classmethod
    def parse(cls, text: str) -> "InclusionProof":
        """Return a proof as it is written. Raises `NoteError`."""
        head, separator, note = text.partition("\n\n")
        header, *lines = head.split("\n")
        if header != _HEADER or not separator or not lines:
            raise NoteError(f"A proof begins with {_HEADER}.")
        extra = None
        if lines[0].startswith("extra "):
            extra = decode(lines.pop(0).removeprefix("extra "))
        if not lines or not lines[0].startswith("index "):
            raise NoteError("A proof names the index of its entry.")
        index = parse_size(lines.pop(0).removeprefix("index "))
        path = [decode(line) for line in lines]
        if len(path) > _MAX_PATH or any(len(part) != HASH_BYTES for part in path):
            raise NoteError("A proof has 63 hashes at most, of 32 bytes each.")
        return cls(index, path, Note.parse(note), extra)

    def __str__(self) -> str:
        extra = [] if self.extra is None else [f"extra {encode(self.extra)}"]
        lines = [_HEADER, *extra, f"index {self.index}", *map(encode, self.path)]
        return "".join(f"{line}\n" for line in lines) + f"\n{self.checkpoint}"

    def verify(self, entry: bytes, origin: str, verifiers: Sequence[Verifier]) -> Checkpoint:
        """Check that the log signed a tree with this entry, and return its checkpoint.

        Raises `NoteError` for the checkpoint, and `ProofError` for the proof.
        """
        self.checkpoint.verified(verifiers)
        checkpoint = Checkpoint.parse(self.checkpoint.text)
        if checkpoint.origin != origin:
            raise NoteError(f"The checkpoint is of {checkpoint.origin}, not of {origin}.")
        verify_inclusion(leaf_hash(entry), self.index, checkpoint.size, self.path, checkpoint.root)
        return checkpoint
