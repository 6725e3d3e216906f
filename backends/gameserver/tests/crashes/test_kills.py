"""A real manager is killed (SIGKILL) at random moments of its work, again and again.

After each kill the next manager finds every document readable, nothing half under a final name,
one game, and a sound world. `CRASH_KILLS` and `CRASH_SEED` change number and course;
`CRASH_REPORT` names a file that the outcome is written to. The 1,000 of them:
`python -m benchmarks --only kills`.
"""

import contextlib
import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from bedplate.testing.processes import free_port
from gameserver_simulator.stand_ins.mod_database import ModDatabase
from gameserver_simulator.stand_ins.version_feed import VersionFeed

ADMIN = {"X-API-Key": "a" * 40}
VERSIONS = ("1.21.5", "1.21.6")
FORGE = Path(__file__).with_name("forge.py")
MAX_WORK_SECONDS = 0.9
"""Seconds after which a manager is killed at the latest, once it has begun its work."""

SIMULATE = {
    "SIMULATE_BOOT_SECONDS": "0",
    "SIMULATE_STOP_SECONDS": "0.02",
    "SIMULATE_SAVE_SECONDS": "0.1",
    "SIMULATE_BACKUP_SECONDS": "0.2",
    "SIMULATE_AUTOSAVE_SECONDS": "0.3",
    "SIMULATE_WORLD_KIB": "1024",
}


@dataclass
class Managers:
    """Starts managers of one data directory, one after the other, and kills them."""

    folder: Path
    forge: "subprocess.Popen[str]"
    client: httpx2.Client
    pid: int = 0
    kills: int = 0

    def start(self) -> None:
        """Start one; it may not serve yet."""
        assert self.forge.stdin
        assert self.forge.stdout
        self.forge.stdin.write("start\n")
        self.forge.stdin.flush()
        self.pid = int(self.forge.stdout.readline())

    def kill(self) -> None:
        """Kill it as the system does, and wait until it's gone; its game goes on."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait_for(lambda: not psutil.pid_exists(self.pid), "the manager doesn't end")
        self.kills += 1

    def wait_until_served(self) -> None:
        """Wait until it serves."""
        self.wait_for(self._serves, "the manager doesn't serve")

    def _serves(self) -> bool:
        assert psutil.pid_exists(self.pid), f"the manager ended:\n{self.log[-4000:]}"
        try:
            return self.client.get("/healthz").status_code == 200
        except httpx2.TransportError:
            return False

    def wait_for(self, true: Any, otherwise: str) -> None:
        """Wait until something is true."""
        deadline = time.monotonic() + 60
        while not true():
            assert time.monotonic() < deadline, f"{otherwise}:\n{self.log[-4000:]}"
            time.sleep(0.005)

    def get(self, path: str) -> Any:
        """Ask for something that has to be there."""
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None) -> int:
        """Begin something; whether it's taken depends on what goes on."""
        answer = self.client.post(path, json=body)
        assert answer.status_code < 500, answer.text
        return answer.status_code

    @property
    def log(self) -> str:
        """What the managers have said."""
        return (self.folder / "managers.log").read_text(errors="replace")


@dataclass
class Deeds:
    """Begins random work, of which a kill may meet every moment."""

    managers: Managers
    chance: random.Random
    pair: tuple[dict[str, str], dict[str, str]]
    begun: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """Begin one or two things."""
        for _ in range(self.chance.choice((1, 1, 2))):
            deed = self.chance.choice(
                (
                    self.back_up,
                    self.back_up,
                    self.restore,
                    self.switch,
                    self.mods,
                    self.mods,
                    self.save,
                )
            )
            if deed() == 202:
                self.begun[deed.__name__] += 1

    def back_up(self) -> int:
        """Back up, while the game runs or not."""
        return self.managers.post("/backups", {})

    def restore(self) -> int:
        """Restore any backup."""
        backups = self.managers.get("/backups")
        if not backups:
            return self.back_up()
        scope = self.chance.choice(("whole", "world"))
        body = {"stop": True, "force": True, "scope": scope}
        return self.managers.post(f"/backups/{self.chance.choice(backups)['id']}/restore", body)

    def switch(self) -> int:
        """Switch to the other version."""
        current = self.managers.get("/versions")["current"]
        other = VERSIONS[current == VERSIONS[0]]
        return self.managers.post(f"/versions/{other}/switch", {"force": True})

    def mods(self) -> int:
        """Exchange two mods for two other releases of them, as one."""
        wanted = self.chance.choice(self.pair)
        mods = [{"mod_id": mod, "version": version} for mod, version in wanted.items()]
        body = {"mods": mods, "any_game_version": True, "restart": True}
        return self.managers.post("/mods/install", body)

    def save(self) -> int:
        """Have the game save."""
        return self.managers.post("/console/commands", {"command": "/autosavenow"})


