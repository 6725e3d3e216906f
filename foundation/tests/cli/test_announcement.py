"""The lines that say where to look."""

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bedplate.backend import Backend
from bedplate.cli.announcement import Announcement, Served, announcing, program
from bedplate.settings import Settings


def backend(name: str) -> Served:
    """Return what the lines say about a backend without routes."""
    title = name.capitalize()
    return Served.of(Backend(name=name, title=title, settings=Settings, routers=[]))


def test_one_backend_is_at_the_root() -> None:
    """Alone, a backend's documentation is at `/docs`."""
    assert Announcement([backend("red")]).text("127.0.0.1", 8000, 9090).split("\n") == [
        "Start page  http://127.0.0.1:8000/",
        "Red         http://127.0.0.1:8000/docs",
        "Operations  http://127.0.0.1:9090/metrics",
    ]


def test_several_are_below_their_names() -> None:
    """In company, each documentation is below its backend's name."""
    text = Announcement([backend("red"), backend("blue")]).text("127.0.0.1", 8000, None)
    assert "http://127.0.0.1:8000/red/docs" in text
    assert "http://127.0.0.1:8000/blue/docs" in text
    assert "Operations" not in text


@pytest.mark.parametrize(
    ("host", "shown"),
    [("0.0.0.0", "localhost"), ("::", "localhost"), ("::1", "[::1]"), ("name", "name")],
)
def test_the_url_can_be_clicked(host: str, shown: str) -> None:
    """An address that means all of them is shown as localhost, IPv6 in brackets."""
    assert (
        Announcement([backend("red")])
        .text(host, 1, None)
        .startswith(f"Start page  http://{shown}:1/")
    )


def test_first_steps_have_the_address() -> None:
    """What a backend suggests to try follows the links, with its own address in it."""
    red = replace(backend("red"), first_steps=["curl {url}/colours"])
    text = Announcement([red, backend("blue")]).text("127.0.0.1", 8000, None)
    assert text.endswith("\ncurl http://127.0.0.1:8000/red/colours")


def test_first_steps_can_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the PATH has no `bedplate`, a suggested command has the path that this one has."""
    monkeypatch.setattr("sys.argv", [".venv/bin/bedplate", "run"])
    monkeypatch.setenv("PATH", "/nowhere")
    red = replace(backend("red"), first_steps=["bedplate red a && bedplate red b.bedplate"])
    text = Announcement([red], program()).text("127.0.0.1", 8000, None)
    assert text.endswith("\n.venv/bin/bedplate red a && .venv/bin/bedplate red b.bedplate")


def test_it_waits_until_the_runtime_listens(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed before the runtime says that it listens, and nothing afterwards."""
    logger = logging.getLogger("bedplate.test")
    event = {"event": "listening", "host": "127.0.0.1", "port": 7}
    with announcing([backend("red")], enabled=True, program="bedplate"):
        logger.warning({"event": "starting"})
        logger.warning("listening")
        assert capsys.readouterr().out == ""
        logger.warning(event)
        assert "http://127.0.0.1:7/" in capsys.readouterr().out
    logger.warning(event)
    with announcing([backend("red")], enabled=False, program="bedplate"):
        logger.warning(event)
    assert capsys.readouterr().out == ""


FULL = """
import logging
from bedplate.cli.announcement import announcing
with announcing([], enabled=True, program="bedplate"):
    logging.warning({"event": "listening", "host": "127.0.0.1", "port": 7})
"""


def test_a_full_disk_stops_no_start() -> None:
    """A standard output that takes nothing fails neither the start nor the end of a process."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", FULL], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
