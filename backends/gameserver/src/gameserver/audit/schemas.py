"""What goes over the wire."""

from datetime import datetime

from pydantic import BaseModel, Field


class AuditEntry(BaseModel):
    """Who did what: one line of the audit."""

    at: datetime
    by: str = Field(description="Name of the key, or of the part of the manager that acted")
    action: str
    details: dict[str, str] = Field(default_factory=dict, description="Secrets are cut")
