"""The statements on what is now. Only here is SQL written for them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, func, select

from bedplate.database import GUID, AnyOf, ReadSession, Row, Statement
from live.models.activities import Activity
from live.models.responses import Round
from live.models.sessions import Session, Token

_OPENED_LAST = (
    select(func.max(Activity.opened_at))
    .where(Activity.session_id == bindparam("of", type_=GUID))
    .scalar_subquery()
)
_NOW = Statement(
    select(
        Session.id, Session.title, Session.description, Session.state, Session.participants,
        Session.max_participants, Session.version, Activity.id.label("activity_id"),
        Activity.version.label("activity_version"), Round.version.label("results_version"),
        Round.stored,
    )
    .outerjoin(
        Activity, (Activity.session_id == Session.id) & (Activity.opened_at == _OPENED_LAST)
    )
    .outerjoin(Round, (Round.activity_id == Activity.id) & (Round.round == Activity.round))
    .where(Session.id == bindparam("of", type_=GUID))
)  # fmt: skip

_KNOWN_TOKENS = Statement(select(Token.token_hash).where(AnyOf(Token.token_hash, "hashes")))


async def known_tokens(session: ReadSession, hashes: Sequence[str]) -> set[str]:
    """Return which of these hashes are of tokens that haven't been revoked."""
    rows = await session.all(_KNOWN_TOKENS, hashes=sorted(hashes))
    return {row["token_hash"] for row in rows}


async def now(session: ReadSession, session_id: UUID) -> Row | None:
    """Return a session with the versions of its current activity and results, or None."""
    return await session.one_or_none(_NOW, of=session_id)
