"""FastAPI and SQLAlchemy's ORM as their tutorials show them, and nothing else.

No authentication: the user's id is believed from a header. No middleware, no limits,
no pre-ping.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from benchmarks.cases import task_requests
from benchmarks.contender import Contender
from benchmarks.contenders.orm import Task, TaskCreate, TaskRead, async_url

router = APIRouter(prefix="/tasks", tags=["tasks"])


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]
UserId = Annotated[str, Header(alias="x-user-id")]


@router.get("", response_model=list[TaskRead])
async def list_tasks(
    session: Session, user_id: UserId, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> Sequence[Task]:
    statement = (
        select(Task)
        .where(Task.user_id == user_id)
        .order_by(Task.created_at.desc(), Task.id.desc())
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


@router.get("/{task_id}", response_model=TaskRead)
async def read_task(task_id: int, session: Session, user_id: UserId) -> Task:
    task = await session.scalar(select(Task).where(Task.id == task_id, Task.user_id == user_id))
    if task is None:
        raise HTTPException(404, "Task not found")
    return task


@router.post("", response_model=TaskRead, status_code=201)
async def create_task(new: TaskCreate, session: Session, user_id: UserId) -> Task:
    task = Task(**new.model_dump(), user_id=user_id)
    session.add(task)
    await session.commit()
    return task


async def build(database_url: str, redis_url: str) -> Contender:  # noqa: ARG001
    """Return the app; it keeps no rate limits, so Redis is not used."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = create_async_engine(async_url(database_url))
        app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)
    app.include_router(router)
    return Contender(app, task_requests())
