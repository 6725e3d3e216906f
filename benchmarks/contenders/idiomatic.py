"""The stack that FastAPI's docs and most production posts lead to, everything on.

An ORM session a request, the bearer token looked up in `user_sessions` joined with `users`,
slowapi on Redis by user, three `@app.middleware("http")` (request id, timing, log line),
prometheus-fastapi-instrumentator, and the usual pool settings with pre-ping.
"""

import hmac
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from hashlib import sha256
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_fastapi_instrumentator import Instrumentator
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from benchmarks.cases import task_requests
from benchmarks.contender import Contender
from benchmarks.contenders.orm import Task, TaskCreate, TaskRead, User, UserSession, async_url
from benchmarks.seed import SESSION_HASH_SECRET

Next = Callable[[Request], Awaitable[Response]]

NEVER_REACHED = "1000000000/minute"
request_id_context: ContextVar[str] = ContextVar("request_id", default="-")
logger = logging.getLogger("idiomatic.access")
bearer = HTTPBearer()


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]


async def get_current_user(
    request: Request,
    session: Session,
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)],
) -> User:
    token = credentials.credentials.encode()
    token_hash = hmac.new(SESSION_HASH_SECRET.encode(), token, sha256).hexdigest()
    user = await session.scalar(
        select(User)
        .join(UserSession, UserSession.user_id == User.id)
        .where(
            UserSession.token_hash == token_hash,
            UserSession.revoked.is_(False),
            UserSession.expires_at > func.now(),
        )
    )
    if user is None:
        raise HTTPException(401, "Invalid session", {"WWW-Authenticate": "Bearer"})
    request.state.user_id = user.id
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


def create_router(limiter: Limiter) -> APIRouter:
    router = APIRouter(prefix="/tasks", tags=["tasks"])

    @router.get("", response_model=list[TaskRead])
    @limiter.limit(NEVER_REACHED)
    async def list_tasks(
        request: Request,  # noqa: ARG001 - slowapi asks for it
        session: Session,
        user: CurrentUser,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Sequence[Task]:
        statement = (
            select(Task)
            .where(Task.user_id == str(user.id))
            .order_by(Task.created_at.desc(), Task.id.desc())
            .limit(limit)
        )
        return (await session.scalars(statement)).all()

    @router.get("/{task_id}", response_model=TaskRead)
    @limiter.limit(NEVER_REACHED)
    async def read_task(
        request: Request,  # noqa: ARG001 - slowapi asks for it
        task_id: int,
        session: Session,
        user: CurrentUser,
    ) -> Task:
        statement = select(Task).where(Task.id == task_id, Task.user_id == str(user.id))
        task = await session.scalar(statement)
        if task is None:
            raise HTTPException(404, "Task not found")
        return task

    @router.post("", response_model=TaskRead, status_code=201)
    @limiter.limit(NEVER_REACHED)
    async def create_task(
        request: Request,  # noqa: ARG001 - slowapi asks for it
        new: TaskCreate,
        session: Session,
        user: CurrentUser,
    ) -> Task:
        task = Task(**new.model_dump(), user_id=str(user.id))
        session.add(task)
        await session.commit()
        return task

    return router


def add_middleware(app: FastAPI) -> None:
    @app.middleware("http")
    async def log_request(request: Request, call_next: Next) -> Response:
        response = await call_next(request)
        logger.info(
            "%s %s %s request_id=%s",
            request.method,
            request.url.path,
            response.status_code,
            request_id_context.get(),
        )
        return response

    @app.middleware("http")
    async def measure_time(request: Request, call_next: Next) -> Response:
        start = time.perf_counter()
        response = await call_next(request)
        response.headers["X-Process-Time"] = f"{time.perf_counter() - start:.6f}"
        return response

    @app.middleware("http")
    async def set_request_id(request: Request, call_next: Next) -> Response:
        request_id = request.headers.get("X-Request-ID") or str(uuid4())
        request_id_context.set(request_id)
        response = await call_next(request)
        response.headers["X-Request-ID"] = request_id
        return response


def rate_limit_key(request: Request) -> str:
    return f"user:{request.state.user_id}"


def create_engine(database_url: str) -> AsyncEngine:
    return create_async_engine(
        async_url(database_url),
        pool_size=10,
        max_overflow=20,
        pool_timeout=30,
        pool_recycle=3600,
        pool_pre_ping=True,
    )


def log_to_null() -> None:
    handler = logging.FileHandler(os.devnull)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


async def build(database_url: str, redis_url: str) -> Contender:
    """Return the app; log lines go to the null device."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = create_engine(database_url)
        app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
        yield
        await engine.dispose()

    log_to_null()
    app = FastAPI(lifespan=lifespan)
    limiter = Limiter(key_func=rate_limit_key, storage_uri=redis_url)
    app.state.limiter = limiter
    app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)  # type: ignore[arg-type]
    add_middleware(app)
    Instrumentator().instrument(app).expose(app)
    app.include_router(create_router(limiter))
    return Contender(app, task_requests())
