"""The statements on chains: their heads, tiles and checkpoints."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Integer, bindparam, func, insert, select

from audits.log.models import LogAppend, LogCheckpoint, LogCosignature, LogPruning, LogTile
from audits.transparency.tiles import TILE_WIDTH, Tile, split
from audits.transparency.tree import HASH_BYTES, perfect_root
from bedplate.database import ReadSession, Row, Statement, WriteSession
from bedplate.database.bulk_insert import BulkInsert

_IN_CHAIN = LogAppend.tenant == bindparam("of")
_HEAD = Statement(
    select(LogAppend.end_seq, LogAppend.recorded_at)
    .where(_IN_CHAIN)
    .order_by(LogAppend.first_seq.desc())
    .limit(1)
)
_TENANTS = Statement(select(LogAppend.tenant).distinct())
_ADD_APPEND = Statement(
    insert(LogAppend).values(
        tenant=bindparam("of"),
        first_seq=bindparam("first"),
        end_seq=bindparam("end"),
        leaves=bindparam("hashes"),
        recorded_at=bindparam("now"),
    )
)
# Only the append that comes right before the first leaf can reach beyond it from before.
_LEAVES = Statement(
    select(LogAppend.first_seq, LogAppend.leaves)
    .where(
        _IN_CHAIN,
        LogAppend.first_seq < bindparam("end", type_=BigInteger),
        LogAppend.first_seq
        >= func.coalesce(
            select(func.max(LogAppend.first_seq))
            .where(_IN_CHAIN, LogAppend.first_seq <= bindparam("first", type_=BigInteger))
            .scalar_subquery(),
            0,
        ),
    )
    .order_by(LogAppend.first_seq)
)
_ADD_TILES = BulkInsert(LogTile)
_OF_LEVEL = (LogTile.tenant == bindparam("of"), LogTile.level == bindparam("at", type_=Integer))
_TILE = Statement(
    select(LogTile.hashes).where(*_OF_LEVEL, LogTile.number == bindparam("which", type_=BigInteger))
)
_ROOTS = Statement(
    select(LogTile.root)
    .where(
        *_OF_LEVEL,
        LogTile.number >= bindparam("first", type_=BigInteger),
        LogTile.number < bindparam("end", type_=BigInteger),
    )
    .order_by(LogTile.number)
)
_LATEST = (
    select(LogCheckpoint.size, LogCheckpoint.root, LogCheckpoint.note, LogCheckpoint.signed_at)
    .where(LogCheckpoint.tenant == bindparam("of"))
    .order_by(LogCheckpoint.size.desc(), LogCheckpoint.signed_at.desc())
    .limit(1)
)
_LATEST_CHECKPOINT = Statement(_LATEST)
_ADD_CHECKPOINT = Statement(
    insert(LogCheckpoint).values(
        tenant=bindparam("of"),
        size=bindparam("leaves"),
        root=bindparam("new_root"),
        note=bindparam("new_note"),
        signed_at=bindparam("now"),
    )
)


_ADD_COSIGNATURE = Statement(
    insert(LogCosignature).values(
        tenant=bindparam("of"),
        size=bindparam("leaves"),
        root=bindparam("new_root"),
        witness=bindparam("by"),
        line=bindparam("new_line"),
        signed_at=bindparam("now"),
    )
)
_COSIGNATURES = Statement(
    select(LogCosignature.line)
    .where(
        LogCosignature.tenant == bindparam("of"),
        LogCosignature.size == bindparam("leaves"),
        LogCosignature.root == bindparam("at_root"),
    )
    .order_by(LogCosignature.witness)
)
_COSIGNED_SIZE = Statement(
    select(func.max(LogCosignature.size).label("size")).where(
        LogCosignature.tenant == bindparam("of"), LogCosignature.witness == bindparam("by")
    )
)


_MINIMUM = Statement(
    select(func.max(LogPruning.minimum).label("minimum")).where(
        LogPruning.tenant == bindparam("of")
    )
)
_PRUNED_BEFORE = Statement(select(func.max(LogPruning.before).label("before")))
_ADD_PRUNING = Statement(
    insert(LogPruning).values(
        tenant=bindparam("of"), minimum=bindparam("first"), before=bindparam("cut")
    )
)


@dataclass(frozen=True)
class Head:
    """The end of a chain: how many leaves it has, and when the last one was recorded."""

    size: int = 0
    recorded_at: datetime | None = None


async def head(session: ReadSession, tenant: str) -> Head:
    """Return the end of a chain, which is empty when nothing was recorded."""
    row = await session.one_or_none(_HEAD, of=tenant)
    return Head(row["end_seq"], row["recorded_at"]) if row else Head()


async def tenants(session: ReadSession) -> list[str]:
    """Return every tenant that has a chain."""
    return [row["tenant"] for row in await session.all(_TENANTS)]


async def add_append(
    session: WriteSession, tenant: str, first: int, leaves: Sequence[bytes], now: datetime
) -> None:
    """Store the hashes of the leaves that come next in a chain.

    Raises `UniqueViolation` when others came in between.
    """
    await session.all(
        _ADD_APPEND, of=tenant, first=first, end=first + len(leaves), hashes=b"".join(leaves),
        now=now,
    )  # fmt: skip


async def add_tiles(
    session: WriteSession, tenant: str, tiles: Iterable[tuple[Tile, bytes]]
) -> None:
    """Store full tiles."""
    rows = [
        {
            "tenant": tenant,
            "level": tile.level,
            "number": tile.index,
            "hashes": hashes,
            "root": perfect_root(split(hashes)),
        }
        for tile, hashes in tiles
    ]
    await session.insert(_ADD_TILES, rows)


async def leaves(session: ReadSession, tenant: str, first: int, end: int) -> bytes:
    """Return the hashes of leaves, 32 bytes each, from `first` to before `end`."""
    rows = await session.all(_LEAVES, of=tenant, first=first, end=end)
    if not rows:
        return b""
    joined = b"".join(row["leaves"] for row in rows)
    start = (first - rows[0]["first_seq"]) * HASH_BYTES
    return joined[start : start + (end - first) * HASH_BYTES]


async def tile(session: ReadSession, tenant: str, wanted: Tile) -> bytes:
    """Return the hashes of a tile, or fewer bytes than it has where they aren't stored.

    A narrow tile is the beginning of the full one, which may be all that is left of it.
    """
    row = await session.one_or_none(_TILE, of=tenant, at=wanted.level, which=wanted.index)
    if row is not None:
        hashes: bytes = row["hashes"][: wanted.width * HASH_BYTES]
        return hashes
    first = wanted.index * TILE_WIDTH
    end = first + wanted.width
    if wanted.level == 0:
        return await leaves(session, tenant, first, end)
    below = await session.all(_ROOTS, of=tenant, at=wanted.level - 1, first=first, end=end)
    return b"".join(row["root"] for row in below)


async def latest_checkpoint(session: ReadSession, tenant: str) -> Row | None:
    """Return size, root, note and time of the largest signed checkpoint."""
    return await session.one_or_none(_LATEST_CHECKPOINT, of=tenant)


async def add_checkpoint(
    session: WriteSession, tenant: str, size: int, root: bytes, note: str, now: datetime
) -> None:
    """Store a signed checkpoint."""
    await session.all(
        _ADD_CHECKPOINT, of=tenant, leaves=size, new_root=root, new_note=note, now=now
    )


async def add_cosignature(
    session: WriteSession,
    tenant: str,
    size: int,
    root: bytes,
    *,
    witness: str,
    line: str,
    now: datetime,
) -> None:
    """Store a witness's signature line of a checkpoint. Raises `UniqueViolation` for a second."""
    await session.all(
        _ADD_COSIGNATURE, of=tenant, leaves=size, new_root=root, by=witness, new_line=line, now=now
    )


