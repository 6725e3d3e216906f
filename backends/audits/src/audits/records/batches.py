"""The body of a batch: a JSON object with records, or a line of JSON for each (NDJSON)."""

from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

from audits.records.schemas import MAX_BATCH, AuditBatch, AuditNew
from bedplate.problems import UnprocessableContent

_MAX_ERRORS: Final = 10_000
"""How many errors are listed one by one, of which an answer shows some.

To build one costs ten times what validating a member does.
"""

_NDJSON: Final = frozenset({"application/x-ndjson", "application/jsonl", "application/ndjson"})
_NEW: Final = TypeAdapter(AuditNew)
_RECORDS: Final = {
    "type": "array",
    "minItems": 1,
    "maxItems": MAX_BATCH,
    "items": {"$ref": "#/components/schemas/AuditNew"},
}
BATCH_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"records": _RECORDS},
                    "required": ["records"],
                    "additionalProperties": False,
                }
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}
"""What OpenAPI says of the body."""


class SeveralTenants(UnprocessableContent):
    """A batch goes into one chain, so its records have one tenant."""

    code = "several_tenants"
    detail = "All records of a batch should have the same tenant."


def parse_batch(body: bytes, content_type: str) -> list[AuditNew]:
    """Return the records of a body. Raises `RequestValidationError`, which names the line."""
    if content_type.partition(";")[0].strip().lower() not in _NDJSON:
        try:
            return AuditBatch.model_validate_json(body).records
        except ValidationError as error:
            raise _refused(error) from None
    lines = [line for line in body.split(b"\n") if line.strip()]
    if not 1 <= len(lines) <= MAX_BATCH:
        raise _refusal(("body",), "too_long", f"A batch should have 1 to {MAX_BATCH} lines")
    records = []
    for number, line in enumerate(lines):
        try:
            records.append(_NEW.validate_json(line))
        except ValidationError as error:
            raise _refused(error, number) from None
    return records


def _refused(error: ValidationError, *where: int) -> RequestValidationError:
    if (count := error.error_count()) > _MAX_ERRORS:
        return _refusal(("body", *where), "too_many_errors", f"There are {count} errors here")
    lines = error.errors(include_url=False)
    return RequestValidationError(
        [{**line, "loc": ("body", *where, *line["loc"])} for line in lines]
    )


def _refusal(where: tuple[str | int, ...], kind: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"type": kind, "loc": where, "msg": message, "input": None}])
