"""One model in one file: read, written, changed by many at a time."""

import asyncio
import json
import runpy
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pydantic import BaseModel, SecretStr
from starlette.testclient import TestClient

from bedplate.documents import DamagedDocument, Document, UnsuitableFile, WriteFailed, etag


class Notes(BaseModel):
    """What the tests keep."""

    count: int = 0
    texts: list[str] = []
    at: datetime | None = None
    share: float = 0.0


def names(folder: Path) -> list[str]:
    """Return the names in a folder."""
    return [path.name for path in folder.iterdir()]


def document(path: Path, default: Callable[[], Notes] = Notes) -> Document[Notes]:
    """Return a document of notes."""
    return Document(path, Notes, default=default)


async def test_a_missing_file_is_the_default_and_stays_missing(tmp_path: Path) -> None:
    """Reading makes no file; the default comes from the function each time anew."""
    kept = document(tmp_path / "notes.json", lambda: Notes(count=7))
    first, second = await kept.read(), await kept.read()
    assert (first, first is second) == (Notes(count=7), False)
    assert names(tmp_path) == []


async def test_what_is_written_is_read_by_the_next_process(tmp_path: Path) -> None:
    """Another object reads what one wrote, and the file is JSON that a person can read."""
    value = Notes(count=1, texts=["a\0b", "ü", "😀"], at=datetime(2026, 1, 1, tzinfo=UTC))
    await document(tmp_path / "notes.json").write(value)
    assert await document(tmp_path / "notes.json").read() == value
    text = (tmp_path / "notes.json").read_text()
    assert json.loads(text)["count"] == 1
    assert text.startswith('{\n  "count": 1,')


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is not JSON (EOF while parsing a value at line 1 column 0)"),
        (b'{"count": 1', "it is not JSON (EOF while parsing an object at line 1 column 11)"),
        (b'{"count": "secret"}', "it is not as expected at count (int_parsing)"),
        (b"[]", "it is not as expected at its outermost value (model_type)"),
        (b'{"texts": [1, 2, 3, 4]}', "texts.2 (string_type), and others"),
        (b"\xff\xfe", "it is not JSON"),
        (b"\0" * 100, "it is not JSON"),
        (b"[" * 10_000, "it is not JSON"),
    ],
)
async def test_a_damaged_file_is_named_and_left_alone(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    """Reading and changing say what is wrong and what to do; the file keeps its content."""
    path = tmp_path / "notes.json"
    path.write_bytes(content)
    for attempt in (document(path).read(), add_one(document(path))):
        with pytest.raises(DamagedDocument) as damaged:
            await attempt
        assert reason in str(damaged.value.detail)
        assert "secret" not in str(damaged.value)
        assert "put a copy in its place" in str(damaged.value)
        assert str(path) in str(damaged.value)
        assert str(tmp_path) not in str(damaged.value.detail)
    assert path.read_bytes() == content


async def add_one(kept: Document[Notes]) -> None:
    """Count one up."""
    async with kept.change() as notes:
        notes.count += 1
        await asyncio.sleep(0)


async def fail_to_change(kept: Document[Notes]) -> None:
    """Change it, and raise before the change is over."""
    async with kept.change() as notes:
        notes.count = 5
        raise LookupError


async def test_a_damaged_file_can_be_replaced_on_purpose(tmp_path: Path) -> None:
    """`write` puts a whole value in its place: nothing of it is a default."""
    (tmp_path / "notes.json").write_bytes(b"{")
    await document(tmp_path / "notes.json").write(Notes(count=3))
    assert (await document(tmp_path / "notes.json").read()).count == 3


async def test_no_change_of_many_is_lost(tmp_path: Path) -> None:
    """A hundred changes at the same time, through paths spelled in three ways, all count."""
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    paths = [tmp_path, tmp_path / "link", tmp_path / "link" / ".." / tmp_path.name]
    documents = [document(path / "notes.json") for path in paths]
    await asyncio.gather(*(add_one(documents[number % 3]) for number in range(100)))
    assert (await documents[0].read()).count == 100


async def test_a_change_that_fails_writes_nothing(tmp_path: Path) -> None:
    """An exception in the body leaves the file as it was, and the next change goes on."""
    kept = document(tmp_path / "notes.json")
    with pytest.raises(LookupError):
        await fail_to_change(kept)
    assert not kept.path.exists()
    await add_one(kept)
    assert (await kept.read()).count == 1


async def test_a_change_of_nothing_is_not_written(tmp_path: Path) -> None:
    """A body that changes nothing leaves the very file it found."""
    kept = document(tmp_path / "notes.json")
    await kept.write(Notes())
    before = kept.path.stat().st_ino
    async with kept.change():
        pass
    assert kept.path.stat().st_ino == before


async def test_a_task_that_would_wait_for_itself_is_told(tmp_path: Path) -> None:
    """Writing within a change of the same document raises, instead of hanging for ever."""
    kept = document(tmp_path / "notes.json")
    async with kept.change():
        with pytest.raises(RuntimeError, match="this very task"):
            await document(tmp_path / "notes.json").write(Notes())
    await add_one(kept)


class Secret(BaseModel):
    """What JSON masks."""

    key: SecretStr


async def test_what_would_not_be_read_back_is_refused(tmp_path: Path) -> None:
    """NaN, a masked secret and a wrong type raise before they replace what is good."""
    kept = document(tmp_path / "notes.json")
    await kept.write(Notes(count=1))
    wrong = Notes()
    wrong.count = "many"  # type: ignore[assignment]
    for value in (Notes(share=float("nan")), Notes(share=float("inf")), wrong):
        with pytest.raises(ValueError, match="would not be read back"):
            await kept.write(value)
    secret = Secret(key=SecretStr("hidden"))
    with pytest.raises(ValueError, match="would not be read back"):
        await Document(tmp_path / "secret.json", Secret, default=lambda: secret).write(secret)
    assert await kept.read() == Notes(count=1)
    assert not (tmp_path / "secret.json").exists()


async def test_its_size_is_bounded_in_both_directions(tmp_path: Path) -> None:
    """What is too large to be read again isn't written, and a file that grew isn't taken in."""
    kept = Document(tmp_path / "notes.json", Notes, default=Notes, max_bytes=200)
    with pytest.raises(WriteFailed, match="more than 200 bytes"):
        await kept.write(Notes(texts=["x" * 300]))
    kept.path.write_text(" " * 201)
    with pytest.raises(DamagedDocument, match="more than 200 bytes"):
        await kept.read()


async def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A document that is a link to elsewhere is neither read nor written."""
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text('{"count": 9}')
    kept = document(tmp_path / "notes.json")
    kept.path.symlink_to(elsewhere)
    for attempt in (kept.read(), kept.write(Notes()), add_one(kept)):
        with pytest.raises(UnsuitableFile, match="symbolic link"):
            await attempt
    assert elsewhere.read_text() == '{"count": 9}'


async def test_a_cancelled_write_is_whole_or_none(tmp_path: Path) -> None:
    """Writes cancelled at any step leave one of the values, and the lock free for the next."""
    kept = document(tmp_path / "notes.json")
    await kept.write(Notes())
    for count in range(1, 40):
        before = await kept.read()
        task = asyncio.create_task(kept.write(Notes(count=count, texts=["x" * 50_000])))
        for _ in range(count % 7):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        after = await kept.read()
        assert after == before or after.count == count
    await add_one(kept)
    assert names(tmp_path) == ["notes.json"]


@given(st.builds(Notes, share=st.floats(allow_nan=False, allow_infinity=False)))
@settings(max_examples=50)
def test_every_value_comes_back_equal(
    tmp_path_factory: pytest.TempPathFactory, value: Notes
) -> None:
    """Whatever the model can hold is read as it was written, with the same ETag."""

    async def there_and_back() -> Notes:
        kept = document(tmp_path_factory.mktemp("kept") / "notes.json")
        await kept.write(value)
        return await kept.read()

    back = asyncio.run(there_and_back())
    assert (back, etag(back)) == (value, etag(value))


def test_etags_differ_as_values_do() -> None:
    """An ETag is strong, quoted, and another one as soon as the value is."""
    assert etag(Notes()) == etag(Notes())
    assert etag(Notes()) != etag(Notes(count=1))
    assert etag(Notes()).startswith('"')


class Keeping(RuleBasedStateMachine):
    """A document beside a variable: whatever is done, both say the same."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()

    @initialize(folder=st.uuids())
    def begin(self, folder: object) -> None:
        """Begin with no file."""
        self.path = Keeping.root / str(folder) / "notes.json"
        self.path.parent.mkdir(exist_ok=True)
        self.path.unlink(missing_ok=True)
        self.expected = Notes()
        self.damaged = False

    root: Path

    def do(self, action: "Callable[[Document[Notes]], object]") -> None:
        """Do something with a new object, as another process would."""
        try:
            self.runner.run(action(document(self.path)))  # type: ignore[arg-type]
        except DamagedDocument:
            assert self.damaged

    @rule(count=st.integers(-9, 9))
    def write(self, count: int) -> None:
        """Write a value, whatever is there."""
        self.do(lambda kept: kept.write(Notes(count=count)))
        self.expected, self.damaged = Notes(count=count), False

    @rule()
    def change(self) -> None:
        """Count up, unless it is damaged."""
        self.do(add_one)
        if not self.damaged:
            self.expected.count += 1

    @rule()
    def damage(self) -> None:
        """Let something else write into the file."""
        self.path.write_text('{"count":')
        self.damaged = True

    @rule()
    def remove(self) -> None:
        """Let somebody move the file away."""
        self.path.unlink(missing_ok=True)
        self.expected, self.damaged = Notes(), False

    @invariant()
    def both_say_the_same(self) -> None:
        """Read, and compare; a damaged file is never silently anything else."""

        async def compare(kept: Document[Notes]) -> None:
            assert await kept.read() == self.expected
            assert not self.damaged

        self.do(compare)

    def teardown(self) -> None:
        """Close the event loop."""
        self.runner.close()


def test_any_sequence_of_actions(tmp_path: Path) -> None:
    """Writes, changes, damage and removal in any order: reads give the value or the damage."""
    from hypothesis.stateful import run_state_machine_as_test  # noqa: PLC0415

    Keeping.root = tmp_path
    run_state_machine_as_test(
        Keeping, settings=settings(max_examples=25, stateful_step_count=15, deadline=None)
    )


def test_the_example_of_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain FastAPI application of docs/documents.md keeps its state, and refuses damage."""
    page = (Path(__file__).parents[3] / "docs" / "documents.md").read_text()
    (tmp_path / "doors.py").write_text(page.split("```python\n")[1].split("```")[0])
    monkeypatch.chdir(tmp_path)
    with TestClient(runpy.run_path("doors.py")["app"]) as client:
        assert client.put("/doors/front").json() == {"open": ["front"]}
        assert client.put("/doors/front").status_code == 409
    with TestClient(runpy.run_path("doors.py")["app"]) as client:
        found = client.get("/doors")
        assert found.json() == {"open": ["front"]}
        assert found.headers["etag"].startswith('"')
        Path("doors.json").write_text("{")
        refused = client.put("/doors/back")
        assert (refused.status_code, refused.json()["code"]) == (503, "damaged_document")
        assert Path("doors.json").read_text() == "{"
