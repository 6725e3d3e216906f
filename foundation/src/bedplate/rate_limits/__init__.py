"""Rate limits: budgets by principal or address, shared through Redis or kept in memory."""

from bedplate.rate_limits.decision import Budget, Decision
from bedplate.rate_limits.headers import EXPOSED_HEADERS
from bedplate.rate_limits.limiter import DecisionName, FailurePolicy, Limiter
from bedplate.rate_limits.rate_limit import RateLimit

__all__ = [
    "EXPOSED_HEADERS",
    "Budget",
    "Decision",
    "DecisionName",
    "FailurePolicy",
    "Limiter",
    "RateLimit",
]
