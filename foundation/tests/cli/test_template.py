"""The template of a backend."""

from pathlib import Path

from bedplate.cli.names import Names
from bedplate.cli.new import render

VALUES = Names("notes").values(date="2026-11-21")


def test_every_placeholder_is_filled() -> None:
    """No placeholder is left in any file or file name."""
    files = render("project", VALUES) | render("standalone", {**VALUES, "sources": ""})
    assert not [path for path, text in files.items() if "{{" in f"{path}{text}"]


def test_a_backend_has_the_layout_of_the_house() -> None:
    """The files are those that every backend has, and nothing is called .txt."""
    files = render("project", VALUES)
    modules = {path.stem for path in files if path.parent == Path("src/notes")}
    assert modules >= {"backend", "settings", "router", "schemas", "models", "service"}
    assert modules >= {"repository", "state", "wiring", "exceptions", "py"}
    assert Path("src/notes/migrations/versions/2026-11-21_create_notes.py") in files
    assert not [path for path in files if path.suffix == ".txt"]


def test_imports_are_sorted_whatever_the_name() -> None:
    """A name before `bedplate` in the alphabet comes before it in the imports."""
    for name, first in (("apples", "apples"), ("zebras", "bedplate")):
        files = render("project", Names(name).values(date="2026-11-21"))
        text = files[Path(f"src/{name}/service.py")]
        assert text.index(f"from {first}") == text.index("from ")
