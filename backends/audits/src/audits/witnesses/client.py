"""Sends checkpoints to witnesses, and keeps their cosignatures."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import httpx2
import structlog

from audits.log import repository
from audits.log.chain import load_hashes
from audits.transparency.checkpoint import Checkpoint, CosignatureVerifier, parse_size
from audits.transparency.note import Note, NoteError, parse_signature
from audits.transparency.submission import Submission
from audits.transparency.tree import consistency_spans, proof
from bedplate import clock
from bedplate.database import Database

_log = structlog.get_logger("audits.witnesses")
_SECONDS = 10.0
_MAX_ANSWER_BYTES = 64 * 1024
_CLOSING_SECONDS = 2.0
_ATTEMPTS = 3


@dataclass(frozen=True)
class Witness:
    """A witness: where it takes checkpoints, and its public key."""

    url: str
    verifier: CosignatureVerifier


class Witnesses:
    """The witnesses of a database's logs; a context manager.

    Each gets checkpoints at its own pace, and of those that wait only a log's latest: one that
    hangs holds up neither the others nor the log. One that fails is logged, and asked again with
    the next checkpoint.
    """

    def __init__(
        self, database: Database, client: httpx2.AsyncClient, witnesses: Sequence[Witness]
    ) -> None:
        self._database = database
        self._client = client
        self._waiting: list[tuple[Witness, dict[str, Note]]] = [
            (witness, {}) for witness in witnesses
        ]
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if tasks := list(self._tasks.values()):
            _done, late = await asyncio.wait(tasks, timeout=_CLOSING_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def submit(self, tenant: str, note: Note) -> None:
        """Begin to send a checkpoint to each witness; the cosignatures are kept as they come."""
        for witness, waiting in self._waiting:
            waiting[tenant] = note
            if witness.url not in self._tasks:
                sending = self._send_waiting(witness, waiting)
                self._tasks[witness.url] = asyncio.create_task(sending, name="audits_witness")

    async def _send_waiting(self, witness: Witness, waiting: dict[str, Note]) -> None:
        try:
            while waiting:
                tenant = next(iter(waiting))
                await self._try(witness, tenant, waiting.pop(tenant))
        finally:
            del self._tasks[witness.url]

    async def _try(self, witness: Witness, tenant: str, note: Note) -> None:
        try:
            async with asyncio.timeout(_SECONDS):
                await self._cosign(witness, tenant, note)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next checkpoint comes
            reason = str(error) if isinstance(error, NoteError) else type(error).__name__
            _log.warning("witness_failed", witness=witness.verifier.name, reason=reason)

    async def _cosign(self, witness: Witness, tenant: str, note: Note) -> None:
        checkpoint = Checkpoint.parse(note.text)
        session = self._database.read()
        name = witness.verifier.name
        old = await repository.cosigned_size(session, tenant, name)
        for _ in range(_ATTEMPTS):
            spans = consistency_spans(old, checkpoint.size)
            hashes = await load_hashes(session, tenant, checkpoint.size, spans)
            status, answer = await self._send(witness, Submission(old, proof(spans, hashes), note))
            if status == httpx2.codes.OK:
                await self._keep(witness, tenant, checkpoint, note, answer)
                return
            if status != httpx2.codes.CONFLICT:
                raise NoteError(f"It answers {status}.")
            old = parse_size(answer.strip())
            if old > checkpoint.size:
                raise NoteError(f"It has cosigned {old} entries, of {checkpoint.size}.")
        raise NoteError("It names another old size each time.")

    async def _send(self, witness: Witness, submission: Submission) -> tuple[int, str]:
        url = f"{witness.url}/add-checkpoint"
        async with self._client.stream("POST", url, content=str(submission).encode()) as response:
            body = b""
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MAX_ANSWER_BYTES:
                    raise NoteError("Its answer is too long.")
        return response.status_code, body.decode(errors="replace")

    async def _keep(
        self, witness: Witness, tenant: str, checkpoint: Checkpoint, note: Note, answer: str
    ) -> None:
        lines = [parse_signature(line) for line in answer.split("\n") if line]
        [signature, *_] = Note(note.text, lines).verified([witness.verifier])
        async with self._database.write() as writing:
            await repository.add_cosignature(
                writing,
                tenant,
                checkpoint.size,
                checkpoint.root,
                witness=witness.verifier.name,
                line=signature.line(),
                now=clock.now(),
            )
