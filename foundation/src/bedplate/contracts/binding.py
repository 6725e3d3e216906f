"""Handlers bound to a contract by operationId. The contract says path, method and status.

operations = Operations()

@operations.handles("createScript")
async def create_script(script: ScriptRequest, service: CurrentService) -> ScriptResponse: ...
"""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter

from bedplate.contracts.document import Contract, Operation
from bedplate.contracts.errors import ContractError

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

    def router(self, contract: Contract) -> APIRouter:
        """Return the routes of a contract.

        Raises `ContractError` naming the operations that have no handler, and the handlers that
        have no operation.
        """
        self._refuse_gaps(contract)
        router = APIRouter()
        for name, operation in contract.operations.items():
            _add(router, operation, self._handlers[name])
        return router

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
