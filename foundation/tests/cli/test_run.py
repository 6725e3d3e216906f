"""`bedplate run` as a real process."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bedplate.backend import Backend
from bedplate.cli.exceptions import CommandError
from bedplate.cli.main import main
from bedplate.cli.run import refuse_several_workers, shutdown_seconds
from bedplate.settings import Settings
from bedplate.testing.processes import ProcessError, ServerProcess, children, free_port

Captured = pytest.CaptureFixture[str]
Run = Callable[..., ServerProcess]
BEDPLATE = shutil.which("bedplate", path=str(Path(sys.executable).parent)) or "bedplate"


@pytest.fixture
def port() -> int:
    """Give a free port."""
    return free_port()


@pytest.fixture
def run(backends: list[Path], tmp_path: Path, port: int) -> Iterator[Run]:
    """Describe a `bedplate run` of the installed backends in an empty folder, and stop it."""
    described = []

    def describe(*words: str, **variables: str) -> ServerProcess:
        process = ServerProcess(
            [BEDPLATE, "run", *words, "--port", str(port), "--operations-port", "0"],
            url=f"http://127.0.0.1:{port}/healthz",
            env={"PYTHONPATH": os.pathsep.join(map(str, backends)), **variables},
            cwd=tmp_path,
        )
        described.append(process)
        return process

    yield describe
    for process in described:
        process.stop()


def get(port: int, path: str, **headers: str) -> httpx2.Response:
    """Ask the process."""
    return httpx2.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=60)


def test_two_backends_in_one_process(run: Run, port: int) -> None:
    """Both are served by path and by host name, the URLs are printed, SIGTERM ends with 0."""
    with run("larknotes", "larksongs") as process:
        assert get(port, "/larknotes/larknotes").json() == []
        assert get(port, "/larksongs", host="larksongs.localhost").json() == []
        page = get(port, "/").text
        assert 'href="/larknotes/docs"' in page
        assert 'href="/larksongs/docs"' in page
        assert f"http://127.0.0.1:{port}/larksongs/docs" in process.output
        address = process.output.partition("Operations")[2].split()[0]
        metrics = httpx2.get(address, timeout=60).text
        assert 'backend="larknotes"' in metrics
        assert 'backend="larksongs"' in metrics
        assert {
            *httpx2.get(address.replace("metrics", "readyz"), timeout=60).json()["backends"]
        } == {
            "larknotes",
            "larksongs",
        }
        process.terminate()
        assert process.wait() == 0


def test_one_backend_is_at_the_root(run: Run, port: int) -> None:
    """Alone, a backend needs no prefix."""
    with run("larknotes"):
        assert get(port, "/larknotes").json() == []


def test_several_workers_share_redis(run: Run, port: int, redis_url: str) -> None:
    """With Redis set, two processes serve together."""
    with run("larknotes", "larksongs", "--workers", "2", REDIS_URL=redis_url) as process:
        assert len(children(process.pid)) >= 2
        assert get(port, "/larknotes/larknotes").json() == []
        # It answers a moment before it says so.
        process.wait_until_written("Start page")
        assert process.output.count("Start page") == 1


MODULES = """
import atexit, json, os, sys

def write():
    with open(os.path.join({folder!r}, f"{{os.getpid()}}.json"), "w") as file:
        json.dump([name for name, module in sys.modules.items() if module is not None], file)

