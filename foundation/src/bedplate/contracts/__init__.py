"""Contract-first OpenAPI: exact models, handlers bound by operationId, conformance, diff."""

from bedplate.contracts.binding import Operations
from bedplate.contracts.document import Contract, Operation
from bedplate.contracts.exceptions import ContractError
from bedplate.contracts.serving import ContractBinding, message_policy
from bedplate.contracts.values import (
    ContractModel,
    Integer,
    Integer64,
    ParameterInteger,
    ParameterInteger64,
)

__all__ = [
    "Contract",
    "ContractBinding",
    "ContractError",
    "ContractModel",
    "Integer",
    "Integer64",
    "Operation",
    "Operations",
    "ParameterInteger",
    "ParameterInteger64",
    "message_policy",
]
