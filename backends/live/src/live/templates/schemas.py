from bedplate.schemas import Schema
from live.sessions.schemas import Title


class Duplicate(Schema):
    """What differs in a session that is made from another one."""

    title: Title | None = None
