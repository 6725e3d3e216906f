"""Security: scopes that go down, what is cached for which scopes, FastAPI's own schemes."""

from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Security
from fastapi.security import (
    APIKeyCookie,
    APIKeyHeader,
    APIKeyQuery,
    HTTPBasic,
    HTTPBearer,
    HTTPDigest,
    OAuth2PasswordBearer,
    OAuth2PasswordRequestForm,
    SecurityScopes,
)

from bedplate.testing.both_ways import Cases, asked, assert_same
from bedplate.testing.exchanges import Trace

CASES = Cases()


@pytest.mark.parametrize("name", CASES)
async def test_security_is_the_same(name: str) -> None:
    """Compiled or not, who asks for scopes gets the same ones, and refusals read the same."""
    await assert_same(*CASES[name])


@CASES.add(
    asked(401, "GET", "/me"),
    asked(200, "GET", "/me", ("authorization", "Bearer t")),
    asked(200, "GET", "/items", ("authorization", "bearer t")),
    asked(200, "GET", "/twice", ("authorization", "Bearer t")),
    asked(401, "GET", "/items", ("authorization", "Basic dTpw")),
)
def security_scopes(trace: Trace) -> FastAPI:
    """Scopes go down to whoever asks for them, and what asks for other scopes runs again."""
    app = FastAPI()
    scheme = OAuth2PasswordBearer(tokenUrl="token", scopes={"me": "", "items": ""})

    async def user(scopes: SecurityScopes, token: Annotated[str, Depends(scheme)]) -> str:
        trace.note(f"user {scopes.scope_str}")
        return f"{token} {scopes.scope_str}"

    async def active(user: Annotated[str, Security(user, scopes=["me"])]) -> str:
        trace.note("active")
        return user

    async def plain() -> str:
        trace.note("plain")
        return "plain"

    @app.get("/me")
    async def me(user: Annotated[str, Depends(active)]) -> str:
        return user

    @app.get("/items")
    async def items(user: Annotated[str, Security(active, scopes=["items"])]) -> str:
        return user

    @app.get("/twice", dependencies=[Security(active, scopes=["b", "a"])])
    async def twice(
        a: Annotated[str, Security(active, scopes=["a", "b"])],
        b: Annotated[str, Security(user, scopes=["a"])],
        c: Annotated[str, Security(user, scopes=["a"], use_cache=False)],
        d: Annotated[str, Security(plain, scopes=["a"])],
        e: Annotated[str, Security(plain, scopes=["b"])],
        f: Annotated[str, Security(plain)],
    ) -> list[str]:
        return [a, b, c, d, e, f]

    return app


@CASES.add(
    asked(401, "GET", "/basic"),
    asked(401, "GET", "/basic", ("authorization", "Basic !")),
    asked(200, "GET", "/basic", ("authorization", "Basic dTpw")),
    asked(401, "GET", "/bearer", ("authorization", "Bearer")),
    asked(200, "GET", "/bearer", ("authorization", "Bearer t")),
    asked(401, "GET", "/keys?key=1"),
    asked(200, "GET", "/keys?key=1", ("x-key", "2"), ("cookie", "key=3")),
    asked(200, "GET", "/optional"),
)
def security_schemes(trace: Trace) -> FastAPI:
    """FastAPI's own schemes answer as they do, with their headers."""
    app = FastAPI()

    @app.get("/basic")
    async def basic(user: Annotated[Any, Depends(HTTPBasic(realm="here"))]) -> Any:
        return [user.username, user.password]

    @app.get("/bearer")
    async def bearer(token: Annotated[Any, Security(HTTPBearer())]) -> Any:
        return token

    @app.get("/keys")
    async def keys(
        a: Annotated[str, Depends(APIKeyQuery(name="key"))],
        b: Annotated[str, Depends(APIKeyHeader(name="x-key"))],
        c: Annotated[str, Depends(APIKeyCookie(name="key"))],
    ) -> list[str]:
        return [a, b, c]

    @app.get("/optional")
    async def optional(
        token: Annotated[Any, Depends(HTTPBearer(auto_error=False))],
    ) -> bool:
        return token is None

    return app


@CASES.add(
    asked(200, "GET", "/a"),
    asked(200, "GET", "/b"),
)
def a_scheme_that_is_cached_by_its_scopes(trace: Trace) -> FastAPI:
    """A dependency whose own dependency asks for scopes runs once for each set of them."""
    app = FastAPI()

    async def deepest(scopes: SecurityScopes) -> list[str]:
        trace.note(f"deepest {scopes.scopes}")
        return scopes.scopes

    async def middle(scopes: Annotated[list[str], Depends(deepest)]) -> list[str]:
        trace.note(f"middle {scopes}")
        return scopes

    @app.get("/a", dependencies=[Security(middle, scopes=["x", "y"]), Depends(middle)])
    async def a(
        one: Annotated[list[str], Security(middle, scopes=["y", "x"])],
        two: Annotated[list[str], Security(middle, scopes=["x", "x"])],
        three: Annotated[list[str], Security(middle, scopes=[])],
    ) -> list[list[str]]:
        return [one, two, three]

    @app.get("/b")
    async def b(scopes: SecurityScopes, deepest: Annotated[list[str], Depends(deepest)]) -> Any:
        return [scopes.scopes, scopes.scope_str, deepest]

    return app


FORM = ("content-type", "application/x-www-form-urlencoded")


@CASES.add(
    asked(401, "GET", "/digest"),
    asked(200, "GET", "/digest", ("authorization", "Digest x")),
    asked(422, "POST", "/token", FORM, body=b"username=u"),
    asked(422, "POST", "/token"),
    asked(200, "POST", "/token", FORM, body=b"username=u&password=p&scope=a+b&grant_type=password"),
    asked(422, "POST", "/token", FORM, body=b"username=u&password=p&grant_type=other"),
)
def forms_and_digests(trace: Trace) -> FastAPI:
    """The form of OAuth 2 is a dependency with a form, and a digest is refused as FastAPI does."""
    app = FastAPI()

    @app.get("/digest")
    async def digest(token: Annotated[Any, Security(HTTPDigest())]) -> Any:
        return token

    @app.post("/token")
    async def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Any:
        return [form.username, form.password, form.scopes, form.grant_type]

    return app
