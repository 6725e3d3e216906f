"""Which items PostgreSQL writes as JSON exactly as Pydantic does, so that it may make the page."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import JSON, Boolean, Date, Enum, Float, Integer, Numeric, Select, String, Uuid

from bedplate.database.types import GUID, UTCDateTime

# Column types, and the types of Pydantic's core schema that write them as PostgreSQL does.
_SAME_JSON = (
    (Enum, ()),  # a String for SQLAlchemy, whose value may be another than its name
    (Float, ()),  # 1.0 for Pydantic, 1 for PostgreSQL
    (Integer, ("int",)),
    (Boolean, ("bool",)),
    (String, ("str", "literal")),
    ((GUID, Uuid), ("uuid",)),
    (UTCDateTime, ("datetime",)),
    (Numeric, ("decimal",)),
    (Date, ("date",)),
    (JSON, ("any",)),
)


def writes_the_same(items: Select[Any], item_type: TypeAdapter[Any]) -> bool:
    """Return whether the JSON that PostgreSQL makes of these columns is that of a list's type.

    It is for models whose fields are the columns, of plain types: no serializers, computed fields,
    aliases or validators of its own, enumerations, floats or models within models.
    """
    listed: Any = item_type.core_schema
    model = listed.get("items_schema", {}) if listed["type"] == "list" else {}
    fields = model.get("schema", {})
    if model.get("type") != "model" or fields.get("type") != "model-fields":
        return False
    if "serialization" in model or "serialization" in fields or fields.get("computed_fields"):
        return False
    columns = {column.key: column for column in items.selected_columns}
    return fields["fields"].keys() == columns.keys() and all(
        _same_json(columns[name].type, field) for name, field in fields["fields"].items()
    )


def _same_json(column: Any, field: Mapping[str, Any]) -> bool:
    schema: Mapping[str, Any] = field["schema"]
    if "serialization_alias" in field or "serialization" in field:
        return False
    while schema["type"] in {"nullable", "default"} and "serialization" not in schema:
        schema = schema["schema"]
    kinds = next((kinds for types, kinds in _SAME_JSON if isinstance(column, types)), ())
    if schema["type"] == "literal" and not all(isinstance(v, str) for v in schema["expected"]):
        return False
    return schema["type"] in kinds and "serialization" not in schema
