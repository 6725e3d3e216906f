"""Children that are killed while they write documents and replace files: MODE FOLDER.

Each is forked from this process, which has everything imported, so that hundreds take seconds. At
the end it prints what was seen, as JSON.
"""

import asyncio
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydantic import BaseModel

from bedplate.documents import Document, FileTransactions

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir"}
KILLS = 60


class Count(BaseModel):
    """A number, twice, and something long between, so that a torn file would show."""

    number: int = 0
    filling: str = ""
    again: int = 0


class Place:
    """The folders of one run: two folders and a file that always have the same generation."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.targets = [root / "server", root / "mods", root / "config.json"]
        self.staging = root / "staging"
        self.kept = root / "kept"
        self.journal = root / "journal"
        self.transactions = FileTransactions(self.journal)
        self.document = Document(root / "state" / "count.json", Count, default=Count)

    def create(self) -> None:
        """Make generation 1; the third target does not exist before generation 2."""
        for folder in (self.staging, self.root / "state"):
            folder.mkdir(parents=True)
        for target in self.targets[:2]:
            fill(target, 1)

    def stage(self, generation: int) -> dict[Path, Path | None]:
        """Stage a generation and return what `replace` takes."""
        shutil.rmtree(self.staging, ignore_errors=True)
        self.staging.mkdir()
        staged = [self.staging / target.name for target in self.targets]
        for path in staged:
            fill(path, generation)
        return dict(zip(self.targets, staged, strict=True))

    def generations(self) -> list[int]:
        """Return the generation of each target, 0 for one that isn't there."""
        return [generation_of(target) for target in self.targets]

    def whole(self) -> bool:
        """Return whether all targets are of one generation; the third begins with the second."""
        first, second, third = self.generations()
        return first == second and first > 0 and third == (first if first > 1 else 0)

    def strays(self) -> list[str]:
        """Return what no file of this run explains."""
        folders = (self.journal, self.root / "state", self.root)
        known = {"count.json", "server", "mods", "config.json", "staging", "kept", "journal"}
        known.add("state")
        found = [path for folder in folders for path in folder.iterdir()]
        return [str(path.relative_to(self.root)) for path in found if path.name not in known]


def fill(path: Path, generation: int) -> None:
    """Make a target: a file, or a folder with one that is deeper."""
    file = path
    if not path.suffix:
        (path / "deeper").mkdir(parents=True)
        file = path / "deeper" / "generation"
    file.write_text(str(generation))


def generation_of(path: Path) -> int:
    """Return which generation a target is, 0 when there is none."""
    file = path if path.suffix else path / "deeper" / "generation"
    return int(file.read_text()) if file.exists() else 0


def forked(main: Callable[[], object]) -> int:
    """Return the id of a child that runs `main` and exits 0, or 1 when that raises."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        main()
        code = 0
    finally:
        sys.stdout.flush()
        os._exit(code)


def ended_by(child: int) -> int:
    """Return the exit code of a child, or the negative number of the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_at(change: int) -> None:
    """Kill this process before it makes its change number `change` to the file system."""
    seen = 0

    def watch(event: str, _: tuple[object, ...]) -> None:
        nonlocal seen
        seen += event in CHANGES
        if event in CHANGES and seen == change:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def killed_at(change: int, main: Callable[[], object]) -> bool:
    """Run `main` in a child that dies before that change; return whether it came so far."""

    def doomed() -> None:
        kill_at(change)
        main()

    code = ended_by(forked(doomed))
    if code not in {0, -signal.SIGKILL}:
        raise RuntimeError(f"A child ended with {code}.")
    return code != 0


def at_every_change(root: Path, *, keep: bool, emptied: bool) -> dict[str, object]:
    """Kill a replacement before each of its changes, and its recovery before each of its own.

    `emptied` takes the staged files away before the recovery.
    """
    found: dict[str, object] = {"kills": 0, "old": 0, "new": 0, "broken": []}
    change = 0
    while True:
        change += 1
        place = Place(root / str(change))
        place.create()
        staged = place.stage(2)
        kept = place.kept if keep else None
        if not killed_at(change, partial(place.transactions._replace, staged, kept)):
            return found
        if emptied:
            shutil.rmtree(place.staging)
        kill_recoveries(place, found)