@dataclass
class Inspection:
    """Looks at everything that a kill could have torn."""

    managers: Managers
    pair: tuple[dict[str, str], dict[str, str]]
    known: dict[str, str] = field(default_factory=dict)

    def inspect(self) -> None:
        """Raise AssertionError for anything half; while a manager serves and nothing is begun."""
        data = self.managers.folder / "data"
        for document in (data / "manager/state").glob("*.json"):
            json.loads(document.read_text())
        assert list((data / "manager/staging").iterdir()) == []
        assert list((data / "manager/journal").iterdir()) == []
        assert {each["state"] for each in self.managers.get("/operations")} <= {"done", "failed"}
        self._backups(data / "manager/backups")
        self._versions(data)
        self._mods(data / "serverdata/Mods")
        self._game(data)
        _world(data / "serverdata/Saves/default.vcdbs")

    def _backups(self, folder: Path) -> None:
        listed = {each["id"]: each["sha256"] for each in self.managers.get("/backups")}
        assert {path.name for path in folder.iterdir()} == set(listed)
        for backup, digest in listed.items():
            if self.known.get(backup) != digest:
                content = (folder / backup / "backup.tar.zst").read_bytes()
                assert hashlib.sha256(content).hexdigest() == digest
        self.known = listed
        copies = folder.parents[1] / "serverdata/Backups"
        assert not copies.exists() or list(copies.iterdir()) == []

    def _versions(self, data: Path) -> None:
        for folder in (data / "server").iterdir():
            named = [path.name for path in (folder / "assets").glob("version-*.txt")]
            assert named == [f"version-{folder.name}.txt"]
            assert os.access(folder / "VintagestoryServer", os.X_OK)
        current = self.managers.get("/versions")["current"]
        assert (data / "server" / current).is_dir()
        switch = data / "manager/state/switch.json"
        assert not switch.exists() or json.loads(switch.read_text())["to"] is None

    def _mods(self, folder: Path) -> None:
        present = {}
        for path in folder.iterdir():
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None
                modinfo = json.loads(archive.read("modinfo.json"))
                lowered = {key.lower(): value for key, value in modinfo.items()}
                present[lowered["modid"]] = lowered["version"]
        assert present in ({}, *self.pair)

    def _game(self, data: Path) -> None:
        status = self.managers.get("/server")
        games = [
            process.pid
            for process in psutil.process_iter(["cmdline", "status"])
            if process.info["status"] != psutil.STATUS_ZOMBIE
            and str(data / "serverdata") in (process.info["cmdline"] or ())
        ]
        assert len(games) <= 1, status
        if status["state"] == "running":
            assert games == [status["pid"]]


def _world(world: Path) -> None:
    with closing(sqlite3.connect(f"file:{world}?mode=ro", uri=True, timeout=30)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM gamedata").fetchone() == (1,)


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, str]]:
    """Serve a feed of versions and a database of mods; give the settings that lead there."""
    with (
        VersionFeed(stable=VERSIONS, unstable=()).serving() as feed,
        ModDatabase(60).serving() as mods,
    ):
        yield {"VS_VERSION_FEED_URL": feed, "VS_MOD_DATABASE_URL": mods}


@pytest.fixture(scope="module")
def pair() -> tuple[dict[str, str], dict[str, str]]:
    """Give two sets of two mods each: the same mods in other releases."""
    found = [
        (mod.identifiers[0], [release.version for release in mod.releases])
        for mod in ModDatabase(60).mods
        if len(mod.identifiers) == 1
        and len({new.version for new in mod.releases if _plain(new)}) == len(mod.releases) > 1
    ]
    first, second = found[:2]
    return tuple({mod[0]: mod[1][place] for mod in (first, second)} for place in (0, 1))  # type: ignore[return-value]


def _plain(release: Any) -> bool:
    return release.kind == "sound" and not release.dependencies and not release.retracted


