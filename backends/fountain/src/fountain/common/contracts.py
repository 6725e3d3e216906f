from pathlib import Path
from typing import Any

from pydantic import MISSING

from bedplate.contracts import ContractBinding, ContractModel, Operations
from fountain.common.files import shipped_file


def bind_contract(name: str, operations: Operations, models: Path) -> ContractBinding:
    """Return the binding of handlers to a published contract and the overlay with its additions."""
    return ContractBinding(
        shipped_file("contracts", f"{name}_openapi.yaml"),
        operations,
        [shipped_file("contracts", f"{name}.additions.yaml")],
        models=models,
    )


def members(request: ContractModel) -> dict[str, Any]:
    """Return the members that a request has; the others are MISSING."""
    return {name: value for name, value in request if value is not MISSING}
