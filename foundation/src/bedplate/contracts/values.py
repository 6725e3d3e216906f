"""Types that accept exactly what a JSON Schema accepts, no more and no less."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict
from pydantic_core import PydanticCustomError

from bedplate.schemas import MAX_INT64, MIN_INT64

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.0+)?", re.ASCII)
MAX_NUMBER_LENGTH = 400
"""Maximum digits of a parameter; Python itself refuses to convert some thousands."""


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

Integer64 = Annotated[Integer, Field(ge=MIN_INT64, le=MAX_INT64)]
"""An `Integer` of at most 64 bits."""

ParameterInteger = Annotated[int, Strict(), BeforeValidator(_parse)]
"""An integer in a path or a query, written as in JSON: without +, blanks or underscores."""

ParameterInteger64 = Annotated[ParameterInteger, Field(ge=MIN_INT64, le=MAX_INT64)]
"""A `ParameterInteger` of at most 64 bits."""


class ContractModel(BaseModel):
    """The base of generated models.

    A missing member stays missing, in requests and responses: it is never null. Members that the
    contract doesn't name are ignored, since JSON Schema allows them.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, extra="ignore")
