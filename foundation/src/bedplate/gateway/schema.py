from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match

from bedplate.gateway.exceptions import GatewayError

_FOLDER = Path(__file__).with_name("schemas")


def refuse_invalid(document: Any, schema: str) -> None:
    """Raise `GatewayError` with the place of an error, if a document doesn't match a schema.

    `schema` is a file in the folder `schemas`. The error never repeats the value: it may be a key.
    """
    error = best_match(_validator(schema).iter_errors(document))
    if error is not None:
        place = "/".join(map(str, error.absolute_path)) or "the document"
        raise GatewayError(f"Not valid by {schema} at {place} ({error.validator}).")


@cache
def _validator(schema: str) -> Draft202012Validator:
    text = (_FOLDER / schema).read_text(encoding="utf-8")
    return Draft202012Validator(yaml.safe_load(text), format_checker=FormatChecker())
