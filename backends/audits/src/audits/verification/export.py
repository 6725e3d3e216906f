"""Verifies an export without the server: each record's own content, up to the signed root."""

import json
from base64 import b64decode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final

from audits.records.entries import commitment, entry_of
from audits.records.items import EXPORT_FORMAT, to_event, to_line
from audits.records.privacy import take
from audits.transparency.checkpoint import Checkpoint
from audits.transparency.note import Note, NoteError, Verifier
from audits.transparency.tree import EMPTY_ROOT, ProofError, climb, leaf_hash
from audits.verification.finding import Break, Broken, Verified

_MALFORMED: Final = (KeyError, TypeError, ValueError, AttributeError)


class _Climbs:
    """Climbs from leaves to the signed root, and remembers the nodes on the last leaf's way.

    The next leaf's way mostly meets one of these soon, and what lies above it was checked already.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._checked: dict[int, tuple[int, bytes]] = {}

    def check(self, leaf: bytes, index: int, path: Sequence[bytes]) -> None:
        """Raise `ProofError` for a leaf that isn't at this index of the signed tree."""
        passed: dict[int, tuple[int, bytes]] = {}
        made = b""
        for level, node, made in climb(leaf, index, self._checkpoint.size, path):
            if self._checked.get(level) == (node, made):
                self._checked |= passed
                return
            passed[level] = node, made
        if made != self._checkpoint.root:
            raise ProofError("Its path doesn't lead to the signed root.")
        self._checked = passed


class _Export:
    """An export as far as it was read, whose first line was `header`."""

    def __init__(self, header: dict[str, Any], verifiers: Sequence[Verifier]) -> None:
        try:
            about = header["export"]
            if about["format"] != EXPORT_FORMAT:
                raise ValueError(f"Its format isn't {EXPORT_FORMAT}.")
            self.signers: tuple[str, ...] = ()
            self.checkpoint = Checkpoint("", 0, EMPTY_ROOT)
            if about["checkpoint"]:
                note = Note.parse(about["checkpoint"])
                self.signers = tuple(found.name for found in note.verified(verifiers))
                self.checkpoint = Checkpoint.parse(note.text)
        except NoteError as error:
            raise Broken(Break("checkpoint", str(error))) from None
        except _MALFORMED as error:
            raise Broken(Break("line", f"Line 1 isn't the begin of an export: {error}")) from None
        self.count = 0
        self.last: int | None = None
        self._climbs = _Climbs(self.checkpoint)

    def check(self, line: dict[str, Any], number: int, written: bytes) -> None:
        """Check the record of a line, which `written` are the bytes of. Raises `Broken`."""
        record = line.get("record")
        seq = record.get("sequence") if isinstance(record, dict) else None
        record_id = record.get("id") if isinstance(record, dict) else None
        try:
            path = [b64decode(part, validate=True) for part in line["evidence"]["path"]]
            leaf, exported = _leaf(line, path)
            self._climbs.check(leaf, line["record"]["sequence"], path)
        except ProofError as error:
            message = f"The record isn't what the log holds. {error}"
            raise Broken(Break("record", message, seq, record_id)) from None
        except _MALFORMED as error:
            message = f"Line {number} isn't a record: {type(error).__name__}."
            raise Broken(Break("line", message, seq, record_id)) from None
        if exported != written:
            message = "The line has more than the log holds, or writes it otherwise."
            raise Broken(Break("record", message, seq, record_id))
        self.count += 1
        self.last = seq if self.last is None else max(self.last, line["record"]["sequence"])

    def end(self, trailer: Any, digest: str) -> Verified:
        """Check the last line. Raises `Broken`."""
        expected = {
            "count": self.count,
            "last_sequence": self.last,
            "digest": f"sha256:{digest}",
        }
        if trailer != expected:
            raise Broken(
                Break("trailer", f"The trailer says {trailer}, and the lines say {expected}.")
            )
        return Verified(self.count, self.checkpoint.size, self.checkpoint.origin, self.signers)


def _leaf(line: dict[str, Any], path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return the leaf that a line's record is in the log, and the line as the log exports it.

    Both are made from what the leaf is made from alone, so that nothing else can be in the line.
    """
    event, salts = to_event(line["record"], line["evidence"])
    exported = dict(event)
    commitments = dict(event["commitments"] or {})
    for member, salt in salts.items():
        commitments[member] = commitment(salt, take(event, member))
    event["commitments"] = commitments or None
    leaf = leaf_hash(entry_of(event))
    private = [{"member": member, "salt": salt} for member, salt in salts.items()]
    return leaf, to_line({**exported, "leaf_hash": leaf, "private": private}, path)


def verify_export(lines: Iterable[bytes], verifiers: Sequence[Verifier]) -> Verified:
    """Verify the lines of an NDJSON export, in constant memory.

    Raises `Broken` with the first thing that isn't as the log has signed it.
    """
    digest = sha256()
    export: _Export | None = None
    verified: Verified | None = None
    for number, line in enumerate(lines, 1):
        document = _parse(line, number)
        if verified is not None:
            raise Broken(Break("line", f"Line {number} comes after the trailer."))
        if export is None:
            export = _Export(document, verifiers)
        elif "trailer" in document:
            verified = export.end(document["trailer"], digest.hexdigest())
        else:
            export.check(document, number, line)
        digest.update(line)
    if verified is None:
        raise Broken(Break("trailer", "The export has no trailer: it was cut short."))
    return verified


def _parse(line: bytes, number: int) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Broken(Break("line", f"Line {number} isn't a JSON object."))
    return document
