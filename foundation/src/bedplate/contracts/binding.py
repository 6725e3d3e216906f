"""Handlers bound to a contract by operationId; the contract has path, method and status.

operations = Operations()

@operations.handles("createScript")
async def create_script(script: ScriptRequest, service: CurrentService) -> ScriptResponse: ...
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from fastapi import APIRouter
from starlette.routing import Route, compile_path

from bedplate.contracts.document import Contract, Operation
from bedplate.contracts.exceptions import ContractError
from bedplate.problems import MethodNotAllowed

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Operations:
    """The handlers of a contract's operations: plain FastAPI functions."""

    def __init__(self) -> None:
        self._handlers: dict[str, Callable[..., Any]] = {}

    def handles(self, operation_id: str) -> Callable[[Handler], Handler]:
        """Return a decorator that makes a function the handler of an operation."""

        def register(handler: Handler) -> Handler:
            if operation_id in self._handlers:
                raise ContractError(f"The operation {operation_id} has two handlers.")
            self._handlers[operation_id] = handler
            return handler

        return register

    def add_to(self, router: APIRouter, contract: Contract) -> None:
        """Add the routes of a contract to a router, such as `app.router`.

        Raises `ContractError` for operations without a handler, and handlers without an operation.
        """
        if missing := self.missing(contract):
            raise ContractError(f"{contract.title}: no handler for {', '.join(missing)}.")
        if unknown := sorted(self._handlers.keys() - contract.operations.keys()):
            raise ContractError(f"{contract.title} has no operation {', '.join(unknown)}.")
        paths = _by_path(contract)
        for path, operations in paths.items():
            for operation in operations:
                _add(router, operation, self._handlers[operation.operation_id])
            shadowed = (compile_path(other)[0].match(path) for other in paths if other != path)
            if any(shadowed):
                # Else its other methods would match a templated path after it.
                router.routes.append(Route(path, _Refusal(operations), include_in_schema=False))

    def missing(self, contract: Contract) -> list[str]:
        """Return the operations that have no handler, in the order of the contract."""
        return [name for name in contract.operations if name not in self._handlers]


def _add(router: APIRouter, operation: Operation, handler: Callable[..., Any]) -> None:
    router.add_api_route(
        operation.path,
        handler,
        methods=[operation.method],
        operation_id=operation.operation_id,
        name=operation.operation_id,
        status_code=operation.status,
        summary=operation.definition.get("summary"),
        description=operation.definition.get("description", ""),
        tags=list(operation.definition.get("tags", [])),
    )


def _by_path(contract: Contract) -> Mapping[str, list[Operation]]:
    """Return the operations of each path, concrete paths before templated (OpenAPI 3.1, 4.8.8)."""
    by_path: defaultdict[str, list[Operation]] = defaultdict(list)
    for operation in contract.operations.values():
        by_path[operation.path].append(operation)
    return dict(
        sorted(by_path.items(), key=lambda item: ["{" in part for part in item[0].split("/")])
    )


class _Refusal:
    """Answers 405 to every method; Starlette routes all of them only to an instance of a class."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        methods = {operation.method for operation in operations}
        self._allowed = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))

    async def __call__(self, *_: object) -> None:
        raise MethodNotAllowed(f"Use one of: {self._allowed}.", headers={"Allow": self._allowed})
