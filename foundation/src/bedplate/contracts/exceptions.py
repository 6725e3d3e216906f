class ContractError(Exception):
    """A contract can't be read, is invalid, or doesn't match the code; the text says where."""