@pytest.fixture
def managers(tmp_path: Path, served: dict[str, str]) -> Iterator[Managers]:
    """Give what starts managers, all of them over the same data directory and ports."""
    port = free_port()
    environment = {
        **os.environ,
        **served,
        "VS_ENVIRONMENT": "test",
        "VS_DATA_DIRECTORY": str(tmp_path / "data"),
        "VS_ADMIN_KEY": "a" * 40,
        "VS_GAME_PORT": str(free_port()),
        "VS_GAME_ENVIRONMENT": json.dumps(SIMULATE),
        "VS_CRASH_LIMIT": "100",
        "VS_CRASH_FIRST_PAUSE_SECONDS": "0.01",
        "VS_CRASH_MAX_PAUSE_LENGTH": "0.01",
        "VS_BACKUP_SETTLE_SECONDS": "0.3",
        "VS_BACKUP_SAVE_SECONDS": "1",
        "VS_KEEP_MANUAL_BACKUPS": "2",
        "VS_KEEP_BEFORE_UPDATE_BACKUPS": "1",
        "VS_KEEP_BEFORE_RESTORE_BACKUPS": "1",
    }
    forge = subprocess.Popen(
        [sys.executable, str(FORGE), "--port", str(port), "--operations-port", "0"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert forge.stdout
    assert forge.stdout.readline() == "ready\n"
    once = httpx2.Limits(max_keepalive_connections=0)
    url = f"http://127.0.0.1:{port}"
    with httpx2.Client(base_url=url, headers=ADMIN, timeout=30, limits=once) as client:
        made = Managers(tmp_path, forge, client)
        yield made
    with contextlib.suppress(ProcessLookupError):
        os.kill(made.pid, signal.SIGKILL)
    forge.communicate()
    for process in psutil.process_iter(["cmdline"]):
        if str(tmp_path / "data/serverdata") in (process.info["cmdline"] or ()):
            process.kill()


def _prepare(managers: Managers) -> None:
    """Install both versions, and run the older one."""
    managers.start()
    managers.wait_until_served()
    for version in VERSIONS:
        assert managers.post(f"/versions/{version}/install") == 202
        managers.wait_for(
            lambda: all(each["state"] == "done" for each in managers.get("/operations")),
            "no install",
        )
    assert managers.post("/server/start") == 202
    managers.wait_for(lambda: managers.get("/server")["state"] == "running", "no game")


def _settle(managers: Managers) -> None:
    """Wait until the game that the killed manager left is dealt with, and its own one runs."""
    restful = {"running", "stopped", "crashed"}
    managers.wait_for(
        lambda: (
            (status := managers.get("/server"))["state"] in restful and status["busy_with"] is None
        ),
        "the game doesn't settle",
    )
    if managers.get("/server")["state"] != "running":
        managers.post("/server/start")
    managers.wait_for(lambda: managers.get("/server")["state"] == "running", "the game isn't back")


def _torture(
    managers: Managers, pair: tuple[dict[str, str], dict[str, str]], kills: int, seed: int
) -> dict[str, Any]:
    """Kill a manager so often, and inspect what is left each time; return what was done."""
    chance = random.Random(seed)
    deeds, inspection = Deeds(managers, chance, pair), Inspection(managers, pair)
    began = time.monotonic()
    _prepare(managers)
    while managers.kills < kills:
        deeds.begin()
        time.sleep(chance.uniform(0, MAX_WORK_SECONDS))
        managers.kill()
        while managers.kills < kills and chance.random() < 0.15:  # amid its start, too
            managers.start()
            time.sleep(chance.uniform(0, 0.4))
            managers.kill()
        managers.start()
        managers.wait_until_served()
        _settle(managers)
        inspection.inspect()
    text = managers.log
    return {
        "kills": managers.kills,
        "seed": seed,
        "seconds": round(time.monotonic() - began),
        "begun": dict(deeds.begun),
        "exchanges finished or undone": text.count("exchange_recovered"),
        "switches finished or undone": text.count("switch_recovered"),
        "games stopped that a killed manager had left": text.count("orphan_found"),
    }


def _run(managers: Managers, pair: tuple[dict[str, str], dict[str, str]], kills: int) -> None:
    kills = int(os.environ.get("CRASH_KILLS", kills))
    seed = int(os.environ.get("CRASH_SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"CRASH_SEED={seed}")  # noqa: T201 - pytest shows it when the test fails
    report = _torture(managers, pair, kills, seed)
    if path := os.environ.get("CRASH_REPORT"):
        Path(path).write_text(json.dumps(report))


def test_a_dozen_kills_tear_nothing(
    managers: Managers, pair: tuple[dict[str, str], dict[str, str]]
) -> None:
    """Whatever a manager is doing when it is killed, the next one finds all of it whole."""
    _run(managers, pair, 12)


@pytest.mark.soak
def test_two_hundred_kills_tear_nothing(
    managers: Managers, pair: tuple[dict[str, str], dict[str, str]]
) -> None:
    """The same, two hundred times."""
    _run(managers, pair, 200)
