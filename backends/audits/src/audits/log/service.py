"""The rules of the log: checkpoints are signed, tiles are served, records are proved."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import structlog

from audits.log import repository
from audits.log.chain import load_hashes
from audits.log.exceptions import NoCheckpoint, NotInACheckpoint, NotInTheLog
from audits.transparency.bundle import pack
from audits.transparency.checkpoint import Checkpoint, MLDSA44Cosigner
from audits.transparency.note import Ed25519Signer, Note, Signature
from audits.transparency.proof import InclusionProof
from audits.transparency.tiles import TILE_WIDTH, Tile
from audits.transparency.tree import HASH_BYTES, Span, inclusion_spans, proof, root_hash
from bedplate import clock
from bedplate.database import Database, ReadSession, Row

_log = structlog.get_logger("audits.log")

_COALESCE_SECONDS = 0.25
"""How long after a record the checkpoint is signed that covers it."""

_RETRY_SECONDS = 5.0


class InconsistentLog(Exception):
    """The stored tree is no continuation of the last checkpoint: nothing may be signed."""


class Entries(Protocol):
    """Reads the entries that leaves were made from: the log itself holds only their hashes."""

    async def __call__(
        self, session: ReadSession, tenant: str, first: int, end: int
    ) -> Sequence[bytes]:
        """Return the entries from `first` to before `end`, or fewer where some are gone."""
        ...


class Announcer(Protocol):
    """Learns of new checkpoints."""

    def submit(self, tenant: str, note: Note) -> None:
        """Take notice of a checkpoint that was signed."""
        ...


@dataclass(frozen=True)
class LogKeys:
    """The keys that sign the checkpoints of all tenants' logs.

    Each log is named `<name>/<tenant>`, which is the name of its keys too.
    """

    name: str
    seed: bytes
    previous_seed: bytes | None = None
    """The key before, which signs too until every verifier knows the new one."""
    ml_dsa_seed: bytes | None = None
    """The seed of a second key, for signatures that are safe against quantum computers."""

    def origin(self, tenant: str) -> str:
        """Return the name of a tenant's log."""
        return f"{self.name}/{tenant}"

    def signers(self, tenant: str) -> list[Ed25519Signer]:
        """Return the Ed25519 keys, the current one first."""
        seeds = [self.seed, *([self.previous_seed] if self.previous_seed else [])]
        return [Ed25519Signer(self.origin(tenant), seed) for seed in seeds]

    def _cosigners(self, tenant: str) -> list[MLDSA44Cosigner]:
        return [MLDSA44Cosigner(self.origin(tenant), self.ml_dsa_seed)] if self.ml_dsa_seed else []

    def vkeys(self, tenant: str) -> list[str]:
        """Return the public keys of a tenant's log as verifiers take them, current one first."""
        return [
            *(key.vkey for key in self.signers(tenant)),
            *(key.vkey for key in self._cosigners(tenant)),
        ]

    def sign(self, checkpoint: Checkpoint, tenant: str, seconds: int) -> Note:
        """Return the signed checkpoint; `seconds` since 1970 are for the second key."""
        note = Note(str(checkpoint), []).signed(*self.signers(tenant))
        made = [
            Signature(key.name, key.key_id, key.sign(note.text, seconds))
            for key in self._cosigners(tenant)
        ]
        return Note(note.text, [*note.signatures, *made])

    def rotation(self, tenant: str) -> Note | None:
        """Return the note in which the key before names the current one, if there was one."""
        current, *before = self.signers(tenant)
        if not before:
            return None
        text = f"bedplate.audits/key-rotation@v1\n{current.name}\n{current.vkey}\n"
        return Note(text, []).signed(*before)


class Notary:
    """Signs the checkpoints of the chains of a database."""

    def __init__(self, database: Database, keys: LogKeys) -> None:
        self._database = database
        self.keys = keys

    async def sign(self, tenant: str, *, older_than: timedelta | None = None) -> Note | None:
        """Sign a checkpoint of a chain's present size, and return it.

        Returns None when there is one already, unless that is older than `older_than`. Raises
        `InconsistentLog` rather than sign a tree that doesn't continue the last checkpoint's.
        """
        session = self._database.read()
        # In this order: others may append and sign meanwhile, and the head is never the older one.
        latest = await repository.latest_checkpoint(session, tenant)
        head = await repository.head(session, tenant)
        now = clock.now()
        if head.size == 0:
            return None
        if latest is not None and latest["size"] == head.size:
            is_fresh = older_than is None or now - latest["signed_at"] < older_than
            if is_fresh:
                return None
        root = await self._root(session, tenant, head.size)
        if latest is not None:
            before = await self._root(session, tenant, latest["size"])
            if latest["size"] > head.size or before != latest["root"]:
                raise InconsistentLog(
                    f"The log of {tenant} doesn't continue its checkpoint of {latest['size']} "
                    "entries, so nothing is signed: run `bedplate audits verify`."
                )
        checkpoint = Checkpoint(self.keys.origin(tenant), head.size, root)
        note = self.keys.sign(checkpoint, tenant, int(now.timestamp()))
        async with self._database.write() as writing:
            await repository.add_checkpoint(writing, tenant, head.size, root, str(note), now)
        return note

    async def _root(self, session: ReadSession, tenant: str, size: int) -> bytes:
        hashes = await load_hashes(session, tenant, size, [Span(0, size)])
        return root_hash(size, hashes)


