"""Types that accept exactly what a JSON Schema accepts, no more and no less."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict
from pydantic_core import PydanticCustomError

from bedplate.schemas import MAX_INT64, MIN_INT64

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.0+)?", re.ASCII)
MAX_NUMBER_LENGTH = 400
"""Digits of a parameter that are read; Python refuses to convert more than some thousands."""


def _whole(value: Any) -> Any:
    # JSON Schema 2020-12, 6.1.1: an integer is any number with a zero fractional part.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _parse(value: Any) -> Any:
    if isinstance(value, str):
        if len(value) > MAX_NUMBER_LENGTH or not _NUMBER.fullmatch(value):
            raise PydanticCustomError("int_parsing", "Input should be a valid integer")
        return int(value.partition(".")[0])
    return value


Integer = Annotated[int, Strict(), BeforeValidator(_whole)]
"""An integer of a JSON body: `1` and `1.0`, but neither `true`, `"1"` nor null."""

ParameterInteger = Annotated[int, Strict(), BeforeValidator(_parse)]
"""An integer of a path or a query, in JSON's own spelling: no sign +, blanks or underscores."""

ParameterInteger64 = Annotated[ParameterInteger, Field(ge=MIN_INT64, le=MAX_INT64)]
"""The same, as far as 64 bits hold it."""


class ContractModel(BaseModel):
    """The base of generated models.

    A member that is missing stays missing, in requests and answers: it is never null. Members that
    the contract doesn't name are ignored, as JSON Schema allows them.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, extra="ignore")
