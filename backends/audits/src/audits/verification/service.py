"""Verifications of whole logs on the server, in the background, with their progress."""

import asyncio
from collections import OrderedDict
from uuid import UUID

import structlog

from audits.log.exceptions import NoCheckpoint, NotInTheLog
from audits.log.service import Entries, LogKeys, bundle, checkpoint, minimum, tile
from audits.transparency.checkpoint import Checkpoint, verifier_of
from audits.transparency.tiles import parse_path
from audits.verification.exceptions import TooManyVerifications, VerificationNotFound
from audits.verification.finding import Broken
from audits.verification.log import verify_log
from audits.verification.schemas import BreakFound, Verification
from bedplate import clock, ids
from bedplate.database import Database
from bedplate.jobs.background import Jobs

_MAX_KEPT = 100
_MAX_RUNNING = 2
_log = structlog.get_logger("audits.verification")


class Verifications:
    """The verifications of this process: those that run, and the latest that ran."""

    def __init__(self, database: Database, keys: LogKeys, entries: Entries, jobs: Jobs) -> None:
        self._database = database
        self._keys = keys
        self._entries = entries
        self._jobs = jobs
        self._kept: OrderedDict[UUID, Verification] = OrderedDict()

    async def start(self, tenant: str) -> Verification:
        """Begin to verify a tenant's log. Raises `NoCheckpoint`, `TooManyVerifications`."""
        note = await checkpoint(self._database.read(), tenant)
        running = sum(found.state == "running" for found in self._kept.values())
        if running >= _MAX_RUNNING:
            raise TooManyVerifications(retry_after=5)
        begun = Verification(
            id=ids.uuid(),
            tenant=tenant,
            state="running",
            entries=0,
            size=Checkpoint.parse(note.text).size,
            started_at=clock.now(),
            ended_at=None,
            found=None,
        )
        self._kept[begun.id] = begun
        if len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
        self._jobs.start(self._run(begun), name="audits_verification")
        return begun

    def get(self, tenant: str, verification_id: UUID) -> Verification:
        """Return a verification. Raises `VerificationNotFound`, also for another tenant's."""
        found = self._kept.get(verification_id)
        if found is None or found.tenant != tenant:
            raise VerificationNotFound
        return found

    async def _run(self, verification: Verification) -> None:
        verifiers = [verifier_of(vkey) for vkey in self._keys.vkeys(verification.tenant)]
        source = DatabaseLog(
            self._database, self._entries, verification.tenant, asyncio.get_running_loop()
        )

        def progress(entries: int) -> None:
            verification.entries = entries

        try:
            await asyncio.to_thread(verify_log, source, verifiers, progress=progress)
            verification.state = "verified"
        except Broken as broken:
            found = broken.found
            verification.state = "broken"
            verification.found = BreakFound.model_validate(vars(found))
            _log.error("audit_log_broken", tenant=verification.tenant, found=str(found))
        finally:
            if verification.state == "running":
                verification.state = "failed"
            verification.ended_at = clock.now()


class DatabaseLog:
    """A log's files as the database makes them, for a verification in a thread."""

    def __init__(
        self, database: Database, entries: Entries, tenant: str, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._database = database
        self._entries = entries
        self._tenant = tenant
        self._loop = loop

    def read(self, path: str) -> bytes | None:
        """Return a file, or None where it isn't."""
        return asyncio.run_coroutine_threadsafe(self._read(path), self._loop).result()

    async def _read(self, path: str) -> bytes | None:
        session = self._database.read()
        try:
            if path == "checkpoint":
                return str(await checkpoint(session, self._tenant)).encode()
            if path == "minimum":
                return str(await minimum(session, self._tenant)).encode()
            wanted, is_bundle = parse_path(path.removeprefix("tile/"))
            if not is_bundle:
                return await tile(session, self._tenant, wanted)
            return await bundle(session, self._entries, self._tenant, wanted)
        except (NoCheckpoint, NotInTheLog):
            return None
