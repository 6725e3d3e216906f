"""Serves a contract: its handlers, its documents, and errors in its format.

/openapi.json           the contract, exactly as published
/openapi.extended.json  the contract with its overlays and the address of this server
/docs, /redoc           pages of the extended document
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.types import Scope

from bedplate.contracts.binding import Operations
from bedplate.contracts.document import Contract
from bedplate.problems import InvalidInput, ProblemError, ProblemPolicy
from bedplate.problems.document import policy_of, status_of

EXTENDED_PATH = "/openapi.extended.json"


@dataclass(frozen=True)
class ContractBinding:
    """The files of a contract and the handlers of its operations; reads no file until it is used.

    `models` is the module that `bedplate contracts generate` writes.
    """

    path: Path
    operations: Operations
    overlays: Sequence[Path] = ()
    models: Path | None = None

    def load(self) -> Contract:
        """Return the contract with its overlays; it is read once. Raises `ContractError`."""
        return self._contract

    def install(self, app: FastAPI) -> None:
        """Add every operation and both documents to an application.

        A path that isn't in the contract is a 404; no redirect removes a slash at its end. Raises
        `ContractError` for an operation without a handler, or a handler without an operation.
        """
        contract = self.load()
        # `include_router` would create every route a second time.
        self.operations.add_to(app.router, contract)
        app.router.redirect_slashes = False  # also where `create_app` didn't make it
        _serve_documents(app, contract)

    @cached_property
    def _contract(self) -> Contract:
        return Contract.load(self.path, *self.overlays)


def _serve_documents(app: FastAPI, contract: Contract) -> None:
    def openapi() -> dict[str, Any]:
        return contract.document

    async def extended(request: Request) -> JSONResponse:
        here = {"url": request.scope.get("root_path", "") or "/", "description": "This server."}
        servers = [here, *contract.extended.get("servers", [])]
        return JSONResponse({**contract.extended, "servers": servers})

    def add_page(path: str, page_of: Callable[..., HTMLResponse]) -> None:
        async def page(request: Request) -> HTMLResponse:
            url = request.scope.get("root_path", "") + EXTENDED_PATH
            return page_of(openapi_url=url, title=contract.title)

        app.add_route(path, page, include_in_schema=False)

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI documents this seam
    app.add_route(EXTENDED_PATH, extended, include_in_schema=False)
    add_page("/docs", get_swagger_ui_html)
    add_page("/redoc", get_redoc_html)


def message_policy(*, validation_status: int = 400) -> ProblemPolicy:
    """Return the policy of a contract whose errors are `{"message": …}`."""

    def render(scope: Scope, error: ProblemError) -> JSONResponse:
        status = status_of(error, policy_of(scope))
        message = error.detail or error.title
        if isinstance(error, InvalidInput):
            fields: Any = error.members["errors"]
            message = " ".join(
                f"{each['field']}: {each['message'].rstrip('.')}." for each in fields
            )
        return JSONResponse({"message": message}, status, error.headers)

    return ProblemPolicy(validation_status=validation_status, render=render)
