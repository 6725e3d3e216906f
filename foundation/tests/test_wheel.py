"""The wheel that users install: what is in it, and that `bedplate new` works from it."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

FOUNDATION = Path(__file__).parents[1]
SOURCES = FOUNDATION / "src"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the wheel, built from the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*command, "--directory", folder], cwd=FOUNDATION, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the interpreter of an environment that has the wheel, and the workspace's libraries."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, symlinks=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    with ZipFile(wheel) as archive:
        archive.extractall(packages)
    # A folder that another .pth names is not searched for its own: the workspace's editable
    # packages stay out.
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return environment / "bin" / "python"


def run(python: Path, code: str, *arguments: str, cwd: Path) -> str:
    """Return what a program writes; raise AssertionError with its errors when it fails."""
    command = [str(python), "-c", code, *arguments]
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    """Sources, the type marker, templates, schemas, Alembic's environment; and no byte code."""
    expected = {
        str(path.relative_to(SOURCES))
        for path in (SOURCES / "bedplate").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.startswith("bedplate-")}
    assert names == expected
    assert {
        "bedplate/py.typed",
        "bedplate/database/environment/env.py",
        "bedplate/cli/template/project/src/{{name}}/backend.py.txt",
        "bedplate/cli/template/standalone/scripts/check.txt",
        "bedplate/gateway/schemas/kong.yaml",
    } <= names


def test_a_backend_written_from_the_wheel_starts(python: Path, tmp_path: Path) -> None:
    """`bedplate new` finds its templates in the wheel, and writes a backend that can be served."""
    create = "import sys; from bedplate.cli.main import main; sys.exit(main(sys.argv[1:]))"
    assert run(python, create, "new", "owls", cwd=tmp_path).startswith("Wrote owls")
    program = (
        "import sys, bedplate; sys.path.insert(0, 'src')\n"
        "from bedplate.application import create_app\n"
        "from owls.backend import backend\n"
        "print(bedplate.__file__, *create_app(backend).openapi()['paths'])"
    )
    place, *paths = run(python, program, cwd=tmp_path / "owls").split()
    assert Path(place).is_relative_to(python.parents[1])
    assert paths == ["/owls", "/owls/{row_id}"]
    assert not list((tmp_path / "owls").rglob("*.txt"))
