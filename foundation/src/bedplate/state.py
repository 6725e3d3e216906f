"""What is open while a backend runs: a class with typed fields, which open in their order.

`mailer: Mailer = opened(open_mailer)` is a field. Its opener is a function that returns an
asynchronous context manager, whose parameters are earlier fields of the state, by name. mypy checks
that a field has the type that its opener yields; the class checks, when it is made, that each
parameter names an earlier field of the same type.
"""

import contextlib
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Protocol, Self, TypeVar, cast

from fastapi import FastAPI
from fastapi.params import Depends
from fastapi.requests import HTTPConnection
from fastapi.routing import iter_route_contexts
from typing_extensions import get_protocol_members, is_protocol

from bedplate.clients import LocalServices
from bedplate.jobs.background import Jobs
from bedplate.lifecycle import Drain
from bedplate.observability.metrics import RequestMetrics
from bedplate.rate_limits import Limiter
from bedplate.settings import Settings

T = TypeVar("T")
_KEY = "typed_state"
"""The name under which the lifespan's mapping holds the state object itself."""


class Declaration(Protocol):
    """What every state reads of a `bedplate.backend.Backend`, which itself names its state."""

    @property
    def name(self) -> str:
        """The name of the backend."""


class Opened:
    """A field that the lifespan opens: its opener, and the earlier fields that this needs."""

    def __init__(self, opener: Callable[..., AbstractAsyncContextManager[Any]]) -> None:
        self.opener = opener
        parameters = inspect.signature(opener).parameters
        self.needs = {name: parameter.annotation for name, parameter in parameters.items()}


def opened(opener: Callable[..., AbstractAsyncContextManager[T]]) -> T:
    """Declare a field of a `State` that `opener` opens and closes."""
    return cast("T", Opened(opener))


@contextlib.asynccontextmanager
async def open_limiter(
    backend: Declaration, settings: Settings, metrics: RequestMetrics
) -> AsyncIterator[Limiter]:
    """Yield the counters of rate limits: in Redis where the settings name one, else in memory."""
    url = settings.redis_url
    async with Limiter(
        url.get_secret_value() if url else None,
        on_failure=settings.rate_limit_on_failure,
        namespace=backend.name,
        observe=metrics.observe_rate_limit,
    ) as limiter:
        yield limiter


@contextlib.asynccontextmanager
async def open_jobs(metrics: RequestMetrics) -> AsyncIterator[Jobs]:
    """Yield the background jobs; the gauge `jobs_running` counts them."""
    async with Jobs() as jobs:

        def running() -> Mapping[tuple[str, ...], float]:
            return {(): len(jobs)}

        metrics.register_gauge("jobs_running", "Background jobs under way", [], running)
        yield jobs