class Signing:
    """Signs checkpoints in the background: soon after each growth, and at an interval."""

    def __init__(
        self, database: Database, notary: Notary, announcer: Announcer, interval: timedelta
    ) -> None:
        self._database = database
        self._notary = notary
        self._announcer = announcer
        self._interval = interval
        self._grown: set[str] = set()
        self._wake = asyncio.Event()

    def grown(self, tenant: str) -> None:
        """Sign a checkpoint of this tenant's chain soon."""
        self._grown.add(tenant)
        self._wake.set()

    async def run(self) -> None:
        """Sign until cancelled; what fails is logged, and tried again."""
        loop = asyncio.get_running_loop()
        all_at = loop.time()
        while True:
            # However busy some chains are, the others' turn comes.
            if loop.time() >= all_at:
                await self._try(self.sign_all())
                all_at = loop.time() + self._interval.total_seconds()
            try:
                async with asyncio.timeout_at(all_at):
                    await self._wake.wait()
                    # Records that come meanwhile are in the same checkpoint.
                    await asyncio.sleep(_COALESCE_SECONDS)
            except TimeoutError:
                continue
            await self.sign_grown()
            if self._grown and not self._wake.is_set():
                loop.call_later(_RETRY_SECONDS, self._wake.set)

    async def sign_grown(self) -> None:
        """Sign the chains that grew since the last time."""
        self._wake.clear()
        grown, self._grown = self._grown, set()
        for tenant in grown:
            if not await self._try(self._sign(tenant)):
                self._grown.add(tenant)

    async def sign_all(self) -> None:
        """Sign each chain whose checkpoint is missing or older than the interval."""
        for tenant in await repository.tenants(self._database.read()):
            await self._try(self._sign(tenant, older_than=self._interval))

    async def _sign(self, tenant: str, older_than: timedelta | None = None) -> None:
        note = await self._notary.sign(tenant, older_than=older_than)
        if note is None and older_than is None:
            # An export or another process signed it first, and that announces nothing.
            found = await repository.latest_checkpoint(self._database.read(), tenant)
            note = Note.parse(found["note"]) if found else None
        if note is not None:
            self._announcer.submit(tenant, note)

    async def _try(self, signing: Coroutine[Any, Any, object]) -> bool:
        try:
            await signing
        except Exception as error:  # noqa: BLE001 - the next growth or interval tries again
            _log.error("checkpoint_not_signed", error=str(error), exc_info=error)
            return False
        return True


async def latest(session: ReadSession, tenant: str) -> Row | None:
    """Return size, root, note and time of the latest signed checkpoint, if there is one.

    The note has the cosignatures of witnesses after the log's own signatures.
    """
    found = await repository.latest_checkpoint(session, tenant)
    if found is not None:
        lines = await repository.cosignatures(session, tenant, found["size"], found["root"])
        found["note"] += "".join(f"{line}\n" for line in lines)
    return found


async def checkpoint(session: ReadSession, tenant: str) -> Note:
    """Return the latest signed checkpoint. Raises `NoCheckpoint`."""
    found = await latest(session, tenant)
    if found is None:
        raise NoCheckpoint
    return Note.parse(found["note"])


async def tile(session: ReadSession, tenant: str, wanted: Tile) -> bytes:
    """Return the hashes of a tile that a checkpoint covers. Raises `NotInTheLog`."""
    await _check_published(session, tenant, wanted)
    hashes = await repository.tile(session, tenant, wanted)
    if len(hashes) != wanted.width * HASH_BYTES:
        raise NotInTheLog
    return hashes


async def bundle(session: ReadSession, entries: Entries, tenant: str, wanted: Tile) -> bytes:
    """Return the bundle of a tile's entries, which a checkpoint covers. Raises `NotInTheLog`."""
    await _check_published(session, tenant, wanted)
    first = wanted.index * TILE_WIDTH
    found = await entries(session, tenant, first, first + wanted.width)
    if len(found) != wanted.width:
        raise NotInTheLog
    return pack(found)


async def _check_published(session: ReadSession, tenant: str, wanted: Tile) -> None:
    """Raise `NotInTheLog` for a tile beyond the latest checkpoint: what is served is signed."""
    found = await repository.latest_checkpoint(session, tenant)
    if found is None or wanted.end > found["size"]:
        raise NotInTheLog


async def minimum(session: ReadSession, tenant: str) -> int:
    """Return the index of the first entry that wasn't pruned (c2sp.org/tlog-tiles, Pruning)."""
    return await repository.minimum(session, tenant)


async def prove(session: ReadSession, tenant: str, index: int) -> InclusionProof:
    """Return the proof that the leaf with this index is in the latest checkpoint's tree.

    Raises `NotInACheckpoint` for a leaf that came after it.
    """
    found = await latest(session, tenant)
    if found is None or index >= found["size"]:
        raise NotInACheckpoint(headers={"Retry-After": "1"})
    size: int = found["size"]
    spans = inclusion_spans(index, size)
    hashes = await load_hashes(session, tenant, size, spans)
    return InclusionProof(index, proof(spans, hashes), Note.parse(found["note"]))