atexit.register(write)
"""


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[int, set[str]]]:
    """Give what returns the modules of each process that has ended, by its id."""
    folder = tmp_path / "modules"
    folder.mkdir()
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(MODULES.format(folder=str(folder)))
    monkeypatch.setenv("MODULES_SITE", str(site))
    return lambda: {
        int(path.stem): set(json.loads(path.read_text())) for path in folder.glob("*.json")
    }


def test_a_supervisor_imports_no_backend(
    run: Run,
    port: int,
    redis_url: str,
    backends: list[Path],
    imported: Callable[[], dict[int, set[str]]],
) -> None:
    """Nor what only backends need: it holds less than 40 MB while its workers serve."""
    path = os.pathsep.join([os.environ["MODULES_SITE"], *map(str, backends)])
    with run("larknotes", "--workers", "2", REDIS_URL=redis_url, PYTHONPATH=path) as process:
        assert get(port, "/larknotes").json() == []
        process.wait_until_written("Start page")
        supervisor, workers = process.pid, children(process.pid)
        assert resident_megabytes(supervisor) <= 40
        process.terminate()
        assert process.wait() == 0
    modules = imported()
    heavy = {"larknotes", "fastapi", "pydantic", "sqlalchemy", "typer", "rich"}
    assert not heavy & modules[supervisor]
    assert {"uvicorn", "bedplate.runtime.supervisor"} <= modules[supervisor]
    served = [modules[pid] for pid in workers if "larknotes" in modules.get(pid, set())]
    assert len(served) == 2


def resident_megabytes(pid: int) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def test_a_start_imports_what_it_needs(
    run: Run, port: int, backends: list[Path], imported: Callable[[], dict[int, set[str]]]
) -> None:
    """Alembic only while something is to be migrated; rich and jsonpath not at all."""
    path = os.pathsep.join([os.environ["MODULES_SITE"], *map(str, backends)])
    alembic = []
    for _ in range(2):
        with run("larknotes", PYTHONPATH=path) as process:
            assert get(port, "/larknotes").json() == []
            pid = process.pid
            process.terminate()
            assert process.wait() == 0
        modules = imported()[pid]
        assert "sqlalchemy" in modules
        assert not {"rich", "jsonpath"} & modules
        alembic.append("alembic" in modules)
    assert alembic == [True, False]


@pytest.mark.parametrize("names", [["larknotes"], ["larksongs", "larknotes"]])
def test_a_backend_that_cannot_start_is_named(run: Run, names: list[str]) -> None:
    """One sentence names backend, setting and fix, and the process ends with 3."""
    url = f"postgresql://user:hunter2@127.0.0.1:{free_port()}/name"
    process = run(*names, LARKNOTES_DATABASE_URL=url)
    with pytest.raises(ProcessError):
        process.start()
    assert process.wait() == 3
    last = process.output.rstrip().splitlines()[-1]
    assert "larknotes: its database is unavailable" in last
    assert "LARKNOTES_DATABASE_URL" in last
    assert "hunter2" not in process.output


@pytest.mark.usefixtures("backends")
def test_unsafe_settings_stop_it_at_once(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of every backend are checked before anything starts."""
    monkeypatch.setenv("LARKSONGS_ENVIRONMENT", "production")
    assert main(["run", "larknotes", "larksongs"]) == 1
    captured = capsys.readouterr()
    assert "LARKSONGS_DATABASE_URL" in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.usefixtures("backends")
def test_limits_in_memory_refuse_several_workers(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Redis, a backend with rate limits runs as one process only, and says why."""
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert main(["run", "larknotes", "--workers", "2"]) == 1
    assert "set REDIS_URL (or LARKNOTES_REDIS_URL)" in capsys.readouterr().err


def test_a_single_process_refuses_several_workers() -> None:
    """A backend that declares `single_process` runs as one process only, and says why."""
    backend = Backend(
        name="only",
        title="Only",
        settings=Settings,
        routers=[],
        single_process="it keeps a server's console in memory",
    )
    with pytest.raises(CommandError, match="only can't run as several workers: it keeps a server"):
        refuse_several_workers(backend, Settings.load())


def test_every_backend_says_how_long_it_takes_to_close() -> None:
    """The times of all backends add up; one that declares none takes none."""
    times: dict[str, Callable[[Any], float] | None] = {
        "quick": None,
        "slow": lambda _: 90.0,
        "slower": lambda _: 5,
    }
    backends = [
        Backend(name=name, title=name, settings=Settings, routers=[], shutdown_seconds=seconds)
        for name, seconds in times.items()
    ]
    settings = {name: Settings(_env_file=None) for name in times}
    assert shutdown_seconds(backends, settings) == 95
    assert shutdown_seconds(backends[:1], settings) == 0