class State:
    """The state of a backend that stores nothing; `DatabaseState` is for one that does.

    A subclass adds fields. One that it declares again with `opened` opens at its new place; one
    that it declares again without keeps its place and gets a narrower type.
    """

    fields: ClassVar[dict[str, Any]] = {}
    """The type of each field, in the order in which they open."""
    _openers: ClassVar[dict[str, Opened]] = {}

    backend: Declaration
    settings: Settings
    drain: Drain
    metrics: RequestMetrics
    local_services: LocalServices
    limiter: Limiter = opened(open_limiter)
    jobs: Jobs = opened(open_jobs)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._declare()

    @classmethod
    def _declare(cls) -> None:
        """Collect the fields. Raises `TypeError` for an opener whose needs aren't met."""
        cls.fields, cls._openers = dict(cls.fields), dict(cls._openers)
        for name, annotation in inspect.get_annotations(cls).items():
            if str(annotation).startswith("typing.ClassVar"):
                continue
            field = cls.__dict__.get(name)
            if isinstance(field, Opened):
                cls.fields.pop(name, None)
                cls._openers[name] = field
                delattr(cls, name)
            elif name not in cls.fields and cls.__module__ != __name__:
                raise TypeError(f"{cls.__name__}.{name} needs an opener: `= opened(…)`.")
            cls.fields[name] = annotation
        cls._check_openers()

    @classmethod
    def _check_openers(cls) -> None:
        earlier: dict[str, Any] = {}
        for name, annotation in cls.fields.items():
            field = cls._openers.get(name)
            for need, kind in field.needs.items() if field else ():
                needs = f"{cls.__name__}.{name} needs {need!r}"
                if need not in earlier:
                    raise TypeError(f"{needs}, which no earlier field declares.")
                if not _suits(earlier[need], kind):
                    raise TypeError(f"{needs} as {kind}, not {earlier[need]}.")
            earlier[name] = annotation

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, known: Mapping[str, object], replacements: Mapping[str, object]
    ) -> AsyncIterator[Self]:
        """Open every field in order; close them in the opposite order.

        `known` are the fields without an opener. `replacements` stand in for fields by name and
        are not closed. Raises `TypeError` for a replacement of no field, and what openers raise.
        """
        if unknown := replacements.keys() - cls.fields.keys():
            raise TypeError(f"{cls.__name__} has no field {', '.join(sorted(unknown))}.")
        state = cls()
        async with contextlib.AsyncExitStack() as stack:
            for name in cls.fields:
                field = cls._openers.get(name)
                if name in replacements:
                    value = replacements[name]
                elif field is None:
                    value = known[name]
                else:
                    needs = {need: getattr(state, need) for need in field.needs}
                    value = await stack.enter_async_context(field.opener(**needs))
                setattr(state, name, value)
            yield state

    def as_mapping(self) -> dict[str, Any]:
        """Return the mapping that a lifespan yields: every field is on `request.state`."""
        return {**vars(self), _KEY: self}

    @classmethod
    @functools.cache
    def name_of(cls, kind: Any) -> str:
        """Return the name of the one field of this type. Raises `TypeError` for none or several."""
        names = [name for name, annotation in cls.fields.items() if annotation == kind]
        if len(names) != 1:
            name = getattr(kind, "__name__", str(kind))
            raise TypeError(
                f"{cls.__name__} has {' and '.join(names)} of type {name}, not one field."
                if names
                else f"{cls.__name__} has no field of type {name}: add one, `= opened(…)`."
            )
        return names[0]


def _suits(provided: Any, needed: Any) -> bool:
    """Return whether a field of the type `provided` can be passed where `needed` is declared."""
    if needed in {provided, Any, inspect.Parameter.empty}:
        return needed is not inspect.Parameter.empty
    if not (inspect.isclass(provided) and inspect.isclass(needed)):
        return False
    if is_protocol(needed):
        declared = {name for cls in provided.__mro__ for name in inspect.get_annotations(cls)}
        return get_protocol_members(needed) <= declared | set(dir(provided))
    return issubclass(provided, needed)


State._declare()  # noqa: SLF001 - its own fields; __init_subclass__ is for subclasses


class FromState:
    """The dependency that finds a field of the typed state by its type."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind

    async def __call__(self, connection: HTTPConnection) -> Any:
        """Return the field's value."""
        state: State = connection.scope["state"][_KEY]
        return getattr(state, type(state).name_of(self.kind))


def from_state(kind: Any) -> Any:
    """Return the dependency that finds a field of the state by its type."""
    return Depends(FromState(kind))


def check_routes(app: FastAPI, state: type[State]) -> None:
    """Raise `TypeError` where a route asks for what the state doesn't declare."""
    for route in iter_route_contexts(app.routes):
        for asked in _asked_by(getattr(route, "dependant", None)):
            try:
                state.name_of(asked.kind)
            except TypeError as error:
                raise TypeError(f"The route {route.path}: {error}") from None


def _asked_by(dependant: Any) -> Iterator[FromState]:
    if dependant is None:
        return
    if isinstance(dependant.call, FromState):
        yield dependant.call
    for below in dependant.dependencies:
        yield from _asked_by(below)
