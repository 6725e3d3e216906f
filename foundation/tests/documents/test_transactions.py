"""Files and folders replaced together, also when the process is killed at any moment."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedplate.documents import DamagedDocument, FileTransactions, ReplacementFailed, UnsuitableFile
from bedplate.documents.replacement import Replacement, Step

PROGRAM = Path(__file__).parent / "crash_program.py"


def fill(root: Path, tree: dict[str, str]) -> None:
    """Make files, by path below `root`."""
    for name, content in tree.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


def tree(root: Path) -> dict[str, str]:
    """Return the files below `root` with their content, without the journal's empty folder."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_text() for path in files}


def crash(mode: str, root: Path) -> dict[str, Any]:
    """Run the program that kills its children, and return what it saw."""
    command = [sys.executable, "-W", "error", str(PROGRAM), mode, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_sixty_kills_at_random_moments_leave_all_readable_and_whole(tmp_path: Path) -> None:
    """Targets are of one generation, no document is torn, and none that was written is lost."""
    found = crash("random", tmp_path)
    assert (found["kills"], found["broken"]) == (60, [])
    assert found["writes"] > 10
    assert found["generation"] > 10


def test_a_kill_before_each_change_is_finished(tmp_path: Path) -> None:
    """Killed before any rename or removal, and again in its recovery, it is all old or all new."""
    found = crash("every", tmp_path)
    assert found["broken"] == []
    assert found["old"] > 5
    assert found["new"] > 30


def test_what_lost_its_staged_files_is_undone(tmp_path: Path) -> None:
    """When staged files were tidied away before the recovery, it is all old, or was all new."""
    found = crash("every-keep-emptied", tmp_path)
    assert found["broken"] == []
    assert found["old"] > 30
    assert found["new"] > 5


async def test_what_is_staged_is_on_the_disk_before_the_first_rename(
    tmp_path: Path, recorded_disk: list[tuple[str, ...]]
) -> None:
    """Then the journal's entry, then the renames and their folders, before the entry goes."""
    fill(tmp_path, {"a": "old", "staged/a": "new", "staged/game/mods/b": "new"})
    journal, staged = tmp_path / "journal", tmp_path / "staged"
    replacements: dict[Path, Path | None] = {
        tmp_path / "a": staged / "a",
        tmp_path / "game": staged / "game",
    }
    await FileTransactions(journal).replace(replacements)
    calls = [tuple(path.removeprefix(f"{tmp_path}/") for path in call) for call in recorded_disk]
    first, last = (calls.index(("rename", f"staged/{name}", name)) for name in ("a", "game"))
    [written] = [n for n, call in enumerate(calls) if call[-1].endswith(".json") and call[2:]]
    entry = calls[written][-1]
    for path in ("staged/a", "staged/game/mods/b", "staged/game/mods", "staged/game"):
        assert calls.index(("sync", path)) < written
    assert calls[written + 1] == ("sync", "journal")
    assert written + 1 < first
    removed = calls.index(("remove", entry))
    assert {("sync", str(tmp_path)), ("sync", "staged")} <= set(calls[last:removed])
    assert calls[removed + 1] == ("sync", "journal")


async def test_targets_are_replaced_and_old_ones_kept(tmp_path: Path) -> None:
    """Files, folders, new targets and removals at once; old ones move under free names."""
    fill(tmp_path, {"a.zip": "old", "game/bin": "old", "gone": "old", "kept/a.zip": "older"})
    fill(tmp_path, {"staged/a.zip": "new", "staged/game/bin": "new", "staged/extra": "new"})
    staged = tmp_path / "staged"
    replacements = {
        tmp_path / "a.zip": staged / "a.zip",
        tmp_path / "game": staged / "game",
        tmp_path / "gone": None,
        tmp_path / "extra": staged / "extra",
        tmp_path / "never": None,
    }
    await FileTransactions(tmp_path / "journal").replace(replacements, keep=tmp_path / "kept")
    assert tree(tmp_path) == {
        "a.zip": "new",
        "game/bin": "new",
        "extra": "new",
        "kept/a.zip": "older",
        "kept/a-2.zip": "old",
        "kept/game/bin": "old",
        "kept/gone": "old",
    }
    assert await FileTransactions(tmp_path / "journal").recover() == []


async def test_without_keep_nothing_of_the_old_stays(tmp_path: Path) -> None:
    """What was replaced is removed, and the journal is empty."""
    fill(tmp_path, {"game/bin": "old", "staged/game/bin": "new"})
    await FileTransactions(tmp_path / "journal").replace(
        {tmp_path / "game": tmp_path / "staged" / "game"}
    )
    assert tree(tmp_path) == {"game/bin": "new"}
    assert not any((tmp_path / "journal").iterdir())


async def test_one_that_the_system_refuses_leaves_all_as_it_was(tmp_path: Path) -> None:
    """When the third of four can't be put aside (its free name is too long), all are put back."""
    long = "x" * 255
    fill(tmp_path, {"one": "old", "two/x": "old", long: "old", f"kept/{long}": "older"})
    fill(tmp_path, {f"staged/{name}": "new" for name in ("one", "two/x", long, "new")})
    before, transactions = tree(tmp_path), FileTransactions(tmp_path / "journal")
    staged = {tmp_path / name: tmp_path / "staged" / name for name in ("one", "two", long, "new")}
    with pytest.raises(ReplacementFailed, match="can't be replaced, its name is too long"):
        await transactions.replace(staged, keep=tmp_path / "kept")
    assert tree(tmp_path) == before
    assert await transactions.recover() == []


async def test_overlapping_paths_are_refused(tmp_path: Path) -> None:
    """A path twice, within another, or around the journal raises ValueError and moves nothing."""
    fill(tmp_path, {"game/Mods/a": "old", "staged/new": "new", "journal/x": ""})
    before = tree(tmp_path)
    transactions = FileTransactions(tmp_path / "journal")
    game, new = tmp_path / "game", tmp_path / "staged" / "new"
    for replacements in (
        {game: new, game / "Mods": None},
        {game: new, tmp_path / "other": new},
        {game: game / "Mods"},
        {game: tmp_path},
        {tmp_path: None},
        {game: None, tmp_path / "staged" / ".." / "game": new},
    ):
        with pytest.raises(ValueError, match=r"named twice|lies within"):
            await transactions.replace(replacements)
    with pytest.raises(ValueError, match="lies within"):
        await transactions.replace({game: new}, keep=game / "kept")
    assert before.items() - tree(tmp_path).items() <= {("journal/x", "")}


async def test_links_and_missing_files_are_refused(tmp_path: Path) -> None:
    """A link as target or staged, a staged file that is missing, or no folder: nothing moves."""
    fill(tmp_path, {"target": "old", "new": "new"})
    (tmp_path / "link").symlink_to(tmp_path / "target")
    transactions = FileTransactions(tmp_path / "journal")
    target, link = tmp_path / "target", tmp_path / "link"
    for wrong in ({link: tmp_path / "new"}, {target: link}):
        with pytest.raises(UnsuitableFile):
            await transactions.replace(wrong)
    for wrong in ({target: tmp_path / "missing"}, {tmp_path / "no" / "folder": tmp_path / "new"}):
        with pytest.raises(ReplacementFailed, match="does not exist"):
            await transactions.replace(wrong)
    assert tree(tmp_path) == {"target": "old", "new": "new", "link": "old"}


async def test_another_file_system_is_refused(tmp_path: Path) -> None:
    """What can't be renamed is said before anything moves."""
    here = tmp_path.stat().st_dev  # noqa: ASYNC240
    folders = (Path("/dev/shm"), Path(__file__).parent)
    elsewhere = next(
        (folder for folder in folders if folder.is_dir() and folder.stat().st_dev != here), None
    )
    if elsewhere is None:
        pytest.skip("there is one file system only")
    fill(tmp_path, {"target": "old"})
    with pytest.raises(ReplacementFailed, match="another file system"):
        await FileTransactions(tmp_path / "journal").replace({tmp_path / "target": elsewhere})
    assert tree(tmp_path) == {"target": "old"}


async def test_a_crash_is_told_in_words_and_survives_a_move(tmp_path: Path) -> None:
    """What a crash left is finished when the whole tree lies elsewhere, as after a new mount."""
    first, second = tmp_path / "first", tmp_path / "second"
    fill(first, {"kept/a": "old", "staged/a": "new", "staged/b": "new", "journal/7/found": ""})
    steps = [
        Step(target="../a", staged="../staged/a", aside="../kept/a", existed=True),
        Step(target="../b", staged="../staged/b", aside="../kept/b", existed=False),
    ]
    fill(first, {"journal/7.json": Replacement(steps=steps).model_dump_json()})
    first.rename(second)
    transactions = FileTransactions(second / "journal")
    assert await transactions.recover() == [
        "Finished the replacement of a, b, which a crash had interrupted."
    ]
    assert tree(second) == {"a": "new", "b": "new", "kept/a": "old"}
    assert await transactions.recover() == []


async def test_the_next_replacement_recovers_first(tmp_path: Path) -> None:
    """A replacement over one that a crash interrupted finishes that one before it begins."""
    fill(tmp_path, {"a": "old", "staged/a": "new", "newer": "newer"})
    steps = [Step(target="../a", staged="../staged/a", aside="../kept", existed=True)]
    fill(tmp_path, {"journal/7.json": Replacement(steps=steps).model_dump_json()})
    await FileTransactions(tmp_path / "journal").replace({tmp_path / "a": tmp_path / "newer"})
    assert tree(tmp_path) == {"a": "newer", "kept": "old"}


async def test_a_damaged_journal_is_never_guessed_at(tmp_path: Path) -> None:
    """A journal that can't be read stops everything, and says which file it is."""
    fill(tmp_path, {"a": "old", "new": "new", "journal/7.json": '{"steps": ['})
    with pytest.raises(DamagedDocument, match=r"7\.json"):
        await FileTransactions(tmp_path / "journal").recover()
    with pytest.raises(DamagedDocument):
        await FileTransactions(tmp_path / "journal").replace({tmp_path / "a": tmp_path / "new"})
    assert tree(tmp_path)["a"] == "old"


async def test_a_cancelled_replacement_is_carried_to_its_end(tmp_path: Path) -> None:
    """Cancelled at any step, the targets are all old or all new when the caller goes on."""
    transactions, targets = FileTransactions(tmp_path / "journal"), [tmp_path / "a", tmp_path / "b"]
    fill(tmp_path, {"a": "0", "b": "0"})
    for count in range(1, 20):
        fill(tmp_path, {"staged/a": str(count), "staged/b": str(count)})
        staged = {target: tmp_path / "staged" / target.name for target in targets}
        task = asyncio.create_task(transactions.replace(staged))
        for _ in range(count % 5):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert targets[0].read_text() == targets[1].read_text()
    assert await transactions.recover() == []


async def test_replacements_at_the_same_time_take_turns(tmp_path: Path) -> None:
    """Two objects with one journal never mix their renames."""
    fill(tmp_path, {f"staged/{n}/{name}": str(n) for n in range(10) for name in "ab"})

    async def replace(number: int) -> None:
        staged = tmp_path / "staged" / str(number)
        await FileTransactions(tmp_path / "journal").replace(
            {tmp_path / name: staged / name for name in "ab"}
        )

    await asyncio.gather(*(replace(number) for number in range(10)))
    assert tree(tmp_path)["a"] == tree(tmp_path)["b"]


TREES = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["file", "folder"]))


