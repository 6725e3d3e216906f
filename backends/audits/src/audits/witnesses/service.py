"""A witness: it cosigns a log's checkpoints only as long as the log grows and never changes."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel

from audits.transparency.checkpoint import Checkpoint, Ed25519Cosigner
from audits.transparency.note import Note, NoteError, Signature, Verifier
from audits.transparency.submission import Submission
from audits.transparency.tree import EMPTY_ROOT, ProofError, verify_consistency
from audits.witnesses.exceptions import (
    CheckpointNotSigned,
    InconsistentCheckpoint,
    MalformedSubmission,
    OtherOldSize,
    UnknownLog,
)
from bedplate import clock
from bedplate.documents import Document


class Seen(BaseModel):
    """The latest checkpoint of a log that was cosigned: its note, with our signature."""

    note: str = ""


class Cosigner:
    """Cosigns the checkpoints of the logs that it knows, and remembers the latest of each."""

    def __init__(
        self, folder: Path, key: Ed25519Cosigner, logs: Mapping[str, Sequence[Verifier]]
    ) -> None:
        """Prepare to cosign; `logs` are the keys of each log, by its origin."""
        self._folder = folder
        self._key = key
        self._logs = logs
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def add(self, body: bytes) -> str:
        """Return the signature line for a checkpoint that continues the latest one.

        It is remembered before this returns. Raises `MalformedSubmission`, `UnknownLog`,
        `CheckpointNotSigned`, `OtherOldSize`, `InconsistentCheckpoint`.
        """
        try:
            submission = Submission.parse(body)
            checkpoint = Checkpoint.parse(submission.checkpoint.text)
        except NoteError as error:
            raise MalformedSubmission(str(error)) from None
        verifiers = self._logs.get(checkpoint.origin)
        if verifiers is None:
            raise UnknownLog
        try:
            signed = submission.checkpoint.verified(verifiers)
        except NoteError:
            raise CheckpointNotSigned from None
        if submission.old_size > checkpoint.size:
            raise MalformedSubmission("The old size is larger than the checkpoint's.")
        async with self._turns[checkpoint.origin]:
            return await self._cosign(submission, checkpoint, signed)

    async def _cosign(
        self, submission: Submission, checkpoint: Checkpoint, signed: Sequence[Signature]
    ) -> str:
        document = self._document(checkpoint.origin)
        seen = (await document.read()).note
        latest = Checkpoint.parse(Note.parse(seen).text) if seen else None
        size, root = (latest.size, latest.root) if latest else (0, EMPTY_ROOT)
        if submission.old_size != size:
            raise OtherOldSize(size)
        try:
            verify_consistency(size, root, checkpoint.size, checkpoint.root, submission.proof)
        except ProofError as error:
            raise InconsistentCheckpoint(str(error)) from None
        if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
            raise InconsistentCheckpoint("The empty tree has another root.")
        text = submission.checkpoint.text
        made = self._key.sign(text, int(clock.now().timestamp()))
        ours = Signature(self._key.name, self._key.key_id, made)
        await document.write(Seen(note=str(Note(text, [*signed, ours]))))
        return f"{ours.line()}\n"

    async def latest(self, origin_hash: str) -> str:
        """Return the latest cosigned checkpoint of a log, by the SHA-256 of its origin in hex.

        Raises `UnknownLog` also for a log of which nothing was cosigned.
        """
        for origin in self._logs:
            if sha256(origin.encode()).hexdigest() == origin_hash:
                if note := (await self._document(origin).read()).note:
                    return note
                break
        raise UnknownLog

    def _document(self, origin: str) -> Document[Seen]:
        name = sha256(origin.encode()).hexdigest()
        return Document(self._folder / f"{name}.json", Seen, default=Seen)
