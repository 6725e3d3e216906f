"""Each of the five services keeps its published contract, says more than one judge."""

import asyncio
import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp
from typer.testing import CliRunner

from bedplate.application import create_app
from bedplate.backend import Backend
from bedplate.cli.contracts import app as contracts_command
from bedplate.composition import compose
from bedplate.contracts import Contract, ContractBinding, ContractError, Operations
from bedplate.settings import Environment, Settings
from bedplate.testing.client import Client
from bedplate.testing.conformance import ConformanceJudge, Judged
from bedplate.testing.contracts import listed, new_seed, schemathesis_failures

SQLITE_FIRST = pytest.mark.parametrize(
    "url_of", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)], indirect=True
)
"""PostgreSQL, too, in the long run: the same happens there, for twice the time."""

CONFIGURATION = Path(__file__).parents[3] / "schemathesis.toml"
CONTRACTS = {
    "central-sequence": "central_sequence_service_openapi.yaml",
    "characters": "character_management_api_openapi.yaml",
    "scripts": "core_script_management_api_openapi.yaml",
    "session-context": "session_context_management_api_openapi.yaml",
    "story-factory": "story_factory_api_openapi.yaml",
}
# Those that have to run with a service for it to answer.
NEEDED = {
    "scripts": ["central-sequence", "scripts"],
    "session-context": ["central-sequence", "session-context"],
    "story-factory": list(CONTRACTS),
}
PUBLISHED = 27
MAX_TEXT_LENGTH = 300

Services = Mapping[str, Client]
OpenServices = Callable[..., AbstractAsyncContextManager[Services]]
SettingsOf = Callable[..., Settings]
every_service = pytest.mark.parametrize("name", CONTRACTS)


def backend_of(name: str) -> Backend:
    """Return the declaration of a service."""
    backend: Backend = importlib.import_module(f"fountain.{name.replace('-', '_')}.backend").backend
    return backend


def binding_of(name: str) -> ContractBinding:
    """Return what binds a service to its contract."""
    binding = backend_of(name).contract
    assert binding is not None
    return binding


@pytest.fixture
async def judged(
    name: str, settings_of: SettingsOf, written_story: object, alone: Callable[..., ASGIApp]
) -> Judged:
    """Give a service with those it needs; every response is checked against the contract."""
    names = NEEDED.get(name, [name])
    settings = {item: settings_of(item) for item in names}
    app = compose([backend_of(item) for item in names], settings, registry=CollectorRegistry())
    return Judged(alone(app, name), ConformanceJudge(binding_of(name).load()))


def without_settings(name: str) -> Settings:
    """Return the settings of a service when nothing is set."""
    return backend_of(name).settings(_env_file=None, environment=Environment.TEST)


async def served(name: str, path: str) -> Any:
    """Return a document as a service serves it, which needs no database."""
    app = create_app(backend_of(name), without_settings(name), registry=CollectorRegistry())
    async with Client(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        return (await client.get(path)).json()


@every_service
async def test_the_document_is_the_contract(name: str) -> None:
    """/openapi.json is the published file, in structure and in every text."""
    file = binding_of(name).path.parent / CONTRACTS[name]
    assert await served(name, "/openapi.json") == yaml.safe_load(file.read_text(encoding="utf-8"))


@every_service
async def test_the_extended_document_only_adds(name: str) -> None:
    """Without its additions, the extended document is the contract."""
    contract = binding_of(name).load()
    extended = await served(name, "/openapi.extended.json")
    assert extended["servers"].pop(0) == {"url": "/", "description": "This server."}
    assert extended == contract.extended
    assert without_additions(contract.document, extended) == contract.document


def without_additions(bare: Any, extended: Any) -> Any:
    """Return what is left of a document when all is gone that the bare one doesn't have."""
    if isinstance(bare, dict):
        return {key: without_additions(value, extended[key]) for key, value in bare.items()}
    if isinstance(bare, list):
        return [without_additions(*pair) for pair in zip(bare, extended, strict=False)]
    return extended


@pytest.mark.soak  # `scripts/check` runs both each time
@pytest.mark.parametrize("arguments", [["check"], ["generate", "--check"]], ids=" ".join)
def test_the_commands_find_nothing(arguments: list[str]) -> None:
    """The contracts are valid, the handlers keep them, and the models are fresh."""
    for name in CONTRACTS:
        result = CliRunner().invoke(contracts_command, [*arguments, name])
        assert result.exit_code == 0, result.output


@every_service
def test_an_operation_without_a_handler_fails_the_start(name: str) -> None:
    """A service that lacks a handler isn't started, and the error names the operation."""
    backend = backend_of(name)
    bare = replace(backend, contract=replace(binding_of(name), operations=Operations()))
    for operation in binding_of(name).load().operations:
        with pytest.raises(ContractError, match=f"no handler for .*{operation}"):
            create_app(bare, without_settings(name), registry=CollectorRegistry())


def test_every_operation_explains_itself() -> None:
    """Every operation has a summary and a description that a language model has room for."""
    contracts = [binding_of(name).load() for name in CONTRACTS]
    assert sum(len(Contract(contract.document).operations) for contract in contracts) == PUBLISHED
    for contract in contracts:
        for operation in contract.operations.values():
            for text in ("summary", "description"):
                assert 0 < len(operation.definition[text]) <= MAX_TEXT_LENGTH, (
                    operation.operation_id
                )


def matches(app: Judged, *, examples: int, seed: int | None = None) -> dict[str, str]:
    """Return what Schemathesis and the judge find wrong, without a seed always the same."""
    failures = schemathesis_failures(
        app, {}, configuration=CONFIGURATION, examples=examples, seed=seed
    )
    return failures | dict.fromkeys(app.violations, "")


@SQLITE_FIRST
@every_service
async def test_it_keeps_its_promises(judged: Judged) -> None:
    """No request that Schemathesis makes up gets an answer that the documents don't allow."""
    failures = await asyncio.to_thread(matches, judged, examples=5)
    assert not failures, listed(failures)


@pytest.mark.soak
@every_service
async def test_it_keeps_its_promises_for_long(judged: Judged) -> None:
    """The same with many more requests, other ones in every run."""
    seed = new_seed()
    failures = await asyncio.to_thread(matches, judged, examples=200, seed=seed)
    assert not failures, f"seed {seed}\n{listed(failures)}"