@given(old=TREES, new=TREES, removed=st.sets(st.sampled_from("abcd")), keep=st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_replacement_is_what_a_dictionary_would_say(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    old: dict[str, str],
    new: dict[str, str],
    removed: set[str],
    keep: bool,
) -> None:
    """Files for folders, folders for files, new ones and removals: the outcome is `old | new`."""
    root = tmp_path_factory.mktemp("transactions")
    fill(root, {place(f"now/{name}", kind): "old" for name, kind in old.items()})
    fill(root, {place(f"staged/{name}", kind): "new" for name, kind in new.items()})
    (root / "now").mkdir(exist_ok=True)
    replacements: dict[Path, Path | None] = {root / "now" / name: None for name in removed}
    replacements |= {root / "now" / name: root / "staged" / name for name in new}
    kept = root / "kept" if keep else None
    asyncio.run(FileTransactions(root / "journal").replace(replacements, keep=kept))
    touched = removed | set(new)
    expected = {place(f"now/{n}", k): "old" for n, k in old.items() if n not in touched}
    expected |= {place(f"now/{n}", k): "new" for n, k in new.items()}
    if keep:
        expected |= {place(f"kept/{n}", k): "old" for n, k in old.items() if n in touched}
    assert tree(root) == expected


def place(name: str, kind: str) -> str:
    """Return where the content of a file or folder of that name lies."""
    return name if kind == "file" else f"{name}/inside"
