"""The stand-in of the version feed: its documents, and archives that really run."""

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gameserver_simulator.stand_ins.game_files import Fault
from gameserver_simulator.stand_ins.version_feed import VersionFeed

# The archives are our own; Python 3.11.2 (Debian 12) has no filters and ignores this.
DATA_FILTER = getattr(tarfile, "data_filter", None)
FAULTS = {
    "1.21.0": Fault.SLIP,
    "1.21.1": Fault.SYMLINK,
    "1.21.4": Fault.NUMERIC_PREFIX,
    "1.21.5": Fault.NEVER_READY,
    "1.20.12": Fault.WRONG_MD5,
}


@pytest.fixture(scope="module")
def web() -> Iterator[httpx2.Client]:
    """Give a client of the served stand-in, some of whose versions are faulty."""
    with VersionFeed(FAULTS).serving() as url, httpx2.Client(base_url=url, timeout=60) as client:
        yield client


def server(web: httpx2.Client, version: str) -> Any:
    """Return what the feed says of a version's server."""
    return web.get("/stable-unstable.json").json()[version]["linuxserver"]


def archive(web: httpx2.Client, version: str) -> tarfile.TarFile:
    """Return a version's archive, opened."""
    content = web.get(server(web, version)["urls"]["cdn"]).content
    return tarfile.open(fileobj=io.BytesIO(content))


def test_the_feed_has_the_shape_of_the_real_one(web: httpx2.Client) -> None:
    """Versions map platforms to file, size, MD5 and URLs; a platform may be absent."""
    stable, unstable = web.get("/stable.json").json(), web.get("/unstable.json").json()
    assert {**unstable, **stable} == web.get("/stable-unstable.json").json()
    entry = stable["1.21.6"]["linuxserver"]
    assert entry["filename"] == "vs_server_linux-x64_1.21.6.tar.gz"
    assert entry["latest"] == 1
    assert set(entry["urls"]) == {"cdn", "local"}
    assert "latest" not in stable["1.21.5"]["linuxserver"]
    assert "linuxserver" not in stable["1.20.11"]
    assert "1.21.7-rc.1" in unstable


def test_the_latest_versions_are_plain_text(web: httpx2.Client) -> None:
    """With and without a leading v, as seen."""
    assert web.get("/lateststable.txt").text == "1.21.6"
    assert web.get("/latestunstable.txt").text == "v1.22.0-pre.1\n"


def test_an_unchanged_document_is_not_sent_again(web: httpx2.Client) -> None:
    """The entity tag of an answer leads to 304."""
    etag = web.get("/stable.json").headers["etag"]
    again = web.get("/stable.json", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_an_archive_fits_its_md5_unless_told_otherwise(web: httpx2.Client) -> None:
    """The MD5 is that of the file, but for the version whose is wrong."""
    for version, right in (("1.21.6", True), ("1.20.12", False)):
        entry = server(web, version)
        content = web.get(entry["urls"]["local"]).content
        assert (hashlib.md5(content).hexdigest() == entry["md5"]) is right


def test_an_archive_installs_and_runs(web: httpx2.Client, tmp_path: Path) -> None:
    """The program of an unpacked archive is the simulated game, as that version of it."""
    with archive(web, "1.21.6") as opened:
        opened.extraction_filter = DATA_FILTER
        opened.extractall(tmp_path / "game")
    program = tmp_path / "game" / "VintagestoryServer"
    ran = subprocess.run([program, "--version"], capture_output=True, check=True, env={})
    assert ran.stdout == b"1.21.6\n"
    words = [
        str(program),
        "--dataPath",
        str(tmp_path / "data"),
        "--port",
        "0",
        "--boot-seconds",
        "0",
    ]
    done = subprocess.run(words, input=b"/stop\n", capture_output=True, check=True, env={})
    assert b"Game Version: v1.21.6 (Stable)" in done.stdout
    assert b"Stopped the server!" in done.stdout


def test_a_version_never_gets_ready(web: httpx2.Client, tmp_path: Path) -> None:
    """The faulty version hangs in the middle of its start."""
    with archive(web, "1.21.5") as opened:
        opened.extraction_filter = DATA_FILTER
        opened.extractall(tmp_path / "game")
    words = [str(tmp_path / "game" / "VintagestoryServer"), "--dataPath", str(tmp_path / "data")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env={}) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, b"")
        assert any(b"knapping" in line for line in lines)
        process.terminate()
        assert not any(b"now running" in line for line in lines)


@pytest.mark.skipif(DATA_FILTER is None, reason="This Python extracts without filters.")
def test_hostile_archives_are_refused_by_a_careful_reader(
    web: httpx2.Client, tmp_path: Path
) -> None:
    """A path out of the folder, and a link to elsewhere, are really in them."""
    with archive(web, "1.21.0") as slip, pytest.raises(tarfile.OutsideDestinationError):
        slip.extractall(tmp_path / "slip", filter="data")
    with archive(web, "1.21.1") as link, pytest.raises(tarfile.AbsoluteLinkError):
        link.extractall(tmp_path / "link", filter="data")


def test_a_numeric_prefix_is_seen_by_pythons_reader(web: httpx2.Client) -> None:
    """Some real archives look as if all lay in a directory of digits."""
    with archive(web, "1.21.4") as opened:
        names = opened.getnames()
    assert all(name.partition("/")[0].isdecimal() for name in names)
    assert names[0].endswith("/VintagestoryServer")


@pytest.mark.parametrize("fault", [Fault.TRUNCATED, Fault.NO_ARCHIVE])
def test_broken_archives_cannot_be_read(fault: Fault) -> None:
    """What is cut, or no archive at all, fails in the reader."""
    content = VersionFeed({"1.21.6": fault}).file("1.21.6").content
    with (
        pytest.raises((tarfile.ReadError, EOFError)),
        tarfile.open(fileobj=io.BytesIO(content)) as opened,
    ):
        opened.getmembers()


def test_an_archive_can_be_made_large() -> None:
    """Padding doesn't compress, so a download lasts."""
    assert len(VersionFeed(padding=1_000_000).file("1.21.6").content) > 1_000_000


def test_new_versions_may_come_while_it_serves() -> None:
    """What is added to `stable` is listed at once."""
    feed = VersionFeed()
    with feed.serving() as url, httpx2.Client(base_url=url, timeout=60) as web:
        feed.stable.append("1.21.7")
        assert web.get("/stable.json").json()["1.21.7"]["linuxserver"]["latest"] == 1
