"""Handlers bound to a contract by operationId. The contract says path, method and status.

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
    """The handlers of a contract's operations, written by hand as plain FastAPI functions."""

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
        """Add the routes of a contract to a router; an application's own is `app.router`.

        Raises `ContractError` naming the operations that have no handler, and the handlers that
        have no operation.
        """
        self._refuse_gaps(contract)
        paths = _by_path(contract)
        for path, operations in paths.items():
            for operation in operations:
                _add(router, operation, self._handlers[operation.operation_id])
            if _is_shadowed(path, paths):
                router.routes.append(_refusing(path, operations))

    def missing(self, contract: Contract) -> list[str]:
        """Return the operations of a contract that have no handler, in its order."""
        return [name for name in contract.operations if name not in self._handlers]

    def _refuse_gaps(self, contract: Contract) -> None:
        if missing := self.missing(contract):
            raise ContractError(f"{contract.title}: no handler for {', '.join(missing)}.")
        unknown = sorted(self._handlers.keys() - contract.operations.keys())
        if unknown:
            raise ContractError(f"{contract.title} has no operation {', '.join(unknown)}.")


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
    found: defaultdict[str, list[Operation]] = defaultdict(list)
    for operation in contract.operations.values():
        found[operation.path].append(operation)
    return dict(sorted(found.items(), key=lambda item: _templated(item[0])))


def _templated(path: str) -> list[bool]:
    return ["{" in part for part in path.split("/")]


def _is_shadowed(path: str, paths: Iterable[str]) -> bool:
    return any(other != path and compile_path(other)[0].match(path) for other in paths)


def _refusing(path: str, operations: Iterable[Operation]) -> Route:
    """Return a route for the other methods, which would reach a templated path behind this one."""
    methods = {operation.method for operation in operations}
    allowed = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
    return Route(path, _Refusal(allowed), include_in_schema=False)


class _Refusal:
    """An endpoint that isn't there: Starlette lets only a class answer every method."""

    def __init__(self, allowed: str) -> None:
        self._allowed = allowed

    async def __call__(self, *_: object) -> None:
        raise MethodNotAllowed(f"Use one of: {self._allowed}.", headers={"Allow": self._allowed})
