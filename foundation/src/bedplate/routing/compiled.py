"""Makes one straight function of a route, or says why FastAPI has to serve it.

What it uses that isn't public: of FastAPI 0.165 `APIRoute.get_route_handler`, `request_response`,
`_run_sync_endpoint`, `_is_coroutine_callable` and what a route or `_EffectiveRouteContext` knows
(`dependant`, `body_field`, `response_field`, `_embed_body_fields`, …); of Starlette 1.10
`wrap_app_handling_exceptions`.
"""

import inspect
import keyword
from collections.abc import Awaitable, Callable
from types import FunctionType
from typing import Any

import structlog
from fastapi import BackgroundTasks, params, routing
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant, _is_coroutine_callable
from fastapi.responses import EventSourceResponse
from fastapi.routing import APIRoute, request_response
from fastapi.telemetry._api import _run_sync_endpoint
from starlette._exception_handler import wrap_app_handling_exceptions
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedplate.routing.answers import Answers, blank_response
from bedplate.routing.bodies import BodyReader
from bedplate.routing.dependencies import DependencyWriter, is_generator, parameters_of, within
from bedplate.routing.places import Place
from bedplate.routing.source import Source

MAX_DEPENDENCIES = 500
"""More would make a function that takes longer to compile than it saves."""

_REPLACED = (
    "get_request_handler",
    "request_response",
    "run_endpoint_function",
    "serialize_response",
    "solve_dependencies",
)
"""Functions of FastAPI's that this package does without, and that others patch."""


def why_not(route: BaseRoute, described: Any) -> str | None:
    """Return what of a route only FastAPI knows to serve; None if it can be compiled.

    `described` is FastAPI's context of an included route, else the route itself.
    """
    dependant: Dependant = described.dependant
    all_of = list(within(dependant))
    for reason, applies in (
        ("own route class", _handler_of(type(route)) is not APIRoute.get_route_handler),
        ("FastAPI is patched", any(_is_patched(name) for name in _REPLACED)),
        ("own body limit", not _is_of(described.app, "request_response.<locals>.app")),
        ("form", isinstance(described.body_field and described.body_field.field_info, params.Form)),
        ("stream", _streams(described)),
        ("WebSocket parameter", any(each.websocket_param_name for each in all_of)),
        ("parameter name", not all(_is_name(name) for each in all_of for name in _names(each))),
        ("many dependencies", len(all_of) > MAX_DEPENDENCIES),
    ):
        if applies:
            return reason
    return None


