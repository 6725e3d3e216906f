"""What a log sends to a witness: the body of `add-checkpoint` of c2sp.org/tlog-witness."""

from collections.abc import Sequence
from dataclasses import dataclass

from audits.transparency.checkpoint import parse_size
from audits.transparency.note import Note, NoteError, decode, encode
from audits.transparency.tree import HASH_BYTES

MAX_PROOF_LINES = 63
SIZE_MEDIA_TYPE = "text/x.tlog.size"
"""The type of the body of a 409: the size that the witness has cosigned last."""


@dataclass(frozen=True)
class Submission:
    """A checkpoint, and the proof that it continues the tree of `old_size` leaves."""

    old_size: int
    proof: Sequence[bytes]
    checkpoint: Note

    @classmethod
    def parse(cls, body: bytes) -> "Submission":
        """Return a submission as it is sent. Raises `NoteError`."""
        try:
            head, separator, note = body.decode().partition("\n\n")
        except UnicodeDecodeError:
            raise NoteError("A submission is UTF-8.") from None
        first, *lines = head.split("\n")
        if not separator or not first.startswith("old "):
            raise NoteError("A submission begins with the old size.")
        proof = [decode(line) for line in lines]
        if len(proof) > MAX_PROOF_LINES or any(len(part) != HASH_BYTES for part in proof):
            raise NoteError("A proof has 63 hashes at most, of 32 bytes each.")
        return cls(parse_size(first.removeprefix("old ")), proof, Note.parse(note))

    def __str__(self) -> str:
        lines = "".join(f"{encode(part)}\n" for part in self.proof)
        return f"old {self.old_size}\n{lines}\n{self.checkpoint}"