def kill_recoveries(place: Place, found: dict[str, object]) -> None:
    """Recover copies of a place; kill the recovery before each of its changes, then recover."""
    change, killed = 0, True
    while killed:
        change += 1
        copy = Place(place.root.with_name(f"{place.root.name}-{change}"))
        shutil.copytree(place.root, copy.root)
        killed = killed_at(change, copy.transactions._recover)
        judge(copy, found)
        shutil.rmtree(copy.root)


def judge(place: Place, found: dict[str, object]) -> None:
    """Recover without a kill, and count what that came to."""
    place.transactions._recover()
    outcome = "new" if place.generations()[0] == 2 else "old"
    found["kills"] += 1  # type: ignore[operator]
    found[outcome] += 1  # type: ignore[operator]
    if not place.whole() or place.strays():
        found["broken"].append([place.generations(), place.strays()])  # type: ignore[attr-defined]


def at_random_moments(root: Path) -> dict[str, object]:
    """Kill a child that writes and replaces without a pause; look at what it left each time."""
    chance = random.Random(1)
    place = Place(root / "random")
    place.create()
    found: dict[str, object] = {"kills": 0, "writes": 0, "broken": []}
    for kill in range(KILLS):
        reader, writer = os.pipe()
        child = forked(partial(toil_until_killed, place, writer))
        os.close(writer)
        # Every other child gets as far as to its second write, however busy the machine is.
        heard = first_words(reader, 2) if kill % 2 else b""
        time.sleep(chance.uniform(0.005, 0.08))
        os.kill(child, signal.SIGKILL)
        ended_by(child)
        reported = (heard + os.read(reader, 1_000_000)).decode().split("\n")[:-1]
        os.close(reader)
        look(place, int(reported[-1]) if reported else 0, found)
    found["writes"] = json.loads(place.document.path.read_text())["number"]
    found["generation"] = place.generations()[0]
    return found


def first_words(reader: int, lines: int) -> bytes:
    """Return what a child tells, as soon as that is so many lines."""
    heard = b""
    while heard.count(b"\n") < lines and (more := os.read(reader, 4096)):
        heard += more
    return heard


def toil_until_killed(place: Place, reported: int) -> None:
    """Run `toil` on an event loop of its own."""
    asyncio.run(toil(place, reported))


async def toil(place: Place, reported: int) -> None:
    """Write and replace until killed; print each number that is on the disk."""
    await place.transactions.recover()
    generation = place.generations()[0]
    while True:
        async with place.document.change() as count:
            count.number += 1
            count.filling = "x" * (count.number * 37 % 50_000)
            count.again = count.number
        os.write(reported, f"{count.number}\n".encode())
        generation += 1
        keep = place.kept / str(generation) if generation % 2 else None
        await place.transactions.replace(place.stage(generation), keep=keep)


def look(place: Place, reported: int, found: dict[str, object]) -> None:
    """Recover and read; a number that was reported must not be lost."""

    async def recover_and_read() -> None:
        await place.transactions.recover()
        count = await place.document.read()
        if count.number < reported or count.number != count.again:
            raise RuntimeError(f"{count.number} is not {reported}.")
        await place.document.write(count)

    code = ended_by(forked(lambda: asyncio.run(recover_and_read())))
    found["kills"] += 1  # type: ignore[operator]
    if code or not place.whole() or place.strays():
        found["broken"].append([code, place.generations(), place.strays()])  # type: ignore[attr-defined]


def main(mode: str, root: Path) -> None:
    """Do what is asked for, and print what was seen."""
    if mode == "random":
        found = at_random_moments(root)
    else:
        found = at_every_change(root, keep="keep" in mode, emptied="emptied" in mode)
    print(json.dumps(found))  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
