"""Many rows get a new number each, in one statement."""

import json
from collections.abc import Sequence

from sqlalchemy import Text, bindparam, text

from bedplate.database import Statement, WriteSession


class Moves:
    """Changes one number of many rows of a table, found by a number of theirs: their `key`."""

    def __init__(self, table: str, column: str, *, key: str = "id") -> None:
        # Names of our own tables, never input.
        pairs = bindparam("pairs", type_=Text)
        self._postgresql = Statement(
            text(
                f"UPDATE {table} SET {column} = CAST(moved.pair ->> 1 AS bigint) "  # noqa: S608
                "FROM json_array_elements(CAST(:pairs AS json)) AS moved(pair) "
                f"WHERE {table}.{key} = CAST(moved.pair ->> 0 AS bigint)"
            ).bindparams(pairs)
        )
        self._sqlite = Statement(
            text(
                f"UPDATE {table} SET {column} = json_extract(moved.value, '$[1]') "  # noqa: S608
                "FROM json_each(:pairs) AS moved "
                f"WHERE {table}.{key} = json_extract(moved.value, '$[0]')"
            ).bindparams(pairs)
        )

    async def run(self, session: WriteSession, numbers: Sequence[tuple[int, int]]) -> None:
        """Give each row, by its key, its new number."""
        postgresql = session.dialect_name == "postgresql"
        statement = self._postgresql if postgresql else self._sqlite
        await session.all(statement, pairs=json.dumps(numbers))
