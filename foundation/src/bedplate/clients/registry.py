"""The backends that run in this process."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send


class LocalServices:
    """The backends of one process by name; those that run can be called.

    `compose` makes one and hands it to every backend as `local_services` of its state.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(names)
        self._running: dict[str, ASGIApp] = {}

    def __contains__(self, name: str) -> bool:
        """Whether a backend belongs to this process, running yet or not."""
        return name in self._names

    def running(self, name: str) -> ASGIApp | None:
        """Return a backend with its lifespan state, or None before its start and after its end."""
        return self._running.get(name)

    @contextlib.contextmanager
    def run(self, name: str, app: ASGIApp, state: Mapping[str, Any]) -> Iterator[None]:
        """Let a backend be called while its lifespan lasts."""

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            # A copy for each request, as a server gives it.
            await app({**scope, "state": dict(state)}, receive, send)

        self._running[name] = with_state
        try:
            yield
        finally:
            del self._running[name]
