"""Made from the contract by `bedplate contracts generate session-context`; not to be edited."""

from typing import Annotated

from pydantic import MISSING, Field, StrictStr

from bedplate.contracts import ContractModel, Integer, Integer64

Text100000 = Annotated[StrictStr, Field(max_length=100000, pattern="^(?:|[^\\x00]+)$")]


class SessionRequest(ContractModel):
    user_id: Annotated[Integer64, Field(alias="userId")]
    """User who owns the session."""
    context: Text100000 | MISSING = MISSING
    """Context to start with."""


class SessionResponse(ContractModel):
    session_id: Annotated[Integer64 | MISSING, Field(alias="sessionId")] = MISSING
    """Identifier of the session."""
    user_id: Annotated[Integer64 | MISSING, Field(alias="userId")] = MISSING
    """User who owns the session."""
    context: Text100000 | MISSING = MISSING
    """Context as stored."""


class Session(ContractModel):
    session_id: Annotated[Integer64 | MISSING, Field(alias="sessionId")] = MISSING
    """Identifier of the session."""
    user_id: Annotated[Integer64 | MISSING, Field(alias="userId")] = MISSING
    """User who owns the session."""
    context: Text100000 | MISSING = MISSING
    """Context as stored."""


class SessionUpdateRequest(ContractModel):
    context: Text100000 | MISSING = MISSING
    """Context to store instead of the present one."""


class SessionContextResponse(ContractModel):
    session_id: Annotated[Integer64 | MISSING, Field(alias="sessionId")] = MISSING
    """Identifier of the session."""
    context: Text100000 | MISSING = MISSING
    """Context as stored."""


class Error(ContractModel):
    message: Text100000 | MISSING = MISSING
    """What went wrong."""


class LookupRequest(ContractModel):
    ids: Annotated[list[Integer], Field(max_length=5000)]
    """Identifiers wanted."""
