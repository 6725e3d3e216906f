"""Made from the contract by `bedplate contracts generate session-context`; not to be edited."""

from typing import Annotated

from pydantic import MISSING, Field, StrictStr

from bedplate.contracts import ContractModel, Integer


class SessionRequest(ContractModel):
    user_id: Annotated[
        Integer,
        Field(
            alias="userId",
            description="User who owns the session.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ]
    context: Annotated[
        StrictStr | MISSING,
        Field(description="Context to start with.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING


class SessionResponse(ContractModel):
    session_id: Annotated[
        Integer | MISSING,
        Field(
            alias="sessionId",
            description="Identifier of the session.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    user_id: Annotated[
        Integer | MISSING,
        Field(
            alias="userId",
            description="User who owns the session.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    context: Annotated[
        StrictStr | MISSING,
        Field(description="Context as stored.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING


class Session(ContractModel):
    session_id: Annotated[
        Integer | MISSING,
        Field(
            alias="sessionId",
            description="Identifier of the session.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    user_id: Annotated[
        Integer | MISSING,
        Field(
            alias="userId",
            description="User who owns the session.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    context: Annotated[
        StrictStr | MISSING,
        Field(description="Context as stored.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING


class SessionUpdateRequest(ContractModel):
    context: Annotated[
        StrictStr | MISSING,
        Field(
            description="Context to store instead of the present one.",
            max_length=100000,
            pattern="^(?:|[^\\x00]+)$",
        ),
    ] = MISSING


class SessionContextResponse(ContractModel):
    session_id: Annotated[
        Integer | MISSING,
        Field(
            alias="sessionId",
            description="Identifier of the session.",
            ge=-9223372036854775808,
            le=9223372036854775807,
        ),
    ] = MISSING
    context: Annotated[
        StrictStr | MISSING,
        Field(description="Context as stored.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING


class Error(ContractModel):
    message: Annotated[
        StrictStr | MISSING,
        Field(description="What went wrong.", max_length=100000, pattern="^(?:|[^\\x00]+)$"),
    ] = MISSING


class LookupRequest(ContractModel):
    ids: Annotated[list[Integer], Field(description="Identifiers wanted.", max_length=5000)]
