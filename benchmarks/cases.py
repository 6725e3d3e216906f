"""The four requests of the tasks API, the same for every contender."""

from collections.abc import Mapping

from benchmarks.contender import HttpRequest
from benchmarks.seed import READER, READER_TASK, READER_TOKEN, WRITER, WRITER_TOKEN

GET_ONE = "GET one"
LIST_100 = "list 100"
LIST_1000 = "list 1,000"
POST = "POST"
NAMES = (GET_ONE, LIST_100, LIST_1000, POST)

TRIVIAL = "trivial route"

TASK_MEMBERS = frozenset(
    {"id", "user_id", "title", "description", "completed", "created_at", "updated_at"}
)
NEW_TASK = (
    b'{"title": "Write the quarterly report",'
    b' "description": "Numbers are in the shared folder; ask Anna about the rest."}'
)


def task_requests() -> Mapping[str, HttpRequest]:
    """Return the requests by case name, each with its user's bearer token.

    The user's id goes along in `X-User-Id` for the contender that checks no token.
    """
    reader = {"authorization": f"Bearer {READER_TOKEN}", "x-user-id": str(READER)}
    writer = {
        "authorization": f"Bearer {WRITER_TOKEN}",
        "x-user-id": str(WRITER),
        "content-type": "application/json",
    }
    return {
        GET_ONE: HttpRequest("GET", f"/tasks/{READER_TASK}", headers=reader, members=TASK_MEMBERS),
        LIST_100: _list(100, reader),
        LIST_1000: _list(1000, reader),
        POST: HttpRequest(
            "POST", "/tasks", headers=writer, body=NEW_TASK, status=201, members=TASK_MEMBERS
        ),
    }


def _list(limit: int, headers: Mapping[str, str]) -> HttpRequest:
    return HttpRequest(
        "GET",
        "/tasks",
        query=f"limit={limit}",
        headers=headers,
        items=limit,
        members=TASK_MEMBERS,
    )
