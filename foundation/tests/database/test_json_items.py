"""Lists on PostgreSQL: what it would write otherwise than Pydantic, Pydantic writes."""

import enum
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter, computed_field, field_serializer
from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Enum,
    Float,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    insert,
    select,
)
from sqlalchemy.types import TypeDecorator

from bedplate.database import Database, Statement
from bedplate.database.json_items import writes_the_same
from bedplate.database.pages import Keyset, OffsetList, PagedList

OpenDatabase = Callable[..., Awaitable[Database]]


class Status(enum.Enum):
    """A status: SQLAlchemy stores its name, and JSON has its value."""

    OPEN = "open"
    SHUT = "shut"


class Euros(TypeDecorator[float]):
    """An amount in euros that is stored in cents."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> int | None:
        """Return cents."""
        return None if value is None else round(value * 100)

    def process_result_value(self, value: int | None, dialect: Dialect) -> float | None:
        """Return euros."""
        return None if value is None else value / 100


METADATA = MetaData()
SHOPS = Table(
    "shops",
    METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("name", String(20), nullable=False),
    Column("status", Enum(Status), nullable=False),
    Column("fee", Euros, nullable=False),
    Column("seal", LargeBinary, nullable=False),
    Column("open_for", Interval, nullable=False),
    Column("rating", Float, nullable=False),
)
ROW = {
    "id": 1,
    "name": "Ada's",
    "status": Status.OPEN,
    "fee": 4.5,
    "seal": b"abc",
    "open_for": timedelta(minutes=90),
    "rating": 1.0,
}
ADD = Statement(insert(SHOPS).values({name: bindparam(f"new_{name}") for name in ROW}))


class Plain(BaseModel):
    """What PostgreSQL writes as Pydantic does."""

    id: int = Field(ge=1)
    name: str


class Named(BaseModel):
    """A name of a few."""

    id: int
    name: Literal["Ada's", "Bob's"]


class WithStatus(BaseModel):
    """An enumeration."""

    id: int
    status: Status


class WithFee(BaseModel):
    """A decorated type."""

    id: int
    fee: float


class WithSeal(BaseModel):
    """Bytes."""

    id: int
    seal: bytes


class WithInterval(BaseModel):
    """A duration."""

    id: int
    open_for: timedelta


class WithRating(BaseModel):
    """A float."""

    id: int
    rating: float


class Computed(Plain):
    """A member that is no column."""

    @computed_field
    def shout(self) -> str:
        """Return the name, loudly."""
        return self.name.upper()


class Serialized(Plain):
    """A member that is written otherwise."""

    @field_serializer("name")
    def short(self, name: str) -> str:
        """Return the first letter."""
        return name[:1]


class Defaulted(Plain):
    """A member that no column has."""

    country: str = "AT"


class Converted(BaseModel):
    """A number that goes out as a text."""

    model_config = {"coerce_numbers_to_str": True}

    id: str
    name: str


KINDS: list[tuple[type[BaseModel], bool]] = [
    (Plain, True),
    (Named, True),
    (WithStatus, False),
    (WithFee, False),
    (WithSeal, False),
    (WithInterval, False),
    (WithRating, False),
    (Computed, False),
    (Serialized, False),
    (Defaulted, False),
    (Converted, False),
]


@pytest.mark.parametrize(("model", "by_database"), KINDS)
async def test_a_list_is_written_as_its_items_are(
    open_database: OpenDatabase, database_url: str, model: type[BaseModel], by_database: bool
) -> None:
    """On both databases the items of a list are what the model itself writes."""
    database = await open_database(database_url, METADATA)
    async with database.write() as session:
        await session.all(ADD, **{f"new_{name}": value for name, value in ROW.items()})
    columns = select(*(SHOPS.c[name] for name in model.model_fields if name in SHOPS.c))
    item_type: TypeAdapter[Any] = TypeAdapter(list[model])  # type: ignore[valid-type]
    assert writes_the_same(columns, item_type) == by_database
    expected = model.model_validate(ROW).model_dump_json()
    page = await PagedList(columns, Keyset(SHOPS.c.id), item_type).page(database.read(), limit=5)
    offset_page = await OffsetList(columns, [SHOPS.c.id], item_type).page(database.read(), limit=5)
    for body in (page.body, offset_page.items):
        if by_database:
            assert json.loads(body) == [json.loads(expected)]
        else:
            assert body.decode() == f"[{expected}]"


def test_a_list_of_no_models_is_written_by_pydantic() -> None:
    """Where the items are dictionaries, nothing says which members there are."""
    assert not writes_the_same(select(SHOPS.c.id), TypeAdapter(list[dict[str, int]]))
    assert not writes_the_same(select(SHOPS.c.id), TypeAdapter(dict[str, int]))
