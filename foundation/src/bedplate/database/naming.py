"""How constraints and indexes are named."""

from typing import Final

NAMING_CONVENTION: Final = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
}
"""How constraints and indexes are named, as PostgreSQL does it, so that migrations can name them.

`MetaData(naming_convention=NAMING_CONVENTION)`
"""
