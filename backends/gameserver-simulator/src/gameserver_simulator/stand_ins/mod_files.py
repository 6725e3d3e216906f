"""Files of the mods: real archives, made on request."""

import io
import json
import stat
import zipfile
from collections.abc import Callable

from gameserver_simulator.game.modinfo import TRIGGER
from gameserver_simulator.stand_ins.catalogue import Kind, Release

MIB = 1024 * 1024
OVERSIZED_BYTES = 41 * MIB
BOMB_BYTES = 160 * MIB
MODINFO_BYTES = 8 * MIB
EPOCH = (2024, 1, 6, 10, 0, 0)
"""The time of every entry, so that a file is always the same."""

Entries = dict[str, bytes]


def content_of(release: Release) -> bytes:
    """Return the bytes of a release's file."""
    special = SPECIAL.get(release.kind)
    return special(release) if special else _archive(_entries(release))


def _entries(release: Release) -> Entries:
    entries = {
        "modinfo.json": _modinfo(release),
        "modicon.png": b"\x89PNG\r\n\x1a\n",
        f"assets/{release.identifier}/lang/en.json": b"{}",
    }
    startup = {Kind.HANGS: "hang", Kind.CRASHES: "crash"}.get(release.kind)
    if startup:
        entries[TRIGGER] = json.dumps({"startup": startup}).encode()
    return entries


def _modinfo(release: Release, **changes: object) -> bytes:
    document = {
        "type": "code",
        "name": release.identifier.title(),
        "modid": release.identifier,
        "version": release.version,
        "side": "Universal",
        "authors": ["Somebody"],
        "description": "Invented.",
        "dependencies": release.dependencies or {"game": ""},
    }
    return json.dumps(document | changes, indent=2).encode()


def _archive(entries: Entries, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = method
            archive.writestr(info, content)
    return buffer.getvalue()


def _lenient(release: Release) -> bytes:
    """Return a mod whose modinfo only a lenient JSON parser reads, such as the game's."""
    text = f"""\ufeff// Made by hand.
{{
  "Type": 'Content', /* no code */
  "Name": "It's {release.identifier} // really",
  "ModID": "{release.identifier}", "VERSION": "{release.version}",
  "Dependencies": {{ "game": "", }},
}}
"""
    return _archive({"modinfo.json": text.encode()})


def _slip(release: Release) -> bytes:
    names = ("../../evil.txt", "/tmp/evil.txt", "assets\\..\\..\\evil.txt")  # noqa: S108 - an attack
    return _archive(_entries(release) | dict.fromkeys(names, b"evil"))


def _symlink(release: Release) -> bytes:
    buffer = io.BytesIO(_archive(_entries(release)))
    with zipfile.ZipFile(buffer, "a") as archive:
        link = zipfile.ZipInfo("assets/link", EPOCH)
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return buffer.getvalue()


SPECIAL: dict[Kind, Callable[[Release], bytes]] = {
    Kind.LENIENT: _lenient,
    Kind.OTHER_ID: lambda r: _archive({"modinfo.json": _modinfo(r, modid="brightlanterns")}),
    Kind.OTHER_VERSION: lambda r: _archive({"modinfo.json": _modinfo(r, version="9.9.9")}),
    Kind.NO_MODINFO: lambda r: _archive({f"assets/{r.identifier}/a.json": b"{}"}),
    Kind.NESTED_MODINFO: lambda r: _archive({f"{r.identifier}/modinfo.json": _modinfo(r)}),
    Kind.NO_ZIP: lambda _: b"<html>This is not an archive.</html>",
    Kind.SLIP: _slip,
    Kind.SYMLINK: _symlink,
    Kind.BOMB: lambda r: _archive(_entries(r) | {"assets/zeros": bytes(BOMB_BYTES)}),
    Kind.OVERSIZED: lambda r: _archive(
        _entries(r) | {"assets/zeros": bytes(OVERSIZED_BYTES)}, zipfile.ZIP_STORED
    ),
    Kind.HUGE_MODINFO: lambda r: _archive(
        {"modinfo.json": _modinfo(r, description="x" * MODINFO_BYTES)}
    ),
}
