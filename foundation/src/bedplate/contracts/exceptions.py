"""What can be wrong with a contract, or with how it is kept."""


class ContractError(Exception):
    """A contract can't be read, isn't valid, or isn't kept; one sentence says where and how."""
