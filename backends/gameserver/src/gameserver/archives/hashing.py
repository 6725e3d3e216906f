"""Digests of files."""

import hashlib
from pathlib import Path

from gameserver.archives.reading import CHUNK


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal. Blocking: run it in a thread."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
