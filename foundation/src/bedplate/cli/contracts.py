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

app = application("Check and compare OpenAPI contracts, and generate code from them.")


@app.command()
def show(
    backend: OneBackendName = None,
    *,
    extended: Annotated[bool, typer.Option(help="Include the additions of overlays.")] = False,
) -> None:
    """Print the contract of a backend as JSON."""
    contract = _binding(backend).load()
    document = contract.extended if extended else contract.document
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


@app.command()
def generate(
    backend: BackendName = None,
    *,
    check: Annotated[bool, typer.Option(help="Only check that they are up to date.")] = False,
) -> None:
    """Generate the models of contracts, or check that they are up to date."""
    for each, binding in _bound(backend):
        models = binding.models
        if models is None:
            continue
        text = generate_models(binding.load(), each.name)
        if models.exists() and models.read_text(encoding="utf-8") == text:
            continue
        if check:
            raise CommandError(f"Models are stale: run `bedplate contracts generate {each.name}`.")
        models.write_text(text, encoding="utf-8")
        typer.echo(f"{models.name} of {each.name} is written.")


@app.command()
def handlers(backend: OneBackendName = None) -> None:
    """Print a skeleton of each operation that has no handler."""
    binding = _binding(backend)
    contract = binding.load()
    typer.echo(sketch_handlers(contract, binding.operations.missing(contract)), nl=False)


@app.command()
def check(backend: BackendName = None) -> None:
    """Check that contracts are valid OpenAPI and that the handlers match them."""
    violations = [
        f"{each.name}: {violation}"
        for each, binding in _bound(backend)
        for violation in _violations(each, binding)
    ]
    if violations:
        raise CommandError(" ".join(violations))
    typer.echo("Every contract is kept.")


def _violations(backend: Backend, binding: ContractBinding) -> Iterator[str]:
    try:
        contract = binding.load()
        contract.validate()
        routes = create_app(backend, registry=CollectorRegistry()).routes
    except ContractError as error:
        yield str(error)
        return
    yield from drift(contract, get_openapi(title="", version="", routes=routes))


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="An OpenAPI document, YAML or JSON.")],
    new: Annotated[Path, typer.Argument(help="Its new version.")],
    *,
    breaking: Annotated[bool, typer.Option(help="Show breaking changes only.")] = False,
) -> None:
    """List the changes between two documents; exit code 1 if one breaks a client."""
    changes = compare(Contract(read_document(old)).document, Contract(read_document(new)).document)
    for change in changes:
        if change.breaking or not breaking:
            typer.echo(str(change))
    raise typer.Exit(int(any(change.breaking for change in changes)))


def _bound(name: str | None) -> Iterator[tuple[Backend, ContractBinding]]:
    for backend in load_all([name] if name else []):
        if backend.contract is not None:
            yield backend, backend.contract


def _binding(name: str | None) -> ContractBinding:
    backend = load_one(name)
    if backend.contract is None:
        raise CommandError(f"The backend {backend.name} keeps no contract.")
    return backend.contract
