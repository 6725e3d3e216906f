"""Whole plays in and out: the command, and all five services behind a real HTTP server."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bedplate.testing.processes import ServerProcess, free_port
from bedplate.testing.proxy import FaultProxy
from fountain.common.files import EXAMPLE, example_file

BEDPLATE = str(Path(sys.executable).with_name("bedplate"))
SERVICES = ("central-sequence", "characters", "scripts", "session-context", "story-factory")
LISTS = {
    "scripts": "/scripts/scripts",
    "characters": "/characters/characters",
    "actions": "/characters/actions",
    "spoken words": "/characters/spokenWords",
    "sessions": "/session-context/sessions",
}
OF_EXAMPLE = {"scripts": 1, "characters": 3, "actions": 17, "spoken words": 65, "sessions": 13}


class Stories:
    """The five services in one process, and commands against them."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.client = httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60)
        self.before: dict[str, int] = {}

    async def start(self, *words: str, url: str | None = None) -> asyncio.subprocess.Process:
        """Start `bedplate fountain …`."""
        return await asyncio.create_subprocess_exec(
            BEDPLATE, "fountain", *words, cwd=self.folder,
            env={**os.environ, "FOUNTAIN_URL": url or self.url},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def run(self, *words: str) -> tuple[int, bytes, str]:
        """Run it to its end; return exit code, standard output and standard error."""
        process = await self.start(*words)
        out, errors = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out, errors.decode()

    async def bring(self, play: str, *words: str) -> int:
        """Import a play without a remark; return the script's identifier."""
        code, out, errors = await self.run("import", play, *words)
        assert (code, errors) == (0, "")
        result = re.fullmatch(r"scriptId: (\d+)\n(.+)\n", out.decode())
        assert result is not None
        assert result[2] == f"{self.url}/story-factory/stories?scriptId={result[1]}"
        return int(result[1])

    async def export(self, script: int) -> bytes:
        """Return what an export without a remark writes."""
        code, out, errors = await self.run("export", "--script", str(script))
        assert (code, errors) == (0, "")
        return out

    async def get(self, path: str) -> Any:
        """Return what a GET answers."""
        answer = await self.client.get(path)
        answer.raise_for_status()
        return answer.json()

    async def count(self, kind: str) -> int:
        """Return the number of resources of a kind that this test created."""
        if kind == "elements":
            scripts = await self.get(LISTS["scripts"])
            return len(await self.get(f"/scripts/scripts/{scripts[-1]['scriptId']}/elements"))
        return len(await self.get(LISTS[kind])) - self.before.get(kind, 0)

    async def counts(self) -> dict[str, int]:
        """Return the number of resources of each kind that this test created."""
        return {kind: await self.count(kind) for kind in LISTS}

    async def wait_for(self, kind: str, count: int) -> None:
        """Wait until so many resources exist."""
        async with asyncio.timeout(60):
            while await self.count(kind) < count:
                pass

    def write(self, text: str, name: str = "play.fountain") -> str:
        """Write a play and return its name."""
        (self.folder / name).write_text(text, newline="")
        return name


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the five services in one process, each with its own SQLite file."""
    port, operations_port = free_port(), free_port()
    process = ServerProcess(
        [BEDPLATE, "run", *SERVICES, "--port", str(port), "--operations-port",
         str(operations_port)],
        url=f"http://127.0.0.1:{port}/healthz",
        cwd=tmp_path_factory.mktemp("services"),
        timeout_seconds=90,
    )  # fmt: skip
    with process:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def stories(url: str, tmp_path: Path) -> AsyncIterator[Stories]:
    """Give the services, and a folder that commands are given in."""
    result = Stories(url, tmp_path)
    async with result.client:
        result.before = await result.counts()
        yield result


async def test_example(stories: Stories) -> None:
    """The example comes in with one command, is a full story in order, and comes out the same."""
    assert await stories.run("example") == (0, f"{EXAMPLE}\n".encode(), "")
    script = await stories.bring(EXAMPLE)
    story = await stories.get(f"/story-factory/stories?scriptId={script}")
    assert [item["sequence"] for item in story["story"]] == list(range(1, 83))
    assert [item["title"] for item in story["sections"]] == [
        "Act 2, Scene 2",
        "EXT. CAPULET'S ORCHARD - NIGHT",
        "EXT. FIELDS BEFORE THE CITY - DAWN",
    ]
    speech = story["story"][10]
    assert speech["spokenWord"]["text"].startswith("She speaks:\nO, speak again")
    assert speech["context"]["data"] == {"parenthetical": "aside"}
    assert speech["character"]["description"] == "Son of the house of Montague."
    assert await stories.counts() == OF_EXAMPLE
    assert await stories.export(script) == example_file().read_bytes()


async def test_everything(stories: Stories) -> None:
    """Whatever the format has comes back to the letter; what is struck out is named."""
    text = (
        "\ufeffTitle: **Brick & Stéel**\nCredit: Written by\nAuthors: A\nDraft date: 1597\n\n"
        "[[MUTE: Never speaks.]]\n\n[[BRICK: A retired officer.]]\n\n# Act 1\n\n= A synopsis.\n\n"
        "## Scene 1\n\n.SNIPER POV #3#\n\n!SHOUTED\n\tindented _on_ *marks* 朱丽叶\n\n"
        "@McBrick (V.O.)\n(low)\nOne.\n  \nTwo.\n(loud)\nThree.\n~la la\n\nBRICK ^\nFour.\n\n"
        "~Sung\n~by all\n\n> FADE OUT.\n\nCUT TO:\n\n> THE END <\n\n===\n\n[[A note\nof two]]\n"
    ).replace("\n", "\r\n")
    play = stories.write(text + "\r\n/* cut\r\nout */\r\n")
    code, out, errors = await stories.run("import", play)
    first = text.count("\n") + 2
    where = f"{play}, lines {first} to {first + 1}"
    assert (code, errors) == (0, f"{where}: struck out (/* */), so it is left out.\n")
    script = out.split()[1].decode()
    assert await stories.run("export", "--script", script, "-o", "out") == (0, b"", "")
    assert (stories.folder / "out").read_bytes().decode() == text


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("elements", 40),
        *(
            pytest.param(kind, count, marks=pytest.mark.soak)
            for kind, count in (("spoken words", 10), ("actions", 3), ("sessions", 2))
        ),
    ],
)
async def test_killed(stories: Stories, kind: str, count: int) -> None:
    """The same command continues an import that was killed, and creates nothing twice."""
    (stories.folder / EXAMPLE).write_bytes(example_file().read_bytes())
    process = await stories.start("import", EXAMPLE)
    if kind == "elements":
        # Before there are sessions, the last script may be another test's.
        await stories.wait_for("sessions", OF_EXAMPLE["sessions"])
    await stories.wait_for(kind, count)
    process.kill()
    await process.communicate()
    script = await stories.bring(EXAMPLE)
    assert await stories.bring(EXAMPLE) == script
    assert await stories.counts() == OF_EXAMPLE
    assert await stories.export(script) == example_file().read_bytes()


async def test_cut_connections(stories: Stories) -> None:
    """An import whose connections are cut again and again makes everything, and nothing twice."""
    (stories.folder / EXAMPLE).write_bytes(example_file().read_bytes())
    async with FaultProxy(stories.url) as proxy:
        process = await stories.start("import", EXAMPLE, url=proxy.url)
        for kind in ("characters", "actions", "spoken words", "sessions"):
            await stories.wait_for(kind, OF_EXAMPLE[kind] // 2)
            await proxy.cut()
        await stories.wait_for("elements", 20)
        await proxy.cut()
        out, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert await stories.counts() == OF_EXAMPLE
    assert await stories.export(int(out.split()[1])) == example_file().read_bytes()


async def test_again(stories: Stories) -> None:
    """What was imported is imported anew when that is asked for, or when the script is gone."""
    play = stories.write("Title: A\n\nOne.\n")
    first = await stories.bring(play)
    assert await stories.bring(play) == first
    second = await stories.bring(play, "--again")
    assert second > first
    assert await stories.bring(play) == second
    state = next(stories.folder.glob("*.import.json"))
    content = json.loads(state.read_text())
    content["made"]["scripts"]["identifiers"]["0"] = second + 99
    state.write_text(json.dumps(content))
    assert await stories.bring(play) == second + 1
    assert await stories.count("scripts") == 3


async def test_refusals(stories: Stories) -> None:
    """A refusal is one sentence and an exit code, and creates nothing."""
    play = stories.write("Title: A\n\nOne.\n")
    refused = [
        (("import", "gone.fountain"), 1, "gone.fountain can't be read: No such file or directory"),
        (("import", play, "--scripts-url", "nowhere"), 2, "'nowhere' is not the URL of a service"),
        (("import", play, "--user", "0"), 2, "Invalid value for '--user'"),
        (("import", play, "--scripts-url", f"{stories.url}/characters"), 1, r"refuses \(404\)"),
        (("export", "--script", "1000000"), 1, r"refuses \(404\): No such script"),
        (
            ("import", play, "--characters-url", f"http://127.0.0.1:{free_port()}"),
            1,
            "can't be used now",
        ),
    ]
    for words, expected, complaint in refused:
        code, out, errors = await stories.run(*words)
        assert (code, out) == (expected, b"")
        assert re.search(complaint, errors), errors
        assert errors.count("\n") == 1
    assert sum((await stories.counts()).values()) <= 1
    assert (await stories.run("import", play))[0] == 0
    stories.write("Title: A\n\nTwo.\n")
    code, _, errors = await stories.run("import", play)
    assert code == 1
    assert "isn't what it was when its import began" in errors


async def test_example_is_there(stories: Stories) -> None:
    """The example replaces nothing but itself."""
    stories.write("mine", EXAMPLE)
    code, _, errors = await stories.run("example")
    assert (code, errors) == (1, f"Error: {EXAMPLE} exists already, with other content.\n")
