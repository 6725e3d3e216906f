"""Writes what solves the dependencies of a route, in FastAPI's order.

What it uses of FastAPI 0.165 that isn't public: `Dependant`, `_get_cache_key`,
`_get_oauth_scopes`, `_is_coroutine_callable`, `_is_gen_callable`, `_is_async_gen_callable`,
`_solve_generator`, and the two exit stacks in the scope.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from fastapi._compat import ModelField
from fastapi.dependencies.models import (
    Dependant,
    _get_cache_key,
    _get_oauth_scopes,
    _is_async_gen_callable,
    _is_coroutine_callable,
    _is_gen_callable,
)
from fastapi.dependencies.utils import _solve_generator
from fastapi.security import SecurityScopes
from starlette.concurrency import run_in_threadpool

from bedplate.routing.bodies import write_body
from bedplate.routing.parameters import ParameterWriter
from bedplate.routing.source import Source


def within(dependant: Dependant) -> Iterator[Dependant]:
    """Yield a dependant and all below it."""
    yield dependant
    for each in dependant.dependencies:
        yield from within(each)


def is_generator(dependant: Dependant) -> bool:
    """Return whether a dependency has code after its `yield`."""
    return _is_gen_callable(dependant.call) or _is_async_gen_callable(dependant.call)


def parameters_of(dependant: Dependant) -> list[ModelField]:
    """Return the parameters of a dependency itself, from the path to the body."""
    return [
        *dependant.path_params,
        *dependant.query_params,
        *dependant.header_params,
        *dependant.cookie_params,
        *dependant.body_params,
    ]


@dataclass(frozen=True, slots=True)
class _Solved:
    """The variables of a dependency that was solved before, and of the errors it may have."""

    value: str
    errors: str | None


class DependencyWriter:
    """Writes the lines that solve a tree of dependencies; they use `request`, `scope` and `body`.

    As in FastAPI, the parameters of a dependency are read after its own dependencies were called,
    it isn't called if any of them is wrong, and all others still are.
    """

    def __init__(self, source: Source, *, embed_body: bool) -> None:
        """Take where to write, and whether a body of one parameter is an object with its name."""
        self._source = source
        self._embed_body = embed_body
        self._parameters = ParameterWriter(source)
        self._scopes: dict[int, tuple[Dependant, bool]] = {}
        self._solved: dict[Any, _Solved] = {}
        self._uses: Counter[Any] = Counter()

    def write(self, dependant: Dependant) -> str:
        """Write all that a route's dependant asks for; return the arguments of its call."""
        below = [each for sub in dependant.dependencies for each in within(sub)]
        self._uses.update(self._key(each) for each in below)
        if any(_takes_request(each) for each in below):
            # FastAPI has parsed them before any dependency could change them.
            if any(each.query_params for each in (dependant, *below)):
                self._source.line("request.query_params")
            if any(each.cookie_params for each in (dependant, *below)):
                self._source.line("request.cookies")
        return self._write_arguments(dependant)

    def _key(self, dependant: Dependant) -> Any:
        return _get_cache_key(dependant=dependant, uses_scopes_cache=self._scopes)

    def _write_arguments(self, dependant: Dependant) -> str:
        values: dict[str, str] = {}
        for sub in dependant.dependencies:
            value = self._write_dependency(sub)
            if sub.name is not None:
                values[sub.name] = value
        values |= self._parameters.write(dependant)
        values |= write_body(self._source, dependant, embed=self._embed_body)
        for name, value in (
            (dependant.http_connection_param_name, "request"),
            (dependant.request_param_name, "request"),
            (dependant.background_tasks_param_name, "background"),
            (dependant.response_param_name, "blank"),
        ):
            if name:
                values[name] = value
        if dependant.security_scopes_param_name:
            scopes = self._source.constant("scopes", _get_oauth_scopes(dependant=dependant))
            made = self._source.constant("SecurityScopes", SecurityScopes)
            values[dependant.security_scopes_param_name] = f"{made}(scopes=list({scopes}))"
        return ", ".join(f"{name}={value}" for name, value in values.items())

    def _write_dependency(self, dependant: Dependant) -> str:
        source, key = self._source, self._key(dependant)
        earlier = self._solved.get(key) if dependant.use_cache else None
        below = [each for sub in dependant.dependencies for each in within(sub)]
        # Its parameters would be the same again, unless something counts how often it is asked.
        if (
            earlier
            and all(each.use_cache for each in below)
            and not _has_factory(dependant, *below)
        ):
            if earlier.errors:
                source.line(f"errors += {earlier.errors}")
            return earlier.value
        value, before = source.variable("solved"), source.variable("before")
        fallible = any(_has_parameters(each) for each in (dependant, *below))
        if fallible:
            source.line(f"{before} = len(errors)")
        arguments = self._write_arguments(dependant)
        with source.block(f"if len(errors) == {before}:") if fallible else nullcontext():
            if earlier:
                source.line(f"{value} = {earlier.value}")
            else:
                self._write_call(dependant, value, arguments)
                if _takes_request(dependant):
                    self._parameters.forget()
        if key not in self._solved:
            errors = None
            if fallible and self._uses[key] > 1:
                errors = source.variable("errors")
                source.line(f"{errors} = errors[{before}:]")
            self._solved[key] = _Solved(value, errors)
        return value

    def _write_call(self, dependant: Dependant, value: str, arguments: str) -> None:
        source = self._source
        if is_generator(dependant):
            solve = source.constant("solve", _solve_generator)
            itself = source.constant("dependant", dependant)
            kind = "function" if dependant.scope == "function" else "inner"
            stack = f'scope["fastapi_{kind}_astack"]'
            source.line(
                f"{value} = await {solve}(dependant={itself}, stack={stack}, "
                f"sub_values=dict({arguments}), request=request)"
            )
            return
        call = source.constant("call", dependant.call)
        if not _is_coroutine_callable(dependant.call):
            threaded = source.constant("run_in_threadpool", run_in_threadpool)
            called = f"await {threaded}({call}, {arguments})"
        else:
            called = f"await {call}({arguments})"
        if dependant.concurrency is None:
            source.line(f"{value} = {called}")
            return
        limit = source.constant("limit", dependant.concurrency)
        with source.block(f"async with {limit}.get_semaphore():"):
            source.line(f"{value} = {called}")


def _takes_request(dependant: Dependant) -> bool:
    return bool(dependant.request_param_name or dependant.http_connection_param_name)


def _has_parameters(dependant: Dependant) -> bool:
    return bool(parameters_of(dependant))


def _has_factory(*dependants: Dependant) -> bool:
    fields = (field for each in dependants for field in parameters_of(each))
    return any(field.field_info.default_factory is not None for field in fields)
