"""Rate limits: budgets by principal or address, counted in Redis or in memory."""

from bedplate.rate_limits.budget import EXPOSED_HEADERS, Budget, Decision
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
