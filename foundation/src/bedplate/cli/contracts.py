"""`bedplate contracts`: contracts shown, models made from them, and whether they are kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import orjson
import typer
from fastapi.openapi.utils import get_openapi
from prometheus_client import CollectorRegistry

from bedplate.application import create_app
from bedplate.backend import Backend
from bedplate.cli.arguments import BackendName, OneBackendName, application
from bedplate.cli.exceptions import CommandError
from bedplate.cli.installed import load_all, load_one
from bedplate.contracts import Contract, ContractBinding, ContractError
from bedplate.contracts.conformance import drift
from bedplate.contracts.diff import compare
from bedplate.contracts.document import read_document
from bedplate.contracts.generation import generate_models
from bedplate.contracts.sketch import sketch_handlers

app = application("Keep published OpenAPI contracts to the letter.")


@app.command()
def show(
    backend: OneBackendName = None,
    *,
    extended: Annotated[bool, typer.Option(help="With the documented additions.")] = False,
) -> None:
    """Print the contract of a backend as JSON."""
    contract = _binding(load_one(backend)).load()
    document = contract.extended if extended else contract.document
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


@app.command()
def generate(
    backend: BackendName = None,
    *,
    check: Annotated[bool, typer.Option(help="Only see whether they are fresh.")] = False,
) -> None:
    """Make the models of contracts, or see whether they are fresh."""
    stale = [name for name, binding in _bound(backend) if not _generate(name, binding, check=check)]
    if stale:
        raise CommandError(f"Models are stale: run `bedplate contracts generate {stale[0]}`.")


def _generate(name: str, binding: ContractBinding, *, check: bool) -> bool:
    """Write the models of a contract where they aren't fresh; return whether they are then."""
    if binding.models is None:
        return True
    text = generate_models(binding.load(), name)
    if binding.models.exists() and binding.models.read_text(encoding="utf-8") == text:
        return True
    if not check:
        binding.models.write_text(text, encoding="utf-8")
        typer.echo(f"{binding.models.name} of {name} is written.")
    return not check


@app.command()
def handlers(backend: OneBackendName = None) -> None:
    """Print handlers to begin with, for the operations that have none."""
    binding = _binding(load_one(backend))
    contract = binding.load()
    typer.echo(sketch_handlers(contract, binding.operations.missing(contract)), nl=False)


@app.command()
def check(backend: BackendName = None) -> None:
    """Check that contracts are valid OpenAPI and that the handlers keep them."""
    found = [
        f"{one.name}: {what}"
        for one in load_all([backend] if backend else [])
        if one.contract is not None
        for what in _violations(one, one.contract)
    ]
    if found:
        raise CommandError(" ".join(found))
    typer.echo("Every contract is kept.")


def _violations(backend: Backend, binding: ContractBinding) -> Iterator[str]:
    try:
        contract = binding.load()
        contract.validate()
        made = create_app(backend, registry=CollectorRegistry())
    except ContractError as error:
        yield str(error)
        return
    document = get_openapi(title="", version="", routes=made.routes)
    yield from drift(contract, document)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="An OpenAPI document, YAML or JSON.")],
    new: Annotated[Path, typer.Argument(help="What became of it.")],
    *,
    breaking: Annotated[bool, typer.Option(help="Show breaking changes only.")] = False,
) -> None:
    """Name what changed between two documents; exit code 1 when something breaks a client."""
    changes = compare(Contract(read_document(old)).document, Contract(read_document(new)).document)
    for change in changes:
        if change.breaking or not breaking:
            typer.echo(str(change))
    raise typer.Exit(int(any(change.breaking for change in changes)))


def _bound(name: str | None) -> Iterator[tuple[str, ContractBinding]]:
    for backend in load_all([name] if name else []):
        if backend.contract is not None:
            yield backend.name, backend.contract


def _binding(backend: Backend) -> ContractBinding:
    if backend.contract is None:
        raise CommandError(f"The backend {backend.name} keeps no contract.")
    return backend.contract
