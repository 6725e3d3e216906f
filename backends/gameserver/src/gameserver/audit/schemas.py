from datetime import datetime

from pydantic import BaseModel, Field


class AuditEntry(BaseModel):
    """One action and who took it."""

    at: datetime
    by: str = Field(description="Name of the API key, or of the part of the manager that acted")
    action: str
    details: dict[str, str] = Field(default_factory=dict, description="Secrets are redacted")
