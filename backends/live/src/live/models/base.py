"""The declarative base of everything that this backend's migrations own.

The tables begin with `live_`: a better-auth server in the same database has a `session` too.
"""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from bedplate.database import NAMING_CONVENTION


class Base(DeclarativeBase):
    """Tables of sessions, and of what happens in them."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