class CompiledRoute:
    """The application of a route: compiled when it is first asked for, or FastAPI's."""

    def __init__(self, route: BaseRoute, described: Any) -> None:
        """Take a route and what FastAPI knows of it."""
        self._route = route
        self._described = described
        self._overridable = described.dependency_overrides_provider
        self._app: ASGIApp | None = None
        self._run: Callable[[Request], Awaitable[Response]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; by FastAPI while dependencies are overridden."""
        overridable = self._overridable
        if overridable is not None and overridable.dependency_overrides:
            await self._described.app(scope, receive, send)
            return
        app = self._app or self._compile()
        if self._run is None:
            await app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        started = False
        try:
            response = await self._run(request)
            if type(response).__call__ is Response.__call__:
                started = True
                status, headers = response.status_code, response.raw_headers
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": response.body})
                if response.background is not None:
                    await response.background()
                return
        except Exception as error:  # noqa: BLE001 - raised again where handlers are looked up
            await _handle(error, request, send, started=started)
            return
        # It starts by itself, and may fail after it has: Starlette tells which.
        await wrap_app_handling_exceptions(response, request)(scope, receive, send)

    def _compile(self) -> ASGIApp:
        """Return FastAPI's application, or one that FastAPI's exit stacks surround."""
        app: ASGIApp = self._described.app
        if why_not(self._route, self._described) is None:
            try:
                run = compile_route(self._described)
            except Exception as error:  # noqa: BLE001 - FastAPI can serve it, whatever it was
                structlog.get_logger().warning(
                    "route_not_compiled", path=self._described.path_format, error=repr(error)
                )
            else:
                if any(is_generator(each) for each in within(self._described.dependant)):
                    app = request_response(run)
                else:
                    self._run = run
        self._app = app
        return app


async def _handle(error: Exception, request: Request, send: Send, *, started: bool) -> None:
    """Answer with the exception handler that Starlette finds for an error; raise it if none."""

    async def failed(_: Scope, __: Receive, send: Send) -> None:
        if started:
            await send({"type": "http.response.start"})  # so that Starlette knows; it isn't sent
        raise error

    async def send_nothing(message: Message) -> None:
        pass

    handled = wrap_app_handling_exceptions(failed, request)
    await handled(request.scope, request.receive, send_nothing if started else send)


def compile_route(described: Any) -> Callable[[Request], Awaitable[Response]]:
    """Return what makes the response of a request; its text is written here.

    Raises what FastAPI's own code for the route raises, in its order.
    """
    dependant: Dependant = described.dependant
    place = Place(dependant)
    source = Source("async def run(request):")
    source.line("scope = request.scope")
    source.line("errors = []")
    if described.body_field:
        strict = described.strict_content_type
        strict = strict.value if isinstance(strict, DefaultPlaceholder) else strict
        reader = BodyReader(place, strict=strict)
        source.line(f"body = await {source.constant('read_body', reader.read)}(request)")
    else:
        source.line("body = None")
    background, blank = _write_what_is_shared(source, list(within(dependant)))
    arguments = DependencyWriter(source, embed_body=described._embed_body_fields).write(dependant)
    with source.block("if errors:"):
        source.line(f"raise {source.constant('invalid', place.invalid)}(request, errors, body)")
    _write_call(source, dependant, arguments)
    with source.block(f"if isinstance(returned, {source.constant('Response', Response)}):"):
        with source.block("if returned.background is None:"):
            source.line(f"returned.background = {background}")
        source.line("return returned")
    answers = Answers(described, place, coroutine=_is_coroutine_callable(dependant.call))
    given = f"(returned, request, {blank}, {background})"
    if answers.is_plain:
        source.line(f"return {source.constant('make', answers.plain)}{given}")
    else:
        source.line(f"return await {source.constant('make', answers.any)}{given}")
    return source.function("run")


def _write_what_is_shared(source: Source, all_of: list[Dependant]) -> tuple[str, str]:
    """Write the background tasks and the blank response, where a dependency asks for them.

    Returns the expression of each.
    """
    background = blank = "None"
    if any(each.background_tasks_param_name for each in all_of):
        background = "background"
        source.line(f"background = {source.constant('BackgroundTasks', BackgroundTasks)}()")
    if any(each.response_param_name for each in all_of):
        blank = "blank"
        source.line(f"blank = {source.constant('blank_response', blank_response)}()")
    return background, blank


def _write_call(source: Source, dependant: Dependant, arguments: str) -> None:
    """Write the call of the endpoint, which leaves what it returned in `returned`."""
    endpoint = source.constant("endpoint", dependant.call)
    if _is_coroutine_callable(dependant.call):
        source.line(f"returned = await {endpoint}({arguments})")
        return
    threaded = source.constant("run_in_threadpool", run_in_threadpool)
    run_sync = source.constant("run_sync", _run_sync_endpoint)
    given = f"function={endpoint}, arguments=dict({arguments})"
    source.line(f"returned = await {threaded}({run_sync}, {given})")


def _handler_of(kind: type[BaseRoute]) -> Any:
    return getattr(kind, "get_route_handler", None)


def _streams(described: Any) -> bool:
    chosen = described.response_class
    kind = chosen.value if isinstance(chosen, DefaultPlaceholder) else chosen
    events = inspect.isclass(kind) and issubclass(kind, EventSourceResponse)
    return events or described.is_json_stream or is_generator(described.dependant)


def _is_patched(name: str) -> bool:
    return not _is_of(getattr(routing, name), name)


def _is_of(value: Any, name: str) -> bool:
    """Return whether a function is FastAPI's own of that name."""
    return (
        isinstance(value, FunctionType)
        and value.__module__.startswith("fastapi.")
        and value.__qualname__ == name
        and not hasattr(value, "__wrapped__")
    )


def _names(dependant: Dependant) -> list[str]:
    """Return the names of all arguments of a dependency's call."""
    return [
        *(each.name for each in dependant.dependencies if each.name is not None),
        *(each.name for each in parameters_of(dependant)),
    ]


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)
