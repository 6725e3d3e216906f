from pathlib import Path

from bedplate.contracts import ContractBinding, Operations
from fountain.common.files import shipped_file


def bind_contract(name: str, operations: Operations, models: Path) -> ContractBinding:
    """Return the binding of handlers to a published contract and the overlay with its additions."""
    return ContractBinding(
        shipped_file("contracts", f"{name}_openapi.yaml"),
        operations,
        [shipped_file("contracts", f"{name}.additions.yaml")],
        models=models,
    )
