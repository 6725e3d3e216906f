"""The declarative base of everything that this backend's migrations own."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from bedplate.database import NAMING_CONVENTION


class Base(DeclarativeBase):
    """Tables of the trail, its log and what is made from them."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
