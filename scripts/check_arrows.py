"""Fail when an import goes against the arrows between packages.

The foundation never imports a backend, and a backend never imports another, with the exception of
the seams below. A package `…_client` is for the other backends: it may be imported, and imports no
backend. No package imports one that imports it, directly or through others, except for
the type checker alone. The rules inside a backend are in its own pyproject.toml, under
`[tool.importlinter]`.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
SEAMS = ("gameserver.simulator -> gameserver_simulator.**",)
"""An optional distribution, and the one module that imports it."""

LAYERS = (
    "cli",
    "composition",
    "application",
    "database_state | gateway | middleware_stack | openapi | start_page",
    "backend",
    "auth | state",
    "conditional | rate_limits | runtime | testing",
    "asgi | database | jobs",
    "clients | contracts | documents | observability | pagination",
    "problems | realtime | settings",
    "csv_lines | lifecycle | outermost | redis_pipeline | routing | schemas | tls | validation",
    "clock | collector | ids | passwords | tracing",
)
"""The packages of the foundation: each imports only from the lines below its own."""


def packages() -> list[str]:
    """Return the package of every distribution in backends/."""
    return sorted(path.parent.name for path in ROOT.glob("backends/*/src/*/__init__.py"))


def between_distributions(backends: list[str]) -> str:
    """Return the contracts between all distributions, in import-linter's format."""
    clients = [name for name in backends if name.endswith("_client")]
    others = [name for name in backends if name not in clients]
    return _formatted(f"""
    [importlinter]
    root_packages = bedplate,{",".join(backends)}
    [importlinter:contract:foundation]
    name = The foundation never imports a backend
    type = forbidden
    source_modules = bedplate
    forbidden_modules = {",".join(backends)}
    [importlinter:contract:backends]
    name = A backend never imports another
    type = independence
    modules = {",".join(others)}
    ignore_imports = {",".join(SEAMS)}
    [importlinter:contract:clients]
    name = A client imports no backend
    type = forbidden
    source_modules = {",".join(clients)}
    forbidden_modules = {",".join(others)}
    """)


def between_packages(backends: list[str]) -> str:
    """Return the contracts between the packages of a distribution, in import-linter's format."""
    return _formatted(f"""
    [importlinter]
    root_packages = bedplate,{",".join(backends)}
    exclude_type_checking_imports = True
    [importlinter:contract:circles]
    name = No circles of packages
    type = acyclic_siblings
    ancestors = bedplate,{",".join(backends)}
    [importlinter:contract:layers]
    name = The layers of the foundation
    type = layers
    containers = bedplate
    exhaustive = True
    layers = {",".join(LAYERS)}
    """)


def _formatted(contracts: str) -> str:
    lines = (line.strip() for line in contracts.splitlines())
    return "\n".join(line.replace(",", "\n    ") for line in lines)


def hold(configuration: Path) -> bool:
    """Return whether the contracts of a file hold, and print what breaks them."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config"]
    run = subprocess.run([*command, configuration], check=False, capture_output=True, text=True)  # noqa: S603
    if run.returncode:
        sys.stderr.write(f"{run.stdout}\n{run.stderr}\n")
    return run.returncode == 0


def main() -> int:
    """Check all contracts, and return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        general = [Path(folder) / f"{name}.importlinter" for name in ("distributions", "packages")]
        general[0].write_text(between_distributions(packages()))
        general[1].write_text(between_packages(packages()))
        own = [
            file
            for file in sorted(ROOT.glob("backends/*/pyproject.toml"))
            if "importlinter" in tomllib.loads(file.read_text()).get("tool", {})
        ]
        broken = [file for file in (*general, *own) if not hold(file)]
        return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