async def cosignatures(session: ReadSession, tenant: str, size: int, root: bytes) -> list[str]:
    """Return the signature lines of witnesses for a checkpoint."""
    rows = await session.all(_COSIGNATURES, of=tenant, leaves=size, at_root=root)
    return [row["line"] for row in rows]


async def cosigned_size(session: ReadSession, tenant: str, witness: str) -> int:
    """Return the size of the largest checkpoint that a witness cosigned, 0 for none."""
    row = await session.one_or_none(_COSIGNED_SIZE, of=tenant, by=witness)
    size: int = row["size"] if row and row["size"] is not None else 0
    return size


async def minimum(session: ReadSession, tenant: str) -> int:
    """Return the index of the first entry that wasn't pruned."""
    row = await session.one_or_none(_MINIMUM, of=tenant)
    found: int = row["minimum"] if row and row["minimum"] is not None else 0
    return found


async def pruned_before(session: ReadSession) -> datetime | None:
    """Return the latest time before which any chain was pruned, or None."""
    row = await session.one_or_none(_PRUNED_BEFORE)
    return row["before"] if row else None


async def add_pruning(session: WriteSession, tenant: str, first: int, cut: datetime) -> None:
    """Store that the entries before an index are gone, whose events came before a time."""
    await session.all(_ADD_PRUNING, of=tenant, first=first, cut=cut)
