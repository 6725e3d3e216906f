"""What changed between two OpenAPI documents, and what of it breaks a client.

A client breaks when it may no longer send what it was allowed to send, or may receive what it was
never promised. So a request's schema may only become wider, an answer's only narrower.
"""

from bedplate.contracts.diff.change import Change
from bedplate.contracts.diff.operations import compare

__all__ = ["Change", "compare"]
