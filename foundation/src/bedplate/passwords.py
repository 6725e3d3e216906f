"""Masks passwords in texts of somebody else's, such as the messages of exceptions."""

import re

MASK = "***"
_URL_WITH_PASSWORD = re.compile(r"\b[a-z][a-z0-9+.-]*://\S*@[^\s'\"]*", re.IGNORECASE)


def without_passwords(text: str) -> str:
    """Return a text in which each URL with user or password is masked."""
    return _URL_WITH_PASSWORD.sub(MASK, text)
