from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool

from audits.records.schemas import AuditFilters
from bedplate.schemas import MultiLineStr, Schema, WholeNumber

MAX_RECORDS = 200
MAX_QUESTION_LENGTH = 2000
MAX_MESSAGE_LENGTH = 32_000


class InsightsRequest(AuditFilters):
    """Which records to read, newest first, and what to look for in them."""

    question: Annotated[str, MultiLineStr(MAX_QUESTION_LENGTH)] | None = None
    limit: Annotated[int, WholeNumber(1, MAX_RECORDS)] = 100
    stream: StrictBool = False


class Anomaly(BaseModel):
    """Something that stands out, and the records that show it."""

    record_ids: list[UUID]
    explanation: str
    severity: Literal["low", "medium", "high"]


class Insights(BaseModel):
    """A reading of some records. Only ids of records that were read are in it."""

    summary: str
    risk: Literal["low", "medium", "high"]
    anomalies: list[Anomaly]
    records_read: int
    unknown_ids: int = Field(description="Ids that the model made up, which were left out")


class ChatRequest(Schema):
    """A message for the language model."""

    message: Annotated[str, MultiLineStr(MAX_MESSAGE_LENGTH)]
    instructions: Annotated[str, MultiLineStr(MAX_MESSAGE_LENGTH)] | None = None
    stream: StrictBool = False


class ChatAnswer(BaseModel):
    """What the language model answers."""

    answer: str


ANSWER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "summary": {"type": "string"},
        "risk": {"type": "string", "enum": ["low", "medium", "high"]},
        "anomalies": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "record_ids": {"type": "array", "items": {"type": "string"}},
                    "explanation": {"type": "string"},
                    "severity": {"type": "string", "enum": ["low", "medium", "high"]},
                },
                "required": ["record_ids", "explanation", "severity"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["summary", "risk", "anomalies"],
    "additionalProperties": False,
}
"""What the model is asked to answer: strict JSON Schema, where every member is required."""
